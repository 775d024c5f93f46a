"""Checks whether the plugin is written as configured: a KongClusterPlugin, or an entity in Kong's database. Pure."""

from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.plugin_model import KongClusterPlugin, PluginEntity
from traceable_kong.verification.observation import Observation
from traceable_kong.verification.plugin_entity_checks import written_entity
from traceable_kong.verification.plugin_object_checks import written_object
from traceable_kong.verification.report import Check
from traceable_kong.verification.written_plugin import WrittenPlugin


def plugin_check(desired: DesiredState, observed: Observation) -> Check:
    """The plugin as it is written: for a moment, a Kong can still use what it loaded before."""
    written = _written(desired, observed)
    if desired.installed:
        problem, fix = written.unreadable or "; ".join(written.differences), written.fix
    else:
        problem, fix = written.unreadable or ("it exists" if written.exists else ""), "`pulumi up`"
    return Check(
        pod="",
        name="object",
        ok=not problem,
        expected=f"{written.name} as this stack writes it" if desired.installed else f"no {written.name}",
        found=problem or "that",
        fix=fix,
        permanent=desired.installed and not written.unreadable,
    )


def _written(desired: DesiredState, observed: Observation) -> WrittenPlugin:
    match desired.plugin.backend:
        case KongClusterPlugin() as resource:
            return written_object(desired.plugin, resource, observed.plugin)
        case PluginEntity() as entity:
            schemas = (pod.kong.schema for pod in observed.serving if not isinstance(pod.kong, str))
            schema = next((item for item in schemas if item), None)
            return written_entity(desired.plugin, entity, observed.entity, schema)
