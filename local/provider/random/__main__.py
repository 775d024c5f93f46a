"""The program that the engine starts as the random plugin."""

from local.provider import plugin_server
from local.provider.random.random_servicer import RandomServicer

VERSION = "4.21.4"
"""The version of the official plugin whose SDK this serves."""

if __name__ == "__main__":
    plugin_server.main(lambda engine_address: RandomServicer(engine_address, VERSION))
