"""Which containers of a pod have something simulated or real behind them. Pure.

Told by what is public of them: Kong by its own properties in the environment, its ingress controller by variables
named CONTROLLER_, Traceable's agent and TME by their image (https://hub.docker.com/u/traceableai). stages.yaml has the
same rules for the pods that kwok leaves alone.
"""

import re
from typing import Any

Pod = dict[str, Any]
Container = dict[str, Any]

KONG_PROPERTIES = ("KONG_DATABASE", "KONG_ADMIN_LISTEN", "KONG_PROXY_LISTEN", "KONG_PLUGINS")
AGENT_PORT = 5442


def kong(pod: Pod) -> Container | None:
    """The container that runs Kong; a Job's (a migration) does not go on running, so it is none."""
    if any(owner.get("kind") == "Job" for owner in pod["metadata"].get("ownerReferences", [])):
        return None
    return _with_variable(pod, lambda name: name in KONG_PROPERTIES)


def controller(pod: Pod) -> Container | None:
    """The container of the ingress controller, where it lies beside its Kong."""
    return _with_variable(pod, lambda name: name.startswith("CONTROLLER_")) if kong(pod) else None


def agents(pod: Pod) -> list[Container]:
    """The containers that run Traceable's agent, which as a sidecar is the TME."""
    return [item for item in pod["spec"]["containers"] if _is_agent(str(item["image"]))]


def pullable(image: str) -> bool:
    """False for an image of a registry below `.invalid`: that name never exists (RFC 2606), whatever the network."""
    return re.match(r"[^/]+[.]invalid(:[0-9]+)?/", image) is None


def kept(pod: Pod) -> bool:
    """True for a pod whose status is written by this process and not by kwok's quick stages."""
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
    return kong(pod) is not None or not all(pullable(str(item["image"])) for item in containers)


def _with_variable(pod: Pod, wanted: Any) -> Container | None:
    for container in pod["spec"]["containers"]:
        if any(wanted(str(item["name"])) for item in container.get("env", [])):
            return dict(container)
    return None


def _is_agent(image: str) -> bool:
    path = image.split("@")[0]
    repository = path.rsplit(":", 1)[0] if ":" in path.rsplit("/", 1)[-1] else path
    return repository.split("/")[-1] == "traceable-agent" or "traceableai" in repository.split("/")[:-1]
