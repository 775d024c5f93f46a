"""A pod template with our part in it, and without it again. Pure: templates in, new templates out.

What we add is noted, and what the note names can be taken away so that the rest is what it was, whatever its owner
changed since.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from traceable_kong.common.safe_text import PlainError
from traceable_kong.deployment_patch.kong_variables import (
    PACKAGE_PATH,
    PLUGINS,
    Variable,
    keep,
    restore,
    variable_in,
    words_in,
    write,
)
from traceable_kong.plugin.config_maps import LUA_PATH, PLUGINS_DIRECTORY

Template = dict[str, Any]

READ_ONLY_SOURCES = ("configMap", "secret", "projected", "downwardAPI")
"""Volumes in which the kubelet can make no folder for another mount."""


CONFIGURATION_FILES = ("/etc/kong/kong.conf", "/etc/kong.conf")
"""Where Kong looks for a file with its settings; a variable hides what it says (kong 3.9, conf_loader)."""


class Conflict(PlainError):
    """Our part cannot be had beside what is there; the text says why, `mend` what to do."""

    def __init__(self, wrong: str, mend: str) -> None:
        super().__init__(f"{wrong}. {mend}")
        self.wrong, self.mend = wrong, mend


@dataclass(frozen=True, kw_only=True)
class PatchSpec:
    """What is to be in `container`: `files` is `{mount path: ConfigMap}`, `plugins` the names that Kong loads."""

    container: str
    files: Mapping[str, str]
    plugins: tuple[str, ...]

    @property
    def volumes(self) -> dict[str, str]:
        """`{mount path: volume}`, named as the Kong chart does it (kong chart 3.4.1, `kong.plugins`)."""
        return {
            path: f"kong-plugin-{path.rsplit('/', 1)[-1]}" if path.rsplit("/", 1)[0] == PLUGINS_DIRECTORY else held
            for path, held in self.files.items()
        }

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """What the variables must list."""
        return {PLUGINS: self.plugins, PACKAGE_PATH: (LUA_PATH,)}


@dataclass(frozen=True, kw_only=True)
class AppliedPatch:
    """What we added: `volumes` is `{volume: ConfigMap}`, `mounts` `{mount path: volume}`."""

    container: str
    volumes: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def part(self) -> PatchSpec:
        """The part that this was, without what its owner had listed already."""
        return PatchSpec(
            container=self.container,
            files={path: self.volumes[volume] for path, volume in self.mounts.items()},
            plugins=self.variables[PLUGINS].words if PLUGINS in self.variables else (),
        )


def note_of(document: Mapping[str, Any]) -> AppliedPatch:
    """The note that `document()` gave. Raises KeyError or TypeError where it is none."""
    variables = {
        name: Variable(before=item["before"], after=item["after"], words=tuple(item["words"]))
        for name, item in document["variables"].items()
    }
    return AppliedPatch(**{**document, "variables": variables})


def replaced(template: Template, note: AppliedPatch | None, part: PatchSpec) -> tuple[Template, AppliedPatch]:
    """The template with `part` in place of what `note` names, and the new note. Raises Conflict."""
    return added(removed(template, note) if note else template, part)


def added(template: Template, part: PatchSpec) -> tuple[Template, AppliedPatch]:
    """The template with `part`, and what was added. Raises Conflict."""
    for conflict in conflicts(template, part):
        raise conflict
    result = copy.deepcopy(template)
    container = _container(result, part.container)
    assert container is not None
    volumes, mounts = part.volumes, list(part.files)
    if mounts:
        result["spec"]["volumes"] = [
            *(result["spec"].get("volumes") or []),
            *({"name": volumes[path], "configMap": {"name": part.files[path]}} for path in mounts),
        ]
        container["volumeMounts"] = [
            *(container.get("volumeMounts") or []),
            *({"name": volumes[path], "mountPath": path, "readOnly": True} for path in mounts),
        ]
    return result, AppliedPatch(
        container=part.container,
        volumes={volumes[path]: part.files[path] for path in mounts},
        mounts=volumes,
        variables={name: made for name, words in part.words.items() if (made := write(container, name, words))},
    )


def removed(template: Template, note: AppliedPatch) -> Template:
    """The template without what `note` names; what its owner changed or took out since stays so."""
    result = copy.deepcopy(template)
    spec = result["spec"]
    keep(
        spec,
        "volumes",
        lambda item: note.volumes.get(item["name"], "") != (item.get("configMap") or {}).get("name"),
    )
    container = _container(result, note.container)
    if container is not None:
        keep(container, "volumeMounts", lambda item: note.mounts.get(_path(item)) != item["name"])
        for name, variable in note.variables.items():
            restore(container, name, variable)
    return result


def standing(template: Template, part: PatchSpec) -> PatchSpec | None:
    """What of `part` is there now; None where its container is gone."""
    container = _container(template, part.container)
    if container is None:
        return None
    held = {item["name"]: (item.get("configMap") or {}).get("name") for item in template["spec"].get("volumes") or []}
    mounted = {_path(item): held.get(item["name"]) for item in container.get("volumeMounts") or []}
    finds_files = LUA_PATH in words_in(variable_in(container, PACKAGE_PATH), PACKAGE_PATH)
    listed = words_in(variable_in(container, PLUGINS), PLUGINS)
    return PatchSpec(
        container=part.container,
        files={path: str(mounted[path]) for path in part.files if mounted.get(path)},
        # Without the path Kong finds none of them.
        plugins=tuple(name for name in part.plugins if name in listed and finds_files),
    )


def conflicts(template: Template, part: PatchSpec) -> Iterator[Conflict]:
    """Why `part` cannot be added to a template that holds nothing of ours."""
    container = _container(template, part.container)
    if container is None:
        names = ", ".join(item["name"] for item in template["spec"]["containers"])
        yield Conflict(
            f"has no container {part.container} (it has {names}): it cannot be told where Kong runs",
            "`pulumi config set --path traceable-kong:kong.container NAME`",
        )
        return
    for name in part.words:
        found = variable_in(container, name)
        if found is not None and found.get("valueFrom"):
            yield Conflict(
                f"takes {name} from elsewhere (valueFrom): what it says cannot be added to, and a value of ours would "
                "hide it",
                f"write {name} as a plain value in the container's env, or have the owner's values mount the files "
                "(`pulumi config set --path traceable-kong:kong.filesMountedBy owner`)",
            )
    yield from _hidden(container, part)
    sources = {item["name"]: item for item in template["spec"].get("volumes") or []}
    for volume in sorted({*part.volumes.values()} & sources.keys()):
        yield Conflict(
            f"has a volume {volume} already, which this stack did not add",
            "take it out; or, where the owner's values mount the plugin's files, `pulumi config set --path "
            "traceable-kong:kong.filesMountedBy owner`",
        )
    for mount in container.get("volumeMounts") or []:
        path, source = _path(mount), sources.get(mount["name"], {})
        for ours in part.files:
            closed = any(key in source for key in READ_ONLY_SOURCES)
            if path == ours or path.startswith(f"{ours}/") or (closed and ours.startswith(f"{path}/")):
                yield Conflict(
                    f"mounts something else at {path} (volume {mount['name']}), where the plugin's files have to be",
                    "take that mount out, or mount it elsewhere",
                )


def _hidden(container: Mapping[str, Any], part: PatchSpec) -> Iterator[Conflict]:
    """Settings in a file that is mounted, which variables of ours would hide."""
    files = [
        path
        for path in map(_path, container.get("volumeMounts") or [])
        if any(file == path or file.startswith(f"{path}/") for file in CONFIGURATION_FILES)
    ]
    for name in part.words if files else ():
        if variable_in(container, name) is None:
            yield Conflict(
                f"mounts Kong's configuration at {files[0]} and has no {name}: a variable of ours would hide what that "
                "file says of it, the owner's other plugins too",
                f"write {name} as a plain value in the container's env, with what the file has (`bundled`, or `;;`, "
                "where it has nothing); or have the owner's values mount the files (`pulumi config set --path "
                "traceable-kong:kong.filesMountedBy owner`)",
            )


def _path(mount: Mapping[str, Any]) -> str:
    return str(mount["mountPath"]).rstrip("/")


def _container(template: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    return next((item for item in template["spec"]["containers"] if item["name"] == name), None)
