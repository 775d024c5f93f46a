"""The engine's protocol, which is a part of the Python SDK, without the rest of the SDK.

Importing a module of a package imports the package first, and importing the SDK takes longer than everything else that
a plugin does before it answers.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def _without_the_rest() -> Iterator[None]:
    """Makes the packages around the protocol empty, unless the process has already imported the SDK."""
    found = importlib.util.find_spec("pulumi") if "pulumi" not in sys.modules else None
    if found is None or not found.submodule_search_locations:
        yield
        return
    for name, path in (("pulumi", ""), ("pulumi.runtime", "/runtime")):
        package = ModuleType(name)
        package.__path__ = [f"{folder}{path}" for folder in found.submodule_search_locations]
        sys.modules[name] = package
    try:
        yield
    finally:
        # A later import, for example in a test, gets the whole SDK.
        for name in [name for name in sys.modules if name.split(".")[0] == "pulumi"]:
            del sys.modules[name]


with _without_the_rest():
    from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS as CHANNEL_OPTIONS
    from pulumi.runtime.proto import (
        engine_pb2,
        engine_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
        status_pb2,
    )

__all__ = [
    "CHANNEL_OPTIONS",
    "engine_pb2",
    "engine_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "status_pb2",
]
