"""The role of each container of a pod: Kong, ingress controller, migration, PostgreSQL, agent or TME.

Roles are recognized by public facts: Kong by its variables, its migrations by their command, its ingress controller by
variables named CONTROLLER_, PostgreSQL by the name of its image, Traceable's agent and TME by theirs
(https://hub.docker.com/u/traceableai). kwok_stages.yaml has the same rules for the pods that kwok must leave alone.
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
    """Returns the container that runs Kong. A Job's container (a migration) is not one."""
    if any(owner.get("kind") == "Job" for owner in pod["metadata"].get("ownerReferences", [])):
        return None
    return _with_variable(pod, lambda name: name in KONG_PROPERTIES)


def ingress_controller(pod: Pod) -> Container | None:
    """Returns the container of the ingress controller if it is in the same pod as its Kong."""
    return _with_variable(pod, lambda name: name.startswith("CONTROLLER_")) if kong(pod) else None


def migration(container: Container) -> str | None:
    """Returns the command after `kong migrations`, or None if the container runs something else."""
    words = " ".join(str(word) for word in [*container.get("command", []), *container.get("args", [])])
    found = re.search(rf"\bkong migrations ({'|'.join(MIGRATIONS)})\b", words)
    return found[1] if found else None


def waits_for_kong(container: Container) -> bool:
    """Returns True for an init container that waits until Kong can start, as the kong chart's `wait-for-db`."""
    return any("until kong start" in str(word) for word in container.get("args", []))


def is_postgres(container: Container) -> bool:
    """Returns True for PostgreSQL's official image, from any registry."""
    return _repository(str(container["image"])).split("/")[-1] == "postgres"


def is_enterprise(container: Container) -> bool:
    """Returns True for the image of Kong Gateway Enterprise."""
    return _repository(str(container["image"])).split("/")[-1] == "kong-gateway"


def traceable_containers(pod: Pod) -> list[Container]:
    """Returns the containers that run Traceable's agent. As a sidecar of Kong, it is the TME."""
    return [item for item in pod["spec"]["containers"] if _is_agent(str(item["image"]))]


def is_pullable(image: str) -> bool:
    """Returns False for an image from a registry in `.invalid`, a domain that never exists (RFC 2606)."""
    return re.match(r"[^/]+[.]invalid(:[0-9]+)?/", image) is None


def needs_kubelet(pod: Pod) -> bool:
    """Returns True for a pod whose status this process writes, and not kwok."""
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
    simulated = [item for item in pod["spec"]["containers"] if migration(item) or is_postgres(item)]
    return bool(kong(pod) or simulated) or not all(is_pullable(str(item["image"])) for item in containers)


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
