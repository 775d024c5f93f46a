"""Reports why a rollout is blocked while Helm still waits for it: after a rollback the failing pods are gone."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from traceable_kong.cluster.api_objects import deployments, pods
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.pods import is_terminating, selector_text
from traceable_kong.verification.observation import plugin_and_events
from traceable_kong.verification.rollout_checks import waiting_reasons

INTERVAL_SECONDS = 2.0

REPORTED_RESTARTS = 2
"""A container in CrashLoopBackOff is reported when it has failed three times. The ingress controller ends while Kong
does not respond yet (3.4: "unable to build kong api client(s): client not ready"), once or twice in a usual rollout."""


class RolloutMonitor:
    """Watches a Deployment in its own thread and passes each reason to `say` once, as a line.

    It runs until `stop()` or the end of the process. `plugin_object` is the KongClusterPlugin whose events are
    reported too, if there is one.
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
        threading.Thread(target=self._run, name="rollout monitor", daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            try:
                reasons = self.reasons()
            except (ApiError, Unreachable):
                # Helm reports an unreachable cluster; the next round may reach it again.
                continue
            for reason in reasons:
                if reason not in self._said:
                    self._said.add(reason)
                    self._say(f"Rollout of deployment {self._namespace}/{self._deployment} is blocked: {reason}")

    def reasons(self) -> list[str]:
        """Why pods are not created, containers do not run or keep failing, or Kong rejects its configuration.

        Raises ApiError or Unreachable.
        """
        found = self._api.get(f"{deployments(self._namespace)}/{self._deployment}")
        if found is None:
            return []
        conditions = found.get("status", {}).get("conditions") or []
        refused = [str(item.get("message")) for item in conditions if item["type"] == "ReplicaFailure"]
        selector = selector_text(found["spec"]["selector"])
        listed = self._api.list(pods(self._namespace), labelSelector=selector)
        _, events = plugin_and_events(self._api, self._plugin_object or "")
        return [
            *refused,
            *(
                why
                for pod in listed
                if not is_terminating(pod)
                for why in waiting_reasons(pod, restarts=REPORTED_RESTARTS)
            ),
            # A Kong that rejects its configuration does not become ready; the controller's events say why.
            *(message for when, message in events if datetime.fromisoformat(when) >= self._began),
        ]
