"""Whether admission webhooks of other gateways reject the plugin.

An ingress controller's webhook ignores ingress classes: it validates every KongClusterPlugin of the cluster with its
own Kong. A Kong without the plugin, or with an older version, rejects it
(https://developer.konghq.com/kubernetes-ingress-controller/admission-webhook/).
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, VALIDATING_WEBHOOKS, annotations_of, labels_of, name_of
from traceable_kong.cluster.kubernetes_client import ApiError, Document
from traceable_kong.cluster.ownership import NAME_LABEL, handover_label
from traceable_kong.cluster.pods import selected
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding

GROUP, VERSION, RESOURCE = "configuration.konghq.com", "v1", "kongclusterplugins"

_BY_A_WEBHOOK = re.compile(r'(?:admission|calling) webhook "([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class WebhookMatch:
    """A webhook that validates KongClusterPlugins: entry `index` of `configuration`; `own` if it is this gateway's."""

    configuration: str
    index: int
    name: str
    selector: Mapping[str, Any]
    own: bool

    @property
    def command(self) -> str:
        """Makes the webhook ignore a stack's objects, with the text of `patch()` as its last argument."""
        return f"kubectl patch validatingwebhookconfiguration {self.configuration} --type json --patch "

    def patch(self, owner: str) -> str:
        """The JSON patch for `command`."""
        expression = {"key": NAME_LABEL, "operator": "NotIn", "values": [handover_label(owner)]}
        selector = {**self.selector, "matchExpressions": [*(self.selector.get("matchExpressions") or []), expression]}
        return json.dumps([{"op": "add", "path": f"/webhooks/{self.index}/objectSelector", "value": selector}])


def webhooks_accept_the_plugin(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """No webhook of another gateway rejects the plugin."""
    resource = gateway.plugin.custom_resource
    if resource is None or not gateway.installed:
        return
    body = gateway.plugin.document(resource, plan.labels, generate_name=True)
    matches = [
        match
        for configuration in reader.list(VALIDATING_WEBHOOKS)
        for match in matches_in(configuration, gateway, labels_of(body))
    ]
    others = [match for match in matches if not match.own]
    if not others:
        return
    try:
        reader.would_create(CLUSTER_PLUGINS, body)
    except ApiError as problem:
        yield from _rejections(problem, others, [match for match in matches if match.own], plan.owner)


def matches_in(configuration: Document, gateway: Gateway, plugin_labels: Mapping[str, str]) -> Iterator[WebhookMatch]:
    """The webhooks of a configuration that validate a KongClusterPlugin with these labels.

    A namespaceSelector never excludes a cluster-scoped object
    (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/).
    """
    for index, webhook in enumerate(configuration.get("webhooks") or []):
        selector = webhook.get("objectSelector") or {}
        if any(_covers(rule) for rule in webhook.get("rules") or []) and selected(selector, plugin_labels):
            yield WebhookMatch(
                configuration=name_of(configuration),
                index=index,
                name=str(webhook.get("name")),
                selector=selector,
                own=_is_of(gateway, configuration, webhook),
            )


def _is_of(gateway: Gateway, configuration: Document, webhook: Document) -> bool:
    """By Helm's annotations (https://helm.sh/docs/faq/changes_since_helm2/, ownership), or by its Service."""
    noted = annotations_of(configuration)
    service = (webhook.get("clientConfig") or {}).get("service") or {}
    namespace = noted.get("meta.helm.sh/release-namespace") or service.get("namespace")
    release = noted.get("meta.helm.sh/release-name") or labels_of(configuration).get("app.kubernetes.io/instance")
    return namespace == gateway.kong.deployment.namespace and gateway.release_name in (None, release)


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


def _rejections(
    problem: ApiError, others: list[WebhookMatch], own: list[WebhookMatch], owner: str
) -> Iterator[Finding]:
    found = _BY_A_WEBHOOK.search(str(problem))
    if problem.status == 404:
        return  # The CRD does not exist before a first install.
    if found is None:
        yield Finding(
            subject=", ".join(sorted({match.configuration for match in others})),
            problem=f"validates the plugin, and a dry run could not determine whether it accepts it: {problem}",
            fix="If the next `pulumi up` is rejected, ask the owner of that gateway",
            severity="warning",
        )
        return
    rejecting = [match for match in others if match.name == found[1]]
    # Controllers use the same name for their webhooks, so this gateway's own may have rejected it, with the Kong that
    # runs now. Its next Kong has the plugin's files.
    unclear = any(match.name == found[1] for match in own)
    for match in rejecting:
        command = f"`{match.command}{shlex.quote(match.patch(owner))}`"
        ignore = (
            f"ignore this stack's objects: {command}. Set the same objectSelector in the chart values of that gateway"
        )
        if unclear:
            yield Finding(
                subject=f"validatingwebhookconfiguration {match.configuration}",
                problem="may reject the plugin. A webhook of this name rejected a dry run, and this gateway's own has "
                f"the same name: {problem}",
                fix="If it was this gateway's own, there is nothing to do: this update gives its Kong the plugin. If "
                f"the update is rejected too, make the other one {ignore}",
                severity="warning",
            )
        else:
            yield Finding(
                subject=f"validatingwebhookconfiguration {match.configuration}",
                problem="rejects the plugin, because its own Kong lacks it or has an older version. It ignores the "
                f"ingress class: {problem}",
                fix=f"Make it {ignore}",
            )
