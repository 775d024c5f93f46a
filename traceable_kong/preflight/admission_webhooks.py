"""Other gateways' admission webhooks that will judge our plugin.

An ingress controller's webhook looks at no ingress class: it asks its own Kong about every KongClusterPlugin of the
cluster, and a Kong without the plugin, or with an older rock, says no
(https://developer.konghq.com/kubernetes-ingress-controller/admission-webhook/).
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, Document
from traceable_kong.cluster.ownership import NAME_LABEL, handover_label, labels
from traceable_kong.cluster.pods import selected
from traceable_kong.plugin.kong_cluster_plugin import plugin_object
from traceable_kong.preflight.cached_reader import (
    CLUSTER_PLUGINS,
    WEBHOOKS,
    CachedReader,
    annotations_of,
    labels_of,
    name_of,
)
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import GatewayIntent, Intent

GROUP, VERSION, RESOURCE = "configuration.konghq.com", "v1", "kongclusterplugins"

_BY_A_WEBHOOK = re.compile(r'(?:admission|calling) webhook "([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class WebhookMatch:
    """One webhook: entry `index` of the configuration `configuration`; `ours` where our own gateway answers."""

    configuration: str
    index: int
    name: str
    selector: Mapping[str, Any]
    ours: bool

    @property
    def command(self) -> str:
        """Makes the webhook leave a stack's objects alone; what `patch()` gives is still to be added."""
        return f"kubectl patch validatingwebhookconfiguration {self.configuration} --type json --patch "

    def patch(self, owner: str) -> str:
        """The JSON patch for `command`."""
        expression = {"key": NAME_LABEL, "operator": "NotIn", "values": [handover_label(owner)]}
        selector = {**self.selector, "matchExpressions": [*(self.selector.get("matchExpressions") or []), expression]}
        return json.dumps([{"op": "add", "path": f"/webhooks/{self.index}/objectSelector", "value": selector}])


def webhooks_let_the_plugin_through(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No other gateway's webhook refuses the plugin."""
    if intent.plugin.object_name is None or not intent.installed:
        return
    body = plugin_under_another_name(intent)
    judges = [
        judge
        for configuration in looks.list(WEBHOOKS)
        for judge in judges_in(configuration, intent.gateway, labels_of(body))
    ]
    others = [judge for judge in judges if not judge.ours]
    if not others:
        return
    try:
        looks.would_create(CLUSTER_PLUGINS, body)
    except ApiError as problem:
        yield from _refused(problem, others, [judge for judge in judges if judge.ours], intent)


def plugin_under_another_name(intent: Intent) -> Document:
    """Our plugin as it will be, under a name that nobody has; without what is secret in it."""
    return plugin_object(
        naming={"generateName": f"{intent.plugin.object_name}-"},
        plugin=intent.plugin.name,
        ingress_class=intent.gateway.ingress_class,
        everywhere=intent.plugin.everywhere,
        enabled=intent.enabled,
        # What is not plain is a secret, whose text is stars.
        config=json.loads(json.dumps(intent.plugin.config, default=str)),
        labels=labels(intent.owner),
    )


def judges_in(configuration: Document, gateway: GatewayIntent, ours: Mapping[str, str]) -> Iterator[WebhookMatch]:
    """The webhooks of a configuration that are asked about a KongClusterPlugin with the labels `ours`.

    A namespaceSelector counts for nothing here: a cluster-scoped object never skips a webhook by it
    (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/).
    """
    for index, webhook in enumerate(configuration.get("webhooks") or []):
        selector = webhook.get("objectSelector") or {}
        if any(_covers(rule) for rule in webhook.get("rules") or []) and selected(selector, ours):
            yield WebhookMatch(
                configuration=name_of(configuration),
                index=index,
                name=str(webhook.get("name")),
                selector=selector,
                ours=_is_of(gateway, configuration, webhook),
            )


def _is_of(gateway: GatewayIntent, configuration: Document, webhook: Document) -> bool:
    """Helm writes on what it makes whose it is (https://helm.sh/docs/faq/changes_since_helm2/, ownership)."""
    noted = annotations_of(configuration)
    service = (webhook.get("clientConfig") or {}).get("service") or {}
    namespace = noted.get("meta.helm.sh/release-namespace") or service.get("namespace")
    release = noted.get("meta.helm.sh/release-name") or labels_of(configuration).get("app.kubernetes.io/instance")
    return namespace == gateway.namespace and gateway.release in (None, release)


def _covers(rule: Document) -> bool:
    def has(key: str, *wanted: str) -> bool:
        return bool({"*", *wanted} & set(rule.get(key) or []))

    return (
        has("apiGroups", GROUP)
        and has("apiVersions", VERSION)
        and has("operations", "CREATE", "UPDATE")
        and has("resources", RESOURCE, "*/*", f"{RESOURCE}/*")
        and (rule.get("scope") or "*") in ("*", "Cluster")
    )


def _refused(
    problem: ApiError, others: list[WebhookMatch], ours: list[WebhookMatch], intent: Intent
) -> Iterator[Finding]:
    found = _BY_A_WEBHOOK.search(str(problem))
    if problem.status == 404:
        return  # No such kind yet: a first install, and nobody has been asked.
    if found is None:
        yield Finding(
            subject=", ".join(sorted({judge.configuration for judge in others})),
            wrong=f"will judge the plugin, and whether it lets it through could not be tried: {problem}",
            mend="ask who runs that gateway, if the next `pulumi up` is refused",
            only_warns=True,
        )
        return
    guilty = [judge for judge in others if judge.name == found[1]]
    # The controllers of two gateways call their webhooks alike. Ours may be the one that spoke, of the Kong that runs
    # now; the next one has the plugin's files before the plugin comes.
    unclear = any(judge.name == found[1] for judge in ours)
    for judge in guilty:
        yield Finding(
            subject=f"validatingwebhookconfiguration {judge.configuration}",
            wrong=f"{'may refuse' if unclear else 'refuses'} the plugin, because its own Kong lacks it or has an older "
            f"one; which class it is for it does not look at: {problem}",
            mend=f"have it leave this stack's objects alone: `{judge.command}{shlex.quote(judge.patch(intent.owner))}`"
            ", and the same objectSelector in the values of that gateway's chart",
            only_warns=unclear,
        )
