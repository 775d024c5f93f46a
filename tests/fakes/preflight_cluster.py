"""A cluster in memory that answers preflight's requests, and what preflight finds in it for a stack's config."""

import base64
import dataclasses
import gzip
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.kong_chart import renderings
from tests.fakes.plans import OWNER, ROCK, gateway, plan
from traceable_kong.cluster.api_objects import (
    CLUSTER_PLUGINS,
    NAMESPACES,
    STORAGE_CLASSES,
    config_maps,
    deployments,
    secrets,
)
from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, Document, KubernetesClient
from traceable_kong.cluster.ownership import GATEWAY_LABEL, labels, release_owner_values
from traceable_kong.helm_values.ingress_controller import is_controller
from traceable_kong.plan.model import Plan
from traceable_kong.plugin.rock import Rock
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.examination import Examination, examine
from traceable_kong.preflight.finding import Finding

ANOTHER_OF_THIS_NAME = "traceable-kong.dev-ffffffff"

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""The API server's time."""


DEFAULT = plan()
"""A managed Kong and a managed agent, both in namespaces that the stack creates, in sync with the admission policy."""

FILES = gateway().config_maps[0].name
POLICY = DEFAULT.policy_name

EXISTING: dict[str, Any] = {"kong": {"install": False, "deployment": "quickstart-kong"}}
"""The keys of a stack with an existing Kong."""

EXISTING_AGENT: dict[str, Any] = {"agent": {"install": False, "namespace": "shared"}, "agentToken": None}
EXTERNAL_AGENT: dict[str, Any] = {
    "mode": "async",
    "agent": {"install": False, "url": "https://agent.example.com"},
    "agentToken": None,
}
UNINSTALLED: dict[str, Any] = {"installed": False, "enabled": False}


def deployment(namespace: str, name: str) -> str:
    return f"{deployments(namespace)}/{name}"


def rock_of(version: str, *plugins: str) -> Rock:
    """A rock of this version with these plugins, `traceable` if none is given."""
    files = {"handler.lua": b"return {}", "schema.lua": b"return {}"}
    return dataclasses.replace(ROCK, version=version, plugins=dict.fromkeys(plugins or ("traceable",), files))


class FakeKubernetes(KubernetesClient):
    """Objects by path. Paths that begin with one of `denied` may not be read, those in `denied_lists` not listed.

    `may` decides about the user's permissions, `account_may` about those of service accounts; None refuses to answer.
    `accounts` are the accounts that were asked about, `asked` the paths that were read, `creates` the dry runs.
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

    def put(self, path: str, item: Document | None = None, *, owned: bool = False, owner: str = OWNER) -> Document:
        """Puts an object at its path; `owned` with the ownership label of the stack `owner`."""
        item = item or {}
        metadata = item.setdefault("metadata", {})
        metadata.setdefault("name", path.rsplit("/", 1)[-1])
        if path.startswith(f"{NAMESPACES}/") and path.count("/") > 4:
            metadata.setdefault("namespace", path.split("/")[4])
        if owned:
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
        """A Helm release with these statuses of its revisions 1, 2, ..., and these values in all of them.

        Helm recorded them `age_seconds` ago. With `serves`, the release has a Deployment with a ready pod.
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
    """Whether labels match a selector such as `a=b,c=d` or `a in (b,c)`."""
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
    """The containers of a pod, with an ingress controller added if there is none."""
    beside = [] if any(map(is_controller, containers)) else [container("ingress-controller", image="kic:3")]
    return [*containers, *beside]


def put_kong(
    kube: FakeKubernetes, *containers: Document, volumes: dict[str, str] | None = None, name: str = "quickstart-kong"
) -> None:
    """Kong's Deployment with an ingress controller in its pods; `volumes` is `{volume: ConfigMap}`."""
    spec = {
        "containers": with_controller(list(containers) or [container()]),
        "volumes": [{"name": volume, "configMap": {"name": held}} for volume, held in (volumes or {}).items()],
    }
    kube.put(
        deployment("kong", name), {"spec": {"selector": {"matchLabels": {"a": "kong"}}, "template": {"spec": spec}}}
    )


def put_plugin(kube: FakeKubernetes, name: str = "traceable-plugin", *, owned: bool = True, **fields: Any) -> Document:
    """A global KongClusterPlugin of the class `kong`."""
    return kube.put(
        f"{CLUSTER_PLUGINS}/{name}",
        {
            "metadata": {"labels": {"global": "true"}, "annotations": {"kubernetes.io/ingress.class": "kong"}},
            "plugin": "traceable",
            "config": {},
            **fields,
        },
        owned=owned,
    )


def put_storage_class(kube: FakeKubernetes, marked: str = "true") -> None:
    """A StorageClass that is the default if it is `marked`."""
    annotations = {"storageclass.kubernetes.io/is-default-class": marked}
    kube.put(f"{STORAGE_CLASSES}/standard", {"metadata": {"annotations": annotations}})


def put_gateway(kube: FakeKubernetes, namespace: str, owner: str = OWNER) -> None:
    """A namespace with the label of a stack's gateway, and the record in it."""
    kube.put(f"{NAMESPACES}/{namespace}", {"metadata": {"labels": {GATEWAY_LABEL: owner}}})
    kube.put(f"{config_maps(namespace)}/traceable-installation", owned=True, owner=owner)


def put_record(kube: FakeKubernetes, namespace: str = "kong", **data: str) -> None:
    kube.put(f"{config_maps(namespace)}/traceable-installation", {"data": data}, owned=True)


def subjects(found: Examination) -> list[str]:
    return [item.subject for item in found.errors]


def examined(kube: KubernetesClient, *, live_change: bool = True, of: Plan | None = None, **config: Any) -> Examination:
    """What preflight finds for a stack with these config keys, or for the plan `of`, in an `up` or in a preview.

    The charts are rendered as tests/fakes/kong_chart.py does.
    """
    made = of or plan(**config)
    return examine(CachedReader(kube, renderings(made)), made, live_change=live_change)


def text_of(finding: Finding) -> str:
    return "\n".join([finding.subject, finding.problem, finding.fix])


def refused(kube: FakeKubernetes, **arguments: Any) -> str:
    """The text of the single error."""
    found = examined(kube, **arguments)
    assert len(found.errors) == 1, found
    return text_of(found.errors[0])


def warned(kube: FakeKubernetes, **arguments: Any) -> str:
    """The text of the single warning; there is no error."""
    found = examined(kube, **arguments)
    assert (len(found.warnings), found.errors) == (1, []), found
    return text_of(found.warnings[0])


def passes(kube: FakeKubernetes, **arguments: Any) -> None:
    assert examined(kube, **arguments) == Examination(errors=[], warnings=[], stuck=[])
