"""Starts the plugin as the engine does."""

from local.provider import plugin_server
from local.provider.kubernetes.kubernetes_servicer import KubernetesServicer

VERSION = "4.34.2"
"""Of the official plugin, whose SDK it serves."""

if __name__ == "__main__":
    plugin_server.main(lambda engine_address: KubernetesServicer(engine_address, VERSION))
