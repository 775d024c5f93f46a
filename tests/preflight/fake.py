"""A cluster in memory that answers what preflight asks, and an intent to start from."""

import base64
import dataclasses
import gzip
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, Document, KubernetesClient
from traceable_kong.cluster.ownership import GATEWAY_LABEL, labels, release_owner_values
from traceable_kong.common.image_references import parse_image
from traceable_kong.helm_values.ingress_controller import is_controller
from traceable_kong.preflight.cached_reader import (
    CLUSTER_PLUGINS,
    NAMESPACES,
    STORAGE_CLASSES,
    config_maps,
    deployment,
    secrets,
)
from traceable_kong.preflight.examination import Examination, examine
from traceable_kong.preflight.intent import AgentIntent, GatewayIntent, Intent, PluginIntent

OWNER = "traceable-kong.dev-0a1b2c3d"
ANOTHER_OF_THIS_NAME = "traceable-kong.dev-ffffffff"

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""The API server's time."""


def intent(**changes: Any) -> Intent:
    """A sync installation from nothing; `changes` are of the intent, `gateway__ours=False` of a part of it."""
    base = Intent(
        owner=OWNER,
        live_change=True,
        gateway=GatewayIntent(
            namespace="kong",
            create_namespace=True,
            ours=True,
            release="quickstart",
            deployment="quickstart-kong",
            container="proxy",
            ingress_class="kong",
            timeout_seconds=600,
        ),
        agent=AgentIntent(
            namespace="traceable",
            create_namespace=True,
            release="traceable-agent",
            own_secret="traceable-agent-token",
            their_secret=None,
            timeout_seconds=300,
        ),
        agent_release="traceable-agent",
        plugin=PluginIntent(
            object_name="traceable-plugin",
            name="traceable",
            everywhere=True,
            config={"mode": "sync", "ext_cap_endpoint": "http://localhost:5442"},
            rock_version="2.1.2-1",
            rock_sha256="c" * 64,
            shipped=frozenset({"traceable"}),
        ),
        config_maps=("kong-plugin-traceable-0123456789",),
        record="traceable-installation",
        policy="traceable-kong-guard",
        sync=True,
        tme_image=parse_image("docker.io/traceableai/traceable-agent"),
        enabled=True,
        installed=True,
    )
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            value = dataclasses.replace(getattr(base, part), **{key: value})
        base = dataclasses.replace(base, **{part: value})
    return base


class FakeKubernetes(KubernetesClient):
    """Objects by path; `denied` are the paths that may not be read, `denied_lists` those that may not be listed.

    `may` decides about rights, `account_may` about those of service accounts, None where that may not be asked;
    `accounts` are those.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Document] = {}
        self.denied: dict[str, int] = {}
        self.denied_lists: dict[str, int] = {}
        self.may: Callable[[str, str], bool] = lambda verb, resource: True
        self.account_may: Callable[[str, str], bool] | None = lambda verb, resource: True
        self.accounts: list[str] = []
        self.creates: list[Document] = []
        self.create_answer: ApiError | None = None
        self.asked: list[str] = []

    def put(self, path: str, item: Document | None = None, *, ours: bool = False, owner: str = OWNER) -> Document:
        """Puts an object at its path, with the owner's label where it is `ours`."""
        item = item or {}
        metadata = item.setdefault("metadata", {})
        metadata.setdefault("name", path.rsplit("/", 1)[-1])
        if path.startswith(f"{NAMESPACES}/") and path.count("/") > 4:
            metadata.setdefault("namespace", path.split("/")[4])
        if ours:
            metadata.setdefault("labels", {}).update(labels(owner))
        self.objects[path] = item
        return item

    def release(
        self,
        namespace: str,
        name: str,
        statuses: list[str],
        *,
        owner: str | None = OWNER,
        chart: str = "kong-3.4.1",
        age_seconds: float = 86_400,
        serves: bool = False,
        **values: Any,
    ) -> None:
        """A Helm release whose revisions 1, 2, ... have these statuses, and all of them these values.

        Its records were made `age_seconds` ago; with `serves` it has a Deployment with a ready pod.
        """
        made = (NOW - timedelta(seconds=age_seconds)).isoformat().replace("+00:00", "Z")
        if serves:
            self.put(
                deployment(namespace, f"{name}-kong"),
                {
                    "metadata": {"annotations": {"meta.helm.sh/release-name": name}},
                    "status": {"readyReplicas": 1},
                    "spec": {"selector": {"matchLabels": {"a": "kong"}}, "template": {"spec": {"containers": []}}},
                },
            )
        for revision, status in enumerate(statuses, 1):
            chart_name, _, version = chart.rpartition("-")
            document = {
                "name": name,
                "config": {**values, **(release_owner_values(owner) if owner else {})},
                "chart": {"metadata": {"name": chart_name, "version": version}},
            }
            packed = base64.b64encode(gzip.compress(json.dumps(document).encode()))
            self.put(
                f"{secrets(namespace)}/sh.helm.release.v1.{name}.v{revision}",
                {
                    "type": "helm.sh/release.v1",
                    "metadata": {
                        "labels": {"owner": "helm", "name": name, "status": status, "version": str(revision)},
                        "creationTimestamp": made,
                    },
                    "data": {"release": base64.b64encode(packed).decode()},
                },
            )

    def get(self, path: str) -> ApiResponse | None:
        self._look(path)
        found = self.objects.get(path)
        return ApiResponse(found) if found is not None else None

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        self._look(path)
        if path in self.denied_lists:
            raise ApiError(self.denied_lists[path], "Forbidden", f"you may not list {path}")
        wanted = selectors.get("labelSelector", "")
        name = selectors.get("fieldSelector", "").removeprefix("metadata.name=")
        everywhere = path == "/api/v1/configmaps"
        return [
            {"metadata": item["metadata"]} if metadata_only else item
            for where, item in self.objects.items()
            if (where.rsplit("/", 1)[0] == path or (everywhere and "/configmaps/" in where))
            and is_selected(wanted, item["metadata"].get("labels", {}))
            and name in ("", item["metadata"]["name"])
        ]

    def server_time(self) -> datetime:
        return NOW

    def allowed(self, verb: str, resource: str, *, group: str = "", namespace: str = "", subresource: str = "") -> bool:
        return self.may(verb, f"{resource}/{subresource}" if subresource else resource)

    def account_allowed(self, namespace: str, account: str, verb: str, resource: str, *, group: str = "") -> bool:
        self.accounts.append(f"{namespace}/{account}")
        if self.account_may is None:
            raise ApiError(403, "Forbidden", "you may not ask about others")
        return self.account_may(verb, f"{resource}.{group}")

    def request(self, method: str, path: str, **options: Any) -> ApiResponse:
        assert (method, options["query"]) == ("POST", {"dryRun": "All"}), "preflight changes nothing"
        self.creates.append(options["body"])
        if self.create_answer:
            raise self.create_answer
        return ApiResponse()

    def _look(self, path: str) -> None:
        self.asked.append(path)
        for prefix, status in self.denied.items():
            if path.startswith(prefix):
                raise ApiError(status, "Forbidden", f"you may not look at {prefix}")


def is_selected(selector: str, labels: Mapping[str, str]) -> bool:
    """As the API server reads `a=b,c=d` or `a in (b,c)`."""
    if " in (" in selector:
        key, _, values = selector.partition(" in (")
        return labels.get(key) in values.rstrip(")").split(",")
    return dict(part.split("=", 1) for part in selector.split(",") if part).items() <= labels.items()


def container(name: str = "proxy", *, ports: tuple[int, ...] = (), image: str = "kong:3.9", **env: str) -> Document:
    return {
        "name": name,
        "image": image,
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "ports": [{"containerPort": port} for port in ports],
    }


def with_controller(containers: list[Document]) -> list[Document]:
    """The containers of a pod, and beside them an ingress controller where none is."""
    beside = [] if any(map(is_controller, containers)) else [container("ingress-controller", image="kic:3")]
    return [*containers, *beside]


def kong_stands(
    kube: FakeKubernetes, *containers: Document, volumes: dict[str, str] | None = None, name: str = "quickstart-kong"
) -> None:
    """A live Deployment; `volumes` are ConfigMaps by volume. Its ingress controller is in its pods."""
    spec = {
        "containers": with_controller(list(containers) or [container()]),
        "volumes": [{"name": volume, "configMap": {"name": held}} for volume, held in (volumes or {}).items()],
    }
    kube.put(
        deployment("kong", name), {"spec": {"selector": {"matchLabels": {"a": "kong"}}, "template": {"spec": spec}}}
    )


def plugin_stands(
    kube: FakeKubernetes, name: str = "traceable-plugin", *, ours: bool = True, **fields: Any
) -> Document:
    """A global KongClusterPlugin of the class `kong`."""
    return kube.put(
        f"{CLUSTER_PLUGINS}/{name}",
        {
            "metadata": {"labels": {"global": "true"}, "annotations": {"kubernetes.io/ingress.class": "kong"}},
            "plugin": "traceable",
            "config": {},
            **fields,
        },
        ours=ours,
    )


def default_class(kube: FakeKubernetes, marked: str = "true") -> None:
    """A StorageClass that gives volumes to claims that name none."""
    annotations = {"storageclass.kubernetes.io/is-default-class": marked}
    kube.put(f"{STORAGE_CLASSES}/standard", {"metadata": {"annotations": annotations}})


def gateway_stands(kube: FakeKubernetes, namespace: str, owner: str = OWNER) -> None:
    """A namespace with the label of a stack's gateway, as the stack leaves it, and its record there."""
    kube.put(f"{NAMESPACES}/{namespace}", {"metadata": {"labels": {GATEWAY_LABEL: owner}}})
    kube.put(f"{config_maps(namespace)}/traceable-installation", ours=True, owner=owner)


def record_stands(kube: FakeKubernetes, namespace: str = "kong", **data: str) -> None:
    kube.put(f"{config_maps(namespace)}/traceable-installation", {"data": data}, ours=True)


def subjects(found: Examination) -> list[str]:
    return [item.subject for item in found.errors]


def refused(kube: FakeKubernetes, **changes: Any) -> str:
    """The single refusal, as text."""
    found = examine(kube, intent(**changes))
    assert len(found.errors) == 1, found
    return "\n".join([found.errors[0].subject, found.errors[0].problem, found.errors[0].fix])


def warned(kube: FakeKubernetes, **changes: Any) -> str:
    """The single warning, as text; nothing is refused."""
    found = examine(kube, intent(**changes))
    assert (len(found.warnings), found.errors) == (1, []), found
    return "\n".join([found.warnings[0].subject, found.warnings[0].problem, found.warnings[0].fix])


def passes(kube: FakeKubernetes, **changes: Any) -> None:
    found = examine(kube, intent(**changes))
    assert found == Examination(errors=[], warnings=[], stuck=[])
