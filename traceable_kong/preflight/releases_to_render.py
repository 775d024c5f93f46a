"""Which charts have to be rendered: what this stack's record says was deployed was judged before."""

from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import HelmRelease
from traceable_kong.plan.state_record import record_data, release_digests
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.installation_record import recorded

JUDGED_WITH = ("mode", "enabled", "adminApi", "ingressClass", "deployment", "agentNamespace")
"""Keys of the record: whether there must be an injector, which credentials for Kong's Admin API the stack has, and the
class, name and namespace that the objects must have. A value of the chart can fix those, and then stays the same."""


def releases_to_render(plan: Plan, reader: CachedReader) -> tuple[HelmRelease, ...]:
    """The Helm releases of the stack whose chart or values are not those in its record.

    All of them where something else is not what was recorded that the checks of a rendering read, too.
    """
    try:
        data = recorded(reader, plan)
    except Unreachable:
        return ()  # Preflight will not reach the cluster either, and reports it.
    except ApiError:
        data = {}
    wanted = record_data(plan) or {}
    if any(data.get(key) != wanted.get(key) for key in JUDGED_WITH):
        return plan.releases
    return tuple(release for release in plan.releases if not release_digests(release).items() <= data.items())
