"""Names of objects that two components of one program would both create in one cluster.

The cluster cannot show it before the first update: preflight finds what exists. Each of the two would then overwrite
or refuse what the other one creates.
"""

from collections.abc import Iterator

from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.safe_text import PlainError
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.conflicts import owned_objects
from traceable_kong.preflight.release_checks import another_release
from traceable_kong.program.run_registry import run_registry


class ClaimedName(PlainError):
    """Another component of the program creates an object of the same name."""


def claim(plan: Plan, component: str, cluster: ClusterTarget) -> None:
    """Notes what the component creates. Raises ClaimedName."""
    taken = run_registry().names
    for subject, instead, consequence in _names(plan):
        other = taken.setdefault((cluster.address, subject), component)
        if other != component:
            raise ClaimedName(
                f"{component} and {other} would both create {subject}, and {consequence}. Nothing was changed. "
                f"{instead}."
            )


_OVERWRITTEN = "each would overwrite or refuse what the other one creates"


def _names(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """The name of everything that a plan creates, how to choose another, and what would happen to two of that name."""
    for release in plan.releases:
        yield f"Helm release {release.namespace}/{release.name}", another_release(release, plan), _OVERWRITTEN
    for item in owned_objects(plan):
        where = f" in namespace {item.namespace}" if item.namespace else ""
        yield f"{item.subject}{where}", item.instead, _OVERWRITTEN
    if plan.gateway:
        yield from _cluster_wide(plan.gateway)


def _cluster_wide(gateway: Gateway) -> Iterator[tuple[str, str, str]]:
    """What Kong's chart creates (kong 3.4.1), and what the ingress controllers of one class share."""
    kong, plugin = gateway.kong, gateway.plugin
    if isinstance(kong, ManagedKong):
        yield f"clusterrole {kong.deployment.name}", "Set another kong.release", "Helm would refuse the second one"
    if plugin.custom_resource and plugin.everywhere and gateway.installed:
        subject = f"a global {plugin.name} plugin of the ingress class {plugin.custom_resource.ingress_class}"
        yield subject, "Set another kong.ingressClass", "Kong's ingress controllers would drop both"
