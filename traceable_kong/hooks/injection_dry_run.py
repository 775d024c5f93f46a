"""The injection dry run: what would happen to a gateway pod that is created now.

The pod is made from the Deployment's own template and created with `dryRun=All`: webhooks, policies and quotas run, and
nothing is stored (https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run).
"""

import copy
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, KubernetesClient
from traceable_kong.cluster.pods import is_ready, is_terminating
from traceable_kong.cluster.tme import requests_tme, running_containers, tme_containers
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image
from traceable_kong.hooks.hook_failed import HookFailed, missing_deployment

IN_FORCE_SECONDS = 10.0
"""How long the API server may take to act on a new policy or namespace label: its informers lag behind by moments, and
one call to a webhook may be slow."""

INTERVAL_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class InjectionDryRun:
    """Questions about new pods of one gateway.

    `annotations` are what TME injection adds to the pods. `agent_managed` is whether this stack installs the agent.
    `policy` is the admission policy; its `action` is `deny`, `warn` or `off`.
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
        """Waits until the API server refuses (or warns about) a pod that requests the TME and does not get it.

        Only works while the namespace does not have the injector's label yet. Raises HookFailed.
        """
        if self.action == "off":
            return
        deadline = time.monotonic() + IN_FORCE_SECONDS
        while not self._is_enforced(api):
            if time.monotonic() > deadline:
                raise HookFailed(
                    f"Admission policy {self.policy} is not in force after {IN_FORCE_SECONDS:.0f} s, so a gateway pod "
                    "could start without the TME. The gateway was not changed. `kubectl describe "
                    f"validatingadmissionpolicy {self.policy}` shows what is wrong with the policy. If it shows "
                    "nothing, the API server runs without the admission plugin ValidatingAdmissionPolicy: `pulumi "
                    "config set traceable-kong:tmeGuard off`, then `pulumi up`."
                )
            time.sleep(INTERVAL_SECONDS)

    def _is_enforced(self, api: KubernetesClient) -> bool:
        try:
            answer = self._create(api)
        except ApiError as problem:
            if self.policy in str(problem):
                return True
            raise HookFailed(self._pod_refused(str(problem))) from None
        warned = any(self.policy in warning for warning in answer.warnings)
        # Another injector may add the TME already: then there is nothing to refuse. With `deny`, a warning comes from
        # the binding as it was before this update.
        return self._has_tme(answer) or (warned and self.action == "warn")

    def require_injection(self, api: KubernetesClient) -> None:
        """Waits until a new gateway pod gets the TME. Raises HookFailed."""
        deadline = time.monotonic() + IN_FORCE_SECONDS
        while True:
            try:
                if self._has_tme(self._create(api)):
                    return
            except ApiError as problem:
                if self.policy not in str(problem):
                    raise HookFailed(self._pod_refused(str(problem))) from None
            if time.monotonic() > deadline:
                raise HookFailed(self._no_tme(api))
            time.sleep(INTERVAL_SECONDS)

    def require_injection_where_requested(self, api: KubernetesClient) -> None:
        """`require_injection`, if the Deployment's pods request the TME. Raises HookFailed."""
        template = self._template(api)
        if template and requests_tme(template["metadata"]):
            self.require_injection(api)

    def _template(self, api: KubernetesClient) -> dict[str, Any] | None:
        found = api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.deployment}")
        return found["spec"]["template"] if found else None

    def _create(self, api: KubernetesClient, *, labeled: bool = True) -> ApiResponse:
        """The pod as the API server would store it. Without labels it is no gateway pod to the admission policy."""
        template = self._template(api)
        if template is None:
            raise missing_deployment(self.namespace, self.deployment)
        pod = copy.deepcopy(template)
        metadata = {
            "generateName": f"{self.deployment}-probe-",
            "labels": (template["metadata"].get("labels") or {}) if labeled else {},
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

    def _added_images(self, api: KubernetesClient) -> list[str]:
        """The images of the containers that a new pod gets beside those of its template."""
        try:
            pod = self._create(api, labeled=False)
        except ApiError:
            return []
        template = self._template(api) or {"spec": {}}
        own = {item["name"] for item in running_containers(template["spec"])}
        return [str(item["image"]) for item in running_containers(pod["spec"]) if item["name"] not in own]

    def _pod_refused(self, message: str) -> str:
        return (
            f"The API server refuses new pods of deployment {self.namespace}/{self.deployment}: {message}. A rollout "
            "would fail. The gateway was not changed, and its pods keep running. Fix the cause, then run `pulumi up`."
        )

    def _no_tme(self, api: KubernetesClient) -> str:
        added = self._added_images(api)
        return (
            f"New pods of deployment {self.namespace}/{self.deployment} would not get the TME (a container with the "
            f"image {self.tme_image}): {self._other_image(added) if added else self._reason(api)}. The gateway was not "
            f"changed, and its pods keep running. Check the agent: `kubectl --namespace {self.agent_namespace} get "
            "pods`; then run `pulumi up`."
        )

    def _other_image(self, added: list[str]) -> str:
        images = ", ".join(added)
        if self.agent_managed:
            fix = "set its registry in traceable-kong:agentValues (imageCredentials.registry and .registrySuffix)"
        else:
            fix = f"`pulumi config set --path traceable-kong:agent.tmeImage {shlex.quote(_unversioned(added[0]))}`"
        return f"instead they would get {images}. If that is the TME, {fix}; if not, another injector adds it"

    def _reason(self, api: KubernetesClient) -> str:
        """What can be seen of an injector that fails open: its webhook, and the agent's pods behind it."""
        name = f"traceable-agent-injector-{self.agent_namespace}"
        webhook = api.get(f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{name}")
        if webhook is None:
            return f"the injector's webhook {name} does not exist"
        pods = [
            item for item in api.list(f"/api/v1/namespaces/{self.agent_namespace}/pods") if not is_terminating(item)
        ]
        ready = sum(map(is_ready, pods))
        if ready == 0:
            return f"the agent has no ready pod in namespace {self.agent_namespace} ({len(pods)} not ready)"
        return f"the injector's webhook {name} did not answer, or answered without it ({ready} ready agent pods)"


def _unversioned(image: str) -> str:
    """An image as `agent.tmeImage` takes it: without its version, which may change with the agent's."""
    try:
        found = parse_image(image)
    except ImageReferenceError:
        return image
    return f"{found.registry}/{found.repository}"
