"""Starts the plugin as the engine does."""

from local.provider import plugin_server
from local.provider.random.random_servicer import RandomServicer

VERSION = "4.21.4"
"""Of the official plugin, whose SDK it serves."""

if __name__ == "__main__":
    plugin_server.main(lambda engine_address: RandomServicer(engine_address, VERSION))
