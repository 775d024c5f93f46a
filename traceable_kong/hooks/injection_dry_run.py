"""The probe: what would happen to a gateway pod that is made now? Asked with `dry_run=All`, so nothing is stored.

The pod is made from the Deployment's own template; webhooks, policies and quotas really run
(https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run). Knows no Pulumi.
"""

import copy
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, KubernetesClient
from traceable_kong.cluster.pods import is_leaving, is_ready
from traceable_kong.cluster.tme import asks_for_tme, running_containers, tme_containers
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image
from traceable_kong.common.safe_text import PlainError

IN_FORCE_SECONDS = 10.0
"""How long a new policy or a new namespace label may take until the API server goes by it: its informers are behind
by moments, and a webhook's answer may be slow once."""

INTERVAL_SECONDS = 0.25


class HookFailed(PlainError):
    """The gateway is not touched; the text says why, for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class InjectionDryRun:
    """A gateway whose pods are asked about.

    `annotations` are those that a pod with the TME is given. `agent_managed` is whether this stack installs the agent.
    `policy` is the guard's, and `action` what it does: `deny`, `warn` or `off`.
    """

    namespace: str
    deployment: str
    annotations: Mapping[str, str]
    tme_image: ImageReference
    agent_namespace: str
    agent_managed: bool
    policy: str
    action: str

    def require_policy_enforced(self, api: KubernetesClient) -> None:
        """Returns when a pod that asks for the TME without getting it is refused (or warned about).

        To be asked while the injector does not look at the namespace yet. Raises Refused.
        """
        if self.action == "off":
            return
        deadline = time.monotonic() + IN_FORCE_SECONDS
        while not self._guarded(api):
            if time.monotonic() > deadline:
                raise HookFailed(
                    f"A gateway pod without the TME would be let through: the policy {self.policy} is not in force "
                    f"after {IN_FORCE_SECONDS:.0f} s. The gateway was not touched. "
                    f"kubectl describe validatingadmissionpolicy {self.policy} shows what is wrong with it; where "
                    "nothing is, the API server runs without the admission plugin ValidatingAdmissionPolicy, and only "
                    "`pulumi config set traceable-kong:tmeGuard off` helps."
                )
            time.sleep(INTERVAL_SECONDS)

    def _guarded(self, api: KubernetesClient) -> bool:
        try:
            answer = self._ask(api)
        except ApiError as problem:
            if self.policy in str(problem):
                return True
            raise HookFailed(self._why_not(str(problem))) from None
        # Somebody else gives the TME already, so there is nothing to guard against.
        warned = any(self.policy in warning for warning in answer.warnings)
        # A warning is not what is wanted where the guard denies: the API server still goes by the binding of before.
        return self._has_tme(answer) or (warned and self.action == "warn")

    def require_injection(self, api: KubernetesClient) -> None:
        """Returns when a new gateway pod would get the TME. Raises Refused."""
        deadline = time.monotonic() + IN_FORCE_SECONDS
        while True:
            try:
                if self._has_tme(self._ask(api)):
                    return
            except ApiError as problem:
                if self.policy not in str(problem):
                    raise HookFailed(self._why_not(str(problem))) from None
            if time.monotonic() > deadline:
                raise HookFailed(self._no_tme(api))
            time.sleep(INTERVAL_SECONDS)

    def require_injection_still(self, api: KubernetesClient) -> None:
        """As `require_injection`, where the gateway's pods ask for the TME; nothing is asked where they do not."""
        template = self._template(api)
        if template and asks_for_tme(template["metadata"]):
            self.require_injection(api)

    def _template(self, api: KubernetesClient) -> dict[str, Any] | None:
        found = api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.deployment}")
        return found["spec"]["template"] if found else None

    def _ask(self, api: KubernetesClient, *, labelled: bool = True) -> ApiResponse:
        """The pod as it would be; without labels none that the policy judges."""
        template = self._template(api)
        if template is None:
            raise HookFailed(
                f"There is no Deployment {self.namespace}/{self.deployment} whose pods could be asked about."
            )
        pod = copy.deepcopy(template)
        metadata = {
            "generateName": f"{self.deployment}-probe-",
            "labels": (template["metadata"].get("labels") or {}) if labelled else {},
            "annotations": {**(template["metadata"].get("annotations") or {}), **self.annotations},
        }
        return api.request(
            "POST",
            f"/api/v1/namespaces/{self.namespace}/pods",
            query={"dryRun": "All"},
            body={"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]},
        )

    def _has_tme(self, pod: Mapping[str, Any]) -> bool:
        return bool(tme_containers(pod["spec"], self.tme_image))

    def _added(self, api: KubernetesClient) -> list[str]:
        """The images of the containers that a new pod would be given beside those of its template."""
        try:
            pod = self._ask(api, labelled=False)
        except ApiError:
            return []
        template = self._template(api) or {"spec": {}}
        own = {item["name"] for item in running_containers(template["spec"])}
        return [str(item["image"]) for item in running_containers(pod["spec"]) if item["name"] not in own]

    def _why_not(self, said: str) -> str:
        return (
            f"The API server would not take a new pod of {self.namespace}/{self.deployment}, so a rollout could only "
            f"fail: {said}. The gateway was not touched, and what runs keeps running."
        )

    def _no_tme(self, api: KubernetesClient) -> str:
        added = self._added(api)
        return (
            f"A new pod of {self.namespace}/{self.deployment} would not get the TME (a container with the image "
            f"{self.tme_image}): {self._other_image(added) if added else self._reason(api)}. The gateway was not "
            f"touched, and what runs keeps running. Look at kubectl --namespace {self.agent_namespace} get pods, then "
            "run pulumi up again."
        )

    def _other_image(self, added: list[str]) -> str:
        images = ", ".join(added)
        if self.agent_managed:
            way = "name its registry in traceable-kong:agentValues (imageCredentials.registry and .registrySuffix)"
        else:
            way = f"`pulumi config set --path traceable-kong:agent.tmeImage {shlex.quote(_unversioned(added[0]))}`"
        return (
            f"instead it would get {images}. If that is the TME's own image, {way}; if not, something else injects it"
        )

    def _reason(self, api: KubernetesClient) -> str:
        """What is known of an injector that fails open: its webhook, and the agent's pods that answer for it."""
        name = f"traceable-agent-injector-{self.agent_namespace}"
        webhook = api.get(f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{name}")
        if webhook is None:
            return f"the injector's webhook {name} is not there"
        pods = [item for item in api.list(f"/api/v1/namespaces/{self.agent_namespace}/pods") if not is_leaving(item)]
        ready = sum(map(is_ready, pods))
        if ready == 0:
            return f"no pod of the agent in {self.agent_namespace} is ready ({len(pods)} there)"
        return f"the injector's webhook {name} did not answer, or answered without it ({ready} pods of the agent ready)"


def _unversioned(image: str) -> str:
    """An image as the setting takes it, without the version, which may change with the agent's."""
    try:
        found = parse_image(image)
    except ImageReferenceError:
        return image
    return f"{found.registry}/{found.repository}"
