"""Starts the plugin as the engine does: with the engine's address, answering with the port on standard output."""

import asyncio
import contextlib
import sys

import grpc.aio
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from local.provider.servicer import KubernetesServicer

VERSION = "4.34.2"
"""Of the official plugin, whose SDK it serves."""


async def _serve(engine_address: str) -> None:
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(KubernetesServicer(engine_address, VERSION), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


def main() -> None:
    """Serves until the engine ends it."""
    arguments = [each for each in sys.argv[1:] if not each.startswith("-")]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments[0] if arguments else ""))


if __name__ == "__main__":
    main()
