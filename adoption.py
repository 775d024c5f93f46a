"""Which Helm releases are imported in this run: those that the stack shall take over, and that are nobody's yet.

One that carries the mark is in the state already, or the state was lost: then it is not imported, and what is asked
before a creation refuses it (gates/unrecorded.py). Whether a release can be taken over is preflight's question
(preflight/adoption.py).
"""

import kube
from cluster import Cluster
from plan_agent import AGENT_RELEASE
from preflight.adoption import is_nobodys
from settings import Settings


def to_adopt(settings: Settings, cluster: Cluster) -> frozenset[str]:
    """`kong`, `agent`, both or neither."""
    kong, agent = settings.kong, settings.agent
    wanted = [("kong", kong.namespace, kong.release)] if kong.install and kong.adopt else []
    if agent.install and agent.adopt and settings.installed:
        wanted.append(("agent", agent.namespace, AGENT_RELEASE))
    try:
        return frozenset(key for key, namespace, name in wanted if is_nobodys(cluster.api, namespace, name))
    except (kube.ApiError, kube.Unreachable):
        return frozenset()  # Preflight, which asks for the same, says so.
