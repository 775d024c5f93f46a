"""Kong's next pods, as checks read them: from an existing Deployment, or from the rendering of a managed one."""

from collections.abc import Mapping

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import container_of, variables
from traceable_kong.common.commands import config_remove
from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway
from traceable_kong.preflight.cached_reader import CachedReader


def kong_container(reader: CachedReader, gateway: Gateway) -> Document | None:
    """Kong's container; None if there is none, and for a managed Kong that was judged before."""
    found = reader.next_deployment(gateway.kong)
    return container_of(found["spec"]["template"]["spec"], gateway.kong.deployment.container) if found else None


def kong_variables(reader: CachedReader, gateway: Gateway) -> Mapping[str, str | None] | None:
    """The variables of Kong's container, None for a value from elsewhere; None if there is no such container."""
    found = kong_container(reader, gateway)
    return variables(found) if found is not None else None


def setting_of(gateway: Gateway, variable: str) -> str:
    """Where a variable of Kong's container is set: the key in the config where there is one, or its own name."""
    keys = [key for key, name, _ in _values(gateway) if name == variable]
    return keys[-1] if keys else variable


def setting_is(gateway: Gateway, variable: str, value: str) -> str:
    """Where a variable is set, and its value, for a message."""
    return f"{setting_of(gateway, variable)} is {value!r}"


def removal_of(gateway: Gateway, variable: str) -> str:
    """How to remove a variable of Kong's container."""
    where = setting_of(gateway, variable)
    if isinstance(gateway.kong, ManagedKong):
        return f"Remove it: `{config_remove(where)}`" if where != variable else f"Remove what sets {variable}"
    return f"Remove {variable} from the container's env"


def _values(gateway: Gateway) -> list[tuple[str, str, object]]:
    return environment(gateway.kong.release.values) if isinstance(gateway.kong, ManagedKong) else []
