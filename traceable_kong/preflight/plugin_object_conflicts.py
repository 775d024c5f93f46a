"""KongClusterPlugins that collide with this stack's: of two global ones, the ingress controller drops both."""

from collections.abc import Iterator

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, annotations_of, labels_of, name_of
from traceable_kong.cluster.ownership import STACK_LABEL, handover_label, is_owned
from traceable_kong.common.commands import config_set
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.preflight.cached_reader import CachedReader, plugins_of
from traceable_kong.preflight.conflicts import GUIDE
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.installation_record import recorded
from traceable_kong.preflight.other_owners import ways_out


def no_plugin_is_left_over(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """This stack has no KongClusterPlugin but the configured one and the recorded one.

    The recorded one is in the stack's state: after a rename, the engine deletes it first. Any other one was left by an
    interrupted rename that was taken back, and no update would ever delete it.
    """
    resource = gateway.plugin.custom_resource
    if resource is None or not gateway.installed:
        return  # An uninstall deletes all of them.
    for item in plugins_of(reader, plan.owner):
        name = name_of(item)
        if name not in (resource.name, recorded(reader, plan).get("pluginObject")):
            yield Finding(
                subject=f"kongclusterplugin {name}",
                problem="was left by an interrupted update of this stack, and no update would ever delete it. Of two "
                "global plugins, the ingress controller drops both",
                fix=f"Delete it: `kubectl delete kongclusterplugin {name}`. Or use its name: "
                f"`{config_set('plugin.name', name)}`",
            )


def no_second_global_plugin(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """There is no other global plugin of this name and class: the ingress controller would drop both."""
    plugin, resource = gateway.plugin, gateway.plugin.custom_resource
    if resource is None or not plugin.everywhere:
        return
    for item in reader.list(CLUSTER_PLUGINS):
        name = name_of(item)
        if (
            item.get("plugin") == plugin.name
            and name != resource.name
            and not is_owned(labels_of(item), plan.owner)
            and labels_of(item).get("global") == "true"
            and annotations_of(item).get(INGRESS_CLASS) == resource.ingress_class
        ):
            owner, selected = labels_of(item).get(STACK_LABEL), f"`{config_set('scope', 'selected')}`"
            yield Finding(
                subject=f"kongclusterplugin {name}",
                problem=f"is another global {plugin.name} of the ingress class {resource.ingress_class}. "
                "The ingress controller drops both, and no request would be protected",
                fix=ways_out(
                    plan, owner, instead=f"Use another kong.ingressClass, or protect selected routes only: {selected}"
                )
                if owner
                else f"Delete it: `kubectl delete kongclusterplugin {name}`. Or protect selected routes only: "
                f"{selected}. Or let this stack manage it: "
                f"`{config_set('plugin.name', name)}` and `kubectl label kongclusterplugin {name} "
                f"{STACK_LABEL}={handover_label(plan.owner)}` ({GUIDE})",
            )
