"""Starts the plugin as the engine does."""

from local.provider import serving
from local.provider.servicer import KubernetesServicer

VERSION = "4.34.2"
"""Of the official plugin, whose SDK it serves."""

if __name__ == "__main__":
    serving.main(lambda engine_address: KubernetesServicer(engine_address, VERSION))
