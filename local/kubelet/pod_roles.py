"""Which containers of a pod have something simulated or real behind them. Pure.

Told by what is public of them: Kong by its own properties in the environment, its migrations by their command, its
ingress controller by variables named CONTROLLER_, PostgreSQL by the name of its image, Traceable's agent and TME by
theirs (https://hub.docker.com/u/traceableai). kwok_stages.yaml has the same rules for the pods that kwok leaves alone.
"""

import re
from typing import Any

Pod = dict[str, Any]
Container = dict[str, Any]

KONG_PROPERTIES = ("KONG_DATABASE", "KONG_ADMIN_LISTEN", "KONG_PROXY_LISTEN", "KONG_PLUGINS")
MIGRATIONS = ("bootstrap", "up", "finish")
AGENT_PORT = 5442
POSTGRES_PORT = 5432


def kong(pod: Pod) -> Container | None:
    """The container that runs Kong; a Job's (a migration) does not go on running, so it is none."""
    if any(owner.get("kind") == "Job" for owner in pod["metadata"].get("ownerReferences", [])):
        return None
    return _with_variable(pod, lambda name: name in KONG_PROPERTIES)


def ingress_controller(pod: Pod) -> Container | None:
    """The container of the ingress controller, where it lies beside its Kong."""
    return _with_variable(pod, lambda name: name.startswith("CONTROLLER_")) if kong(pod) else None


def migration(container: Container) -> str | None:
    """The command after `kong migrations`, None where the container runs something else."""
    words = " ".join(str(word) for word in [*container.get("command", []), *container.get("args", [])])
    found = re.search(rf"\bkong migrations ({'|'.join(MIGRATIONS)})\b", words)
    return found[1] if found else None


def waits_for_kong(container: Container) -> bool:
    """True for an init container that tries until a Kong starts, as the kong chart's `wait-for-db`."""
    return any("until kong start" in str(word) for word in container.get("args", []))


def is_postgres(container: Container) -> bool:
    """True for PostgreSQL's official image, wherever it is taken from."""
    return _repository(str(container["image"])).split("/")[-1] == "postgres"


def is_enterprise(container: Container) -> bool:
    """True for the image of Kong's Enterprise edition."""
    return _repository(str(container["image"])).split("/")[-1] == "kong-gateway"


def traceable_containers(pod: Pod) -> list[Container]:
    """The containers that run Traceable's agent, which as a sidecar is the TME."""
    return [item for item in pod["spec"]["containers"] if _is_agent(str(item["image"]))]


def is_pullable(image: str) -> bool:
    """False for an image of a registry below `.invalid`: that name never exists (RFC 2606), whatever the network."""
    return re.match(r"[^/]+[.]invalid(:[0-9]+)?/", image) is None


def needs_kubelet(pod: Pod) -> bool:
    """True for a pod whose status is written by this process and not by kwok's quick stages."""
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
    ours = [item for item in pod["spec"]["containers"] if migration(item) or is_postgres(item)]
    return bool(kong(pod) or ours) or not all(is_pullable(str(item["image"])) for item in containers)


def _with_variable(pod: Pod, wanted: Any) -> Container | None:
    for container in pod["spec"]["containers"]:
        if any(wanted(str(item["name"])) for item in container.get("env", [])):
            return dict(container)
    return None


def _repository(image: str) -> str:
    path = image.split("@")[0]
    return path.rsplit(":", 1)[0] if ":" in path.rsplit("/", 1)[-1] else path


def _is_agent(image: str) -> bool:
    repository = _repository(image)
    return repository.split("/")[-1] == "traceable-agent" or "traceableai" in repository.split("/")[:-1]
