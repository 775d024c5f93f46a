"""The program that the engine starts as the kubernetes plugin."""

from local.provider import plugin_server
from local.provider.kubernetes.kubernetes_servicer import KubernetesServicer

VERSION = "4.34.2"
"""The version of the official plugin whose SDK this serves."""

if __name__ == "__main__":
    plugin_server.main(lambda engine_address: KubernetesServicer(engine_address, VERSION))
