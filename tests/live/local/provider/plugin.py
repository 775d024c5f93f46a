"""Drives a provider plugin over gRPC as the engine does: check, diff, create, read, update, delete."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

from local.provider.property_values import decode, encode, plain

CLONE = Path(__file__).parents[4]
CALL_TIMEOUT_SECONDS = 90
STACK, PROJECT = "test", "conformance"


class Failure(Exception):
    """A call failed. `state`, `resource_id` and `reasons` are those of a partially created resource."""

    def __init__(self, problem: grpc.RpcError) -> None:
        super().__init__(problem.details())
        self.state: dict[str, Any] | None = None
        self.resource_id = ""
        self.reasons: list[str] = []
        for name, value in problem.trailing_metadata() or ():
            if name == "grpc-status-details-bin":
                status = status_pb2.Status.FromString(value)
                for detail in status.details:
                    partial = provider_pb2.ErrorResourceInitFailed()
                    if detail.Unpack(partial):
                        self.state, self.resource_id = decode(partial.properties), partial.id
                        self.reasons = list(partial.reasons)


class _Engine(engine_pb2_grpc.EngineServicer):
    """The part of the engine that a plugin talks to: its log."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def Log(self, request: Any, context: Any) -> Any:
        self.log.append(request.message)
        return empty_pb2.Empty()


@dataclass(frozen=True)
class Difference:
    """The response to a diff: kinds of change by path, with the engine's names."""

    paths: dict[str, str]
    replaces: list[str]
    delete_first: bool
    changed: bool


class Plugin:
    """A running plugin, configured once."""

    def __init__(self, environment: Mapping[str, str], directory: Path, **arguments: str) -> None:
        self._engine = _Engine()
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        engine_pb2_grpc.add_EngineServicer_to_server(self._engine, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        program = os.environ.get("PULUMI_KUBERNETES_PLUGIN")
        command = [program] if program else [sys.executable, "-m", "local.provider.kubernetes"]
        self.process = subprocess.Popen(
            [*command, f"127.0.0.1:{port}"],
            stdout=subprocess.PIPE,
            stderr=(directory / "plugin.log").open("a"),
            text=True,
            cwd=directory,
            env={**environment, "PYTHONPATH": str(CLONE)},
        )
        assert self.process.stdout is not None
        answer = self.process.stdout.readline().strip()
        assert answer, (directory / "plugin.log").read_text()
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        options = [("grpc.max_receive_message_length", 100 * 1024 * 1024)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{answer}", options)
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        variables = {f"kubernetes:config:{name}": value for name, value in arguments.items()}
        self.call(
            "Configure",
            provider_pb2.ConfigureRequest(
                variables=variables,
                args=encode(arguments),
                acceptSecrets=True,
                acceptResources=True,
                sends_old_inputs=True,
            ),
        )

    @property
    def log(self) -> list[str]:
        """The messages that the plugin has logged."""
        return self._engine.log

    def call(self, name: str, request: Any) -> Any:
        """Calls one RPC. Raises Failure."""
        try:
            return getattr(self._stub, name)(request, timeout=CALL_TIMEOUT_SECONDS)
        except grpc.RpcError as problem:
            raise Failure(problem) from None

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Calls a function of the plugin, such as `helm:template`. Raises Failure."""
        answer = self.call("Invoke", provider_pb2.InvokeRequest(tok=f"kubernetes:{token}", args=encode(arguments)))
        return decode(getattr(answer, "return"))

    def cancel(self) -> None:
        """Sends what the engine sends when the user presses Ctrl-C."""
        self._stub.Cancel(empty_pb2.Empty(), timeout=10)

    def stop(self) -> None:
        """Stops the plugin."""
        self._channel.close()
        self.process.kill()
        self.process.wait()
        self._server.stop(None)

    def resource(self, token: str, name: str = "it") -> "Resource":
        """Returns a resource that does not exist yet, such as `core/v1:ConfigMap`."""
        return Resource(self, f"kubernetes:{token}", name)


@dataclass
class Resource:
    """One resource as the engine keeps it: id, inputs and state. They are empty until it is created."""

    plugin: Plugin
    token: str
    name: str
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    replacement: bool = False

    @property
    def urn(self) -> str:
        return f"urn:pulumi:{STACK}::{PROJECT}::{self.token}::{self.name}"

    @property
    def live(self) -> Any:
        """The state without secret marks."""
        return plain(self.state)

    def check(self, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Returns the checked inputs, and why they are rejected."""
        answer = self.plugin.call(
            "Check",
            provider_pb2.CheckRequest(
                urn=self.urn,
                olds=encode({} if self.replacement else self.inputs),
                news=encode(inputs),
                randomSeed=os.urandom(32),
                name=self.name,
                type=self.token,
            ),
        )
        return decode(answer.inputs), [each.reason for each in answer.failures]

    def checked(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the checked inputs, which must be accepted."""
        result, failures = self.check(inputs)
        assert not failures
        return result

    def diff(self, inputs: Mapping[str, Any], *, ignore: tuple[str, ...] = ()) -> Difference:
        """Returns what an update to these (unchecked) inputs would change."""
        answer = self.plugin.call(
            "Diff",
            provider_pb2.DiffRequest(
                id=self.id,
                urn=self.urn,
                olds=encode(self.state),
                news=encode(self.checked(inputs)),
                old_inputs=encode(self.inputs),
                ignoreChanges=ignore,
                name=self.name,
                type=self.token,
            ),
        )
        kinds = {path: provider_pb2.PropertyDiff.Kind.Name(each.kind) for path, each in answer.detailedDiff.items()}
        changed = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Difference(kinds, list(answer.replaces), answer.deleteBeforeReplace, changed)

    def create(self, inputs: Mapping[str, Any], *, preview: bool = False, timeout_seconds: float = 0) -> Any:
        """Creates it and returns the new state. A preview does not change this object. Raises Failure."""
        checked = self.checked(inputs)
        request = provider_pb2.CreateRequest(
            urn=self.urn,
            properties=encode(checked),
            timeout=timeout_seconds,
            preview=preview,
            name=self.name,
            type=self.token,
        )
        try:
            answer = self.plugin.call("Create", request)
        except Failure as problem:
            if problem.state is not None:
                self.id, self.inputs, self.state = problem.resource_id, checked, problem.state
            raise
        state = decode(answer.properties)
        if not preview:
            self.id, self.inputs, self.state = answer.id, checked, state
        return state

    def update(
        self,
        inputs: Mapping[str, Any],
        *,
        preview: bool = False,
        timeout_seconds: float = 0,
        ignore: tuple[str, ...] = (),
    ) -> Any:
        """Updates it and returns the new state. A preview does not change this object. Raises Failure."""
        checked = self.checked(inputs)
        request = provider_pb2.UpdateRequest(
            id=self.id,
            urn=self.urn,
            olds=encode(self.state),
            news=encode(checked),
            old_inputs=encode(self.inputs),
            timeout=timeout_seconds,
            ignoreChanges=ignore,
            preview=preview,
            name=self.name,
            type=self.token,
        )
        try:
            answer = self.plugin.call("Update", request)
        except Failure as problem:
            if problem.state is not None and not preview:
                self.inputs, self.state = checked, problem.state
            raise
        state = decode(answer.properties)
        if not preview:
            self.inputs, self.state = checked, state
        return state

    def read(self) -> str:
        """Refreshes it and returns its id, empty if it does not exist. Raises Failure."""
        answer = self.plugin.call(
            "Read",
            provider_pb2.ReadRequest(
                id=self.id,
                urn=self.urn,
                properties=encode(self.state),
                inputs=encode(self.inputs),
                name=self.name,
                type=self.token,
            ),
        )
        self.state, self.inputs = decode(answer.properties), decode(answer.inputs)
        return str(answer.id)

    def get(self, resource_id: str) -> str:
        """Reads an object without a state, as `.get` and an import do."""
        self.id, self.inputs, self.state = resource_id, {}, {}
        return self.read()

    def delete(self, *, timeout_seconds: float = 0) -> None:
        """Deletes it. Raises Failure."""
        self.plugin.call(
            "Delete",
            provider_pb2.DeleteRequest(
                id=self.id,
                urn=self.urn,
                properties=encode(self.state),
                timeout=timeout_seconds,
                old_inputs=encode(self.inputs),
                name=self.name,
                type=self.token,
            ),
        )
