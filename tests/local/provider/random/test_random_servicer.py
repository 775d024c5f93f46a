"""The random plugin as the engine starts it: over gRPC, in its own process."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from local import paths
from local.provider.property_values import UNKNOWN, Secret, decode, encode
from local.provider.random import random_password

URN = f"urn:pulumi:test::project::a:b:Component${random_password.TYPE}::name"


class Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.said: list[str] = []

    def Log(self, request: Any, context: Any) -> Any:
        self.said.append(request.message)
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def plugin(engine: Engine) -> Iterator[Any]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    process = subprocess.Popen(
        [sys.executable, "-m", "local.provider.random", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        cwd=paths.CLONE,
        text=True,
    )
    assert process.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    process.terminate()
    process.wait()
    process.stdout.close()
    server.stop(None)


def test_the_life_of_a_password(plugin: Any, engine: Engine) -> None:
    plugin.Configure(provider_pb2.ConfigureRequest(), timeout=10)
    assert [said for said in engine.said if "random provider plugin in this run is a STAND-IN" in said]
    inputs = {"length": 24, "special": False}
    checked = plugin.Check(provider_pb2.CheckRequest(urn=URN, news=encode(inputs)), timeout=10)
    assert not checked.failures and decode(checked.inputs) == inputs

    preview = plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=checked.inputs, preview=True), timeout=10)
    assert preview.id == "" and decode(preview.properties)["result"] == Secret(UNKNOWN)
    created = plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=checked.inputs), timeout=10)
    password = decode(created.properties)["result"]
    assert created.id == "none" and isinstance(password, Secret) and len(password.value) == 24

    read = provider_pb2.ReadRequest(id="none", urn=URN, properties=created.properties, inputs=checked.inputs)
    assert decode(plugin.Read(read, timeout=10).properties) == decode(created.properties)

    def difference(news: dict[str, Any]) -> Any:
        request = provider_pb2.DiffRequest(id="none", urn=URN, olds=created.properties, news=encode(news))
        return plugin.Diff(request, timeout=10)

    assert difference(inputs).changes == provider_pb2.DiffResponse.DIFF_NONE
    longer = difference({**inputs, "length": 25})
    assert list(longer.replaces) == ["length"] and not longer.deleteBeforeReplace
    assert longer.detailedDiff["length"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE

    imported = plugin.Read(provider_pb2.ReadRequest(id="existing", urn=URN), timeout=10)
    assert (imported.id, decode(imported.properties)["result"]) == ("none", Secret("existing"))
    plugin.Delete(provider_pb2.DeleteRequest(id="none", urn=URN, properties=created.properties), timeout=10)


def test_unsupported_resources_are_rejected(plugin: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        plugin.Check(provider_pb2.CheckRequest(urn=URN.replace("Password", "Id")), timeout=10)
    assert "use the official plugin" in refused.value.details()
    failed = plugin.Check(provider_pb2.CheckRequest(urn=URN, news=encode({"length": 0})), timeout=10)
    assert [item.property for item in failed.failures] == ["length"]
