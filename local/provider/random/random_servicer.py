"""The gRPC service of the random plugin. `random_password` has its logic."""

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2

from local.provider.engine_log import EngineLog
from local.provider.plugin_server import PluginServicer
from local.provider.property_values import decode, encode
from local.provider.random import random_password
from local.provider.sdk_protocol import provider_pb2


class RandomServicer(PluginServicer):
    """One plugin process."""

    def __init__(self, engine_address: str, version: str) -> None:
        super().__init__(version)
        self._engine_log = EngineLog(engine_address, "random")

    async def Configure(self, request: Any, context: Any) -> Any:
        self._engine_log.notice()
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    async def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Check(self, request: Any, context: Any) -> Any:
        kind = request.urn.split("::")[2].split("$")[-1]
        if kind != random_password.TYPE:
            message = f"the stand-in random plugin has no {kind}; use the official plugin"
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, message)
        found = random_password.failures(decode(request.news))
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in found.items()],
        )

    async def Diff(self, request: Any, context: Any) -> Any:
        old, new, ignored = decode(request.olds), decode(request.news), set(request.ignoreChanges)
        found = {name: again for name, again in random_password.changed(old, new).items() if name not in ignored}
        some = provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some,
            replaces=[name for name, again in found.items() if again],
            detailedDiff={name: provider_pb2.PropertyDiff(kind=_kind(old, new, name, found)) for name in found},
            hasDetailedDiff=True,
        )

    async def Create(self, request: Any, context: Any) -> Any:
        try:
            state = random_password.created(decode(request.properties), preview=request.preview)
        except ValueError as problem:
            await context.abort(grpc.StatusCode.UNKNOWN, f"Random Read Error: {problem}")
        return provider_pb2.CreateResponse(id="" if request.preview else random_password.ID, properties=encode(state))

    async def Update(self, request: Any, context: Any) -> Any:
        state = random_password.updated(decode(request.olds), decode(request.news))
        return provider_pb2.UpdateResponse(properties=encode(state))

    async def Read(self, request: Any, context: Any) -> Any:
        if request.properties.fields:
            return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        state, inputs = random_password.imported(request.id)
        return provider_pb2.ReadResponse(id=random_password.ID, properties=encode(state), inputs=encode(inputs))

    async def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def GetSchema(self, request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the stand-in random plugin has no schema")

    async def Invoke(self, request: Any, context: Any) -> Any:
        message = f"the stand-in random plugin has no function {request.tok}; use the official plugin"
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, message)


def _kind(old: Mapping[str, Any], new: Mapping[str, Any], name: str, found: Mapping[str, bool]) -> Any:
    kinds = provider_pb2.PropertyDiff
    was, wanted = old.get(name) is not None, new.get(name) is not None
    if found[name]:
        return kinds.UPDATE_REPLACE if was and wanted else kinds.ADD_REPLACE if wanted else kinds.DELETE_REPLACE
    return kinds.UPDATE if was and wanted else kinds.ADD if wanted else kinds.DELETE
