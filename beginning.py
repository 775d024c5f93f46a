"""What comes before the first resource: everything that can be refused, so that nothing is registered unless it holds.

Leaves out the resources (`__main__.py`) and what they are given (`plan.py`).
"""

import pulumi

import adoption
import cluster
import ownership
import settings
from gates.opening import open_or_refuse
from plan import Plan, plan
from plan_gateway import existing_deployment
from plan_preflight import intent
from rock_download import load_rock
from shared_agent import sidecar_settings


def begin() -> tuple[cluster.Cluster, Plan]:
    """The cluster, and the plan for it. Raises pulumi.RunError; nothing was touched then."""
    config = settings.load()
    target = cluster.configured()
    target.refuse_unless_allowed(config.allowed_clusters)
    rock = load_rock(config.plugin)
    theirs = existing_deployment(config)
    selector = target.selector_of(config.kong.namespace, theirs) if theirs else None
    owner = ownership.stack_id(pulumi.get_project(), pulumi.get_stack())
    given = sidecar_settings(config, target)
    adopting = adoption.to_adopt(config, target)
    planned = plan(
        config,
        rock,
        owner,
        given,
        cluster_options=target.command_options,
        selector=selector,
        adopting=adopting,
    )
    open_or_refuse(target, intent(config, rock, planned, live_change=not pulumi.runtime.is_dry_run()))
    return target, planned
