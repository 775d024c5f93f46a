"""Starts the plugin as the engine does."""

from local.provider import serving
from local.random_provider.servicer import RandomServicer

VERSION = "4.21.4"
"""Of the official plugin, whose SDK it serves."""

if __name__ == "__main__":
    serving.main(lambda engine_address: RandomServicer(engine_address, VERSION))
