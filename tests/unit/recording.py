"""Runs Pulumi code on a monitor that writes down what is registered: parents, dependencies, options and secrets.

Pulumi's own mocks show types, names and inputs; which resource waits for which, and which leaf is secret, is only in
the requests to the monitor. Leaves out everything that an engine or a cluster would do.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

PROJECT = "traceable-kong"
STACK = "test"


class Secret:
    """A leaf that was registered as secret."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class Registration:
    """One registered (or read) resource; other resources are named by their logical names."""

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    dependencies: frozenset[str] = frozenset()
    deleted_with: str = ""
    delete_before_replace: bool = False
    additional_secret_outputs: tuple[str, ...] = ()
    create_timeout: str = ""
    update_timeout: str = ""
    provider: str = ""
    read: bool = False


@dataclass
class Recording:
    """What a program registered, in order, and what it exported."""

    registrations: list[Registration] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Registration:
        found = [item for item in self.registrations if item.name == name]
        assert len(found) == 1, f"{name}: {len(found)} of {sorted(item.name for item in self.registrations)}"
        return found[0]

    def of_type(self, suffix: str) -> list[Registration]:
        return [item for item in self.registrations if item.type.endswith(suffix)]

    def waits_for(self, name: str, other: str) -> bool:
        """True when `name`, or a component around it, waits for `other`, directly or over others."""
        seen: set[str] = set()
        open_names = [name]
        while open_names:
            current = open_names.pop()
            if current in seen or not current:
                continue
            seen.add(current)
            registration = self[current]
            open_names += [*registration.dependencies, registration.parent]
        return other in seen - {name}

    def secrets(self) -> Iterator[tuple[str, tuple[str, ...], Any]]:
        """Name, path and value of every secret leaf."""
        for item in self.registrations:
            yield from ((item.name, path, value) for path, value in _secrets(item.inputs, ()))


def _secrets(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Secret):
        yield path, value.value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets(item, (*path, str(index)))


def _plain(value: Any) -> Any:
    """What the engine is sent, as Python: the SDK's own reading spreads a secret leaf over everything around it."""
    if isinstance(value, Mapping):
        if rpc._special_secret_sig in value.values():
            return Secret(_plain(value["value"]))
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _logical_name(urn: str) -> str:
    return urn.split("::")[-1] if urn else ""


class _Mocks(mocks.Mocks):
    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ == "kubernetes:helm.sh/v3:Release":
            outputs["status"] = {"revision": 1}
        return args.resource_id or f"{args.name}-id", outputs


class _RecordingMonitor(mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(_Mocks())
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            parent = _logical_name(request.parent)
            self.recording.registrations.append(
                Registration(
                    type=request.type,
                    name=request.name,
                    parent="" if request.parent.count("pulumi:pulumi:Stack::") else parent,
                    inputs=_plain(json_format.MessageToDict(request.object)),
                    dependencies=frozenset(_logical_name(urn) for urn in request.dependencies),
                    deleted_with=_logical_name(request.deletedWith),
                    delete_before_replace=request.deleteBeforeReplace,
                    additional_secret_outputs=tuple(request.additionalSecretOutputs),
                    create_timeout=request.customTimeouts.create,
                    update_timeout=request.customTimeouts.update,
                    provider=request.provider,
                )
            )
        return super().RegisterResource(request)

    def ReadResource(self, request: Any) -> Any:
        self.recording.registrations.append(
            Registration(
                type=request.type,
                name=request.name,
                parent=_logical_name(request.parent),
                inputs={"id": request.id},
                dependencies=frozenset(_logical_name(urn) for urn in request.dependencies),
                provider=request.provider,
                read=True,
            )
        )
        return super().ReadResource(request)


def record(program: Callable[[], object], *, config: Mapping[str, str] | None = None) -> Recording:
    """Runs `program` to its end and returns what it registered."""
    recording = Recording()
    # A loop of its own for every program: what one leaves behind must not wait in the next one's.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(_Mocks(), project=PROJECT, stack=STACK, preview=False, monitor=_RecordingMonitor(recording))
        SETTINGS.rpc_manager.clear()
        pulumi.runtime.set_all_config(dict(config or {}))
        loop.run_until_complete(run_pulumi_func(lambda: program() and None))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return recording
