"""Runs Pulumi code on a monitor that records all registrations: parents, dependencies, options, hooks and secrets.

Pulumi's own mocks show types, names and inputs. Dependencies, hooks, and which values are secret, are only in the
requests to the monitor.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

PROJECT = "traceable-kong"
STACK = "test"
STACK_ID = "traceable-kong.test-0a1b2c3d"
"""The stack id in the state of the recorded stack."""

DIGEST_KEY = "ab" * 16
"""The key of the recorded stack's digests."""


class Secret:
    """A value that was registered as secret."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class Registration:
    """One registered (or read) resource; it names other resources by their logical names."""

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
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`{before_create: names of hooks}`, without the occasions that have none."""
    provider: str = ""
    read: bool = False
    import_id: str = ""
    protect: bool = False


@dataclass
class Recording:
    """The registrations of a program in order, its hooks by name, and its invokes: token, arguments and provider.

    `answer` gives the result of an invoke, or raises RuntimeError. `first_update`: the stack has no state yet.
    `not_targets` are the outputs, as in the state, of resources that are not in `--target`.
    """

    registrations: list[Registration] = field(default_factory=list)
    hooks: dict[str, pulumi.ResourceHook] = field(default_factory=dict)
    invokes: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    answer: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda _: {}
    first_update: bool = False
    not_targets: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        return {item.name for item in self.registrations}

    def __getitem__(self, name: str) -> Registration:
        found = [item for item in self.registrations if item.name == name]
        assert len(found) == 1, f"{name}: {len(found)} of {sorted(self.names)}"
        return found[0]

    def of_type(self, suffix: str) -> list[Registration]:
        return [item for item in self.registrations if item.type.endswith(suffix)]

    def waits_for(self, name: str, other: str) -> bool:
        """Whether `name`, or a component around it, depends on `other`, directly or through others."""
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
        """Resource name, path and value of every secret."""
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
    """The inputs as Python values; the SDK's own conversion makes everything around a secret value secret."""
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
    """The engine's answers: a preview has no outputs that only an update computes."""

    def __init__(self, preview: bool, recording: "Recording") -> None:
        self.preview = preview
        self.recording = recording

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        self.recording.invokes.append((args.token, dict(args.args), args.provider or ""))
        try:
            return self.recording.answer(args.args), []
        except RuntimeError as refusal:
            return {}, [("", str(refusal))]

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ == "pulumi:index:Stash":
            kept = {"id": STACK_ID, "digestKey": DIGEST_KEY}
            outputs["output"] = outputs["input"] if self.recording.first_update else kept
        outputs |= self.recording.not_targets.get(args.name, {})
        if self.preview:
            return args.resource_id or "", outputs
        if args.typ == "kubernetes:helm.sh/v3:Release":
            outputs["status"] = {"revision": 1}
        return args.resource_id or f"{args.name}-id", outputs


class _RecordingMonitor(mocks.MockMonitor):
    def __init__(self, recording: Recording, preview: bool) -> None:
        super().__init__(_Mocks(preview, recording))
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
                    hooks={occasion.name: tuple(names) for occasion, names in request.hooks.ListFields()},
                    provider=request.provider,
                    import_id=request.importId,
                    protect=request.protect,
                )
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def ReadResource(self, request: Any) -> Any:
        self.recording.registrations.append(
            Registration(
                type=request.type,
                name=request.name,
                parent=_logical_name(request.parent),
                inputs={"id": request.id},
                dependencies=frozenset(_logical_name(urn) for urn in request.dependencies),
                additional_secret_outputs=tuple(request.additionalSecretOutputs),
                provider=request.provider,
                read=True,
            )
        )
        return super().ReadResource(request)  # type: ignore[no-untyped-call]


class _Hooks:
    """Replaces the server that the engine calls back: a test calls a hook itself."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        assert hook.name not in self.recording.hooks, f"{hook.name}: the engine accepts a name only once"
        self.recording.hooks[hook.name] = hook


def record(
    program: Callable[[], object],
    *,
    config: Mapping[str, str] | None = None,
    secret_keys: Collection[str] = (),
    preview: bool = False,
    into: Recording | None = None,
) -> Recording:
    """Runs `program` to its end and returns its registrations.

    They are also in `into`, which shows the registrations of a program that fails. `secret_keys` are the keys of
    `config` that hold a secret.
    """
    recording = Recording() if into is None else into
    # A new event loop for every program, so that tasks of one program do not run in the next one's.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        monitor = _RecordingMonitor(recording, preview)
        mocks.set_mocks(monitor.mocks, project=PROJECT, stack=STACK, preview=preview, monitor=monitor)
        SETTINGS.callbacks = _Hooks(recording)
        SETTINGS.rpc_manager.clear()
        SETTINGS.outputs.clear()
        pulumi.runtime.set_all_config(dict(config or {}), list(secret_keys))
        set_root_resource(None)  # type: ignore[arg-type]
        loop.run_until_complete(run_in_stack(lambda: cast(None, program() and None)))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        # A program that fails raises its error here. Futures with the same error would log it when they are collected,
        # also during another test's ast.parse(), and Python 3.11 then raises a SystemError
        # (https://github.com/pytest-dev/pytest/issues/10763).
        loop.set_exception_handler(lambda _, context: None)
        asyncio.set_event_loop(None)
        loop.close()
    return recording
