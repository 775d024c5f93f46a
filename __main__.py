"""The whole installation, in the order in which it happens. Wiring only: `plan.py` says what the settings come to."""

import pulumi

import cluster
import settings
from components.agent import TraceableAgent
from components.installation import Installation
from components.kong import KongGateway
from components.kong_namespace import KongNamespace
from components.plugin import TraceablePlugin
from components.plugin_files import PluginFiles
from components.tme import TmeInjection
from plan import plan
from rock_download import load_rock

# First everything that can be refused: nothing is registered before all of it holds.
config = settings.load()
target = cluster.configured()
target.refuse_unless_allowed(config.allowed_clusters)
planned = plan(config, load_rock(config.plugin))

provider = target.provider("kubernetes")


def after(*steps: pulumi.Resource) -> pulumi.ResourceOptions:
    """A component's options: it waits until every part of these steps stands."""
    return pulumi.ResourceOptions(provider=provider, depends_on=list(steps))


agent = TraceableAgent("agent", args=planned.agent, opts=after())
namespace = KongNamespace("kong", args=planned.kong_namespace, opts=after())
files = PluginFiles("plugin-files", args=planned.plugin_files, opts=after(namespace))
gateway = KongGateway("gateway", args=planned.gateway, opts=after(files))


def inject_tme(*steps: pulumi.Resource) -> pulumi.Resource:
    return TmeInjection(
        "tme",
        args=planned.tme,
        namespace=namespace.made,
        release=gateway.release,
        opts=after(agent, gateway, *steps),
    )


def configure_plugin(*steps: pulumi.Resource) -> pulumi.Resource:
    return TraceablePlugin(
        "plugin",
        args=planned.plugin,
        kong_revision=gateway.revision,
        opts=after(agent, gateway, *steps),
    )


# The plugin may only call a TME that is there: it comes after the TME on the way in, and before it on the way out.
if planned.tme.wanted:
    tme = inject_tme()
    plugin = configure_plugin(tme)
else:
    plugin = configure_plugin()
    tme = inject_tme(plugin)

Installation("installation", args=planned.installation, opts=after(tme, plugin))

for key, value in planned.outputs.items():
    pulumi.export(key, value)
