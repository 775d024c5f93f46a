"""Starts the plugin as the engine does: with the engine's address, answering with the port on standard output."""

import asyncio
import contextlib
import os
import sys

import grpc.aio
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from local.provider.servicer import KubernetesServicer

VERSION = "4.34.2"
"""Of the official plugin, whose SDK it serves."""

ENGINE_INTERVAL_SECONDS = 1.0


async def _serve(engine_address: str) -> None:
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(KubernetesServicer(engine_address, VERSION), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await _engine_gone()
    # Operations may hang in threads that nobody waits for any more.
    os._exit(1)


async def _engine_gone() -> None:
    """Returns when the process that started this one is gone: a killed engine sends no word of it."""
    engine = os.getppid()
    while os.getppid() == engine:
        await asyncio.sleep(ENGINE_INTERVAL_SECONDS)


def main() -> None:
    """Serves until the engine ends it."""
    arguments = [each for each in sys.argv[1:] if not each.startswith("-")]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments[0] if arguments else ""))


if __name__ == "__main__":
    main()
