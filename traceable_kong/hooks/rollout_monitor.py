"""Says why a rollout does not get on while Helm still waits for it: afterwards the pods that would tell are gone."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.pods import is_leaving, selector_text
from traceable_kong.verification.checks import waiting
from traceable_kong.verification.observation import plugin_and_events

INTERVAL_SECONDS = 2.0


class RolloutMonitor:
    """Looks at a Deployment's pods in a thread of its own and says each reason once.

    `say` takes a line. It ends with the process, or with `stop()`. `plugin_object` is the KongClusterPlugin of which
    the ingress controller may have something to say, None where it has not.
    """

    def __init__(
        self,
        api: KubernetesClient,
        *,
        namespace: str,
        deployment: str,
        plugin_object: str | None,
        say: Callable[[str], None],
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._deployment = deployment
        self._plugin_object = plugin_object
        self._began = datetime.now(UTC)
        self._say = say
        self._ended = threading.Event()
        self._said: set[str] = set()

    def start(self) -> None:
        """Begins to look."""
        threading.Thread(target=self._run, name="rollout watch", daemon=True).start()

    def stop(self) -> None:
        """Ends the looking."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            try:
                reasons = self.reasons()
            except (ApiError, Unreachable):
                # Helm reports a cluster that is away; the next round may reach it again.
                continue
            for reason in reasons:
                if reason not in self._said:
                    self._said.add(reason)
                    self._say(f"the rollout of {self._namespace}/{self._deployment} does not get on: {reason}")

    def reasons(self) -> list[str]:
        """Why pods are not made, their containers do not run, or their Kong takes no configuration.

        Raises kube.ApiError or kube.Unreachable.
        """
        found = self._api.get(f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{self._deployment}")
        if found is None:
            return []
        conditions = found.get("status", {}).get("conditions") or []
        refused = [str(item.get("message")) for item in conditions if item["type"] == "ReplicaFailure"]
        pods = self._api.list(
            f"/api/v1/namespaces/{self._namespace}/pods", labelSelector=selector_text(found["spec"]["selector"])
        )
        _, events = plugin_and_events(self._api, self._plugin_object or "")
        return [
            *refused,
            *(why for pod in pods if not is_leaving(pod) for why in waiting(pod)),
            # A Kong that takes no configuration is not ready: the controller says why, of the plugin.
            *(message for when, message in events if datetime.fromisoformat(when) >= self._began),
        ]
