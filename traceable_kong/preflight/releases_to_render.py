"""Which charts have to be rendered: what this stack's record says was deployed was judged before."""

from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import HelmRelease
from traceable_kong.plan.state_record import release_digests
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.installation_record import recorded


def releases_to_render(plan: Plan, reader: CachedReader) -> tuple[HelmRelease, ...]:
    """The Helm releases of the stack whose chart or values are not those in its record."""
    try:
        data = recorded(reader, plan)
    except Unreachable:
        return ()  # Preflight will not reach the cluster either, and reports it.
    except ApiError:
        data = {}
    return tuple(release for release in plan.releases if not release_digests(release).items() <= data.items())
