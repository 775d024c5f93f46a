"""Serves a provider plugin: takes the engine's address as an argument and prints its own port."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import grpc.aio

from local.provider.sdk_protocol import CHANNEL_OPTIONS, plugin_pb2, provider_pb2_grpc

ENGINE_INTERVAL_SECONDS = 1.0


class PluginServicer(provider_pb2_grpc.ResourceProviderServicer):
    """What every plugin answers alike."""

    def __init__(self, version: str) -> None:
        self._version = version

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._version)


MakeServicer = Callable[[str], provider_pb2_grpc.ResourceProviderServicer]


def main(make: MakeServicer) -> None:
    """Serves the servicer that `make` returns for the engine's address, until the engine stops."""
    arguments = [each for each in sys.argv[1:] if not each.startswith("-")]
    asyncio.run(_serve(make, arguments[0] if arguments else ""))


async def _serve(make: MakeServicer, engine_address: str) -> None:
    server = grpc.aio.server(options=CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(make(engine_address), server)
    # The engine waits until an interrupted plugin has ended. A Go program ends at once, and this one takes no longer.
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, os._exit, 0)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await _engine_gone()
    # Threads may still run operations whose results nobody reads.
    os._exit(1)


async def _engine_gone() -> None:
    """Returns when the parent process has ended. A killed engine sends no message."""
    engine = os.getppid()
    while os.getppid() == engine:
        await asyncio.sleep(ENGINE_INTERVAL_SECONDS)
