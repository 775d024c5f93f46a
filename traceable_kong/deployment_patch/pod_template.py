"""Pod templates with and without this stack's entries: templates in, new templates out.

What was added is recorded as an AppliedPatch. Removing it restores the template, and keeps what its owner changed in
the meantime.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from traceable_kong.cluster.pods import container_of
from traceable_kong.common.commands import config_set
from traceable_kong.common.safe_text import PlainError
from traceable_kong.deployment_patch.kong_variables import (
    PACKAGE_PATH,
    PLUGINS,
    PatchedVariable,
    add_entries,
    entries_of,
    filter_list,
    remove_entries,
    variable_in,
)
from traceable_kong.plugin.config_maps import LUA_PATH, PLUGINS_DIRECTORY

Template = dict[str, Any]

_READ_ONLY_SOURCES = ("configMap", "secret", "projected", "downwardAPI")

CONFIGURATION_FILES = ("/etc/kong/kong.conf", "/etc/kong.conf")
"""Where Kong looks for its configuration file; a variable replaces what the file says (kong 3.9, conf_loader)."""

OWNER_MOUNTS_FILES = f"let the owner's Helm values mount the files: `{config_set('kong.filesMountedBy', 'owner')}`"


class Conflict(PlainError):
    """A template into which the patch does not fit: `problem` says why, `fix` what to do."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}. {fix[:1].upper()}{fix[1:]}.")
        self.problem, self.fix = problem, fix


@dataclass(frozen=True, kw_only=True)
class PatchSpec:
    """What to add to `container`: `files` is `{mount path: ConfigMap}`, `plugins` are the names that Kong loads."""

    container: str
    files: Mapping[str, str]
    plugins: tuple[str, ...]

    @property
    def volumes(self) -> dict[str, str]:
        """`{mount path: volume}` with the names that the Kong chart gives them (kong chart 3.4.1, `kong.plugins`)."""
        return {
            path: f"kong-plugin-{path.rsplit('/', 1)[-1]}" if path.rsplit("/", 1)[0] == PLUGINS_DIRECTORY else name
            for path, name in self.files.items()
        }

    @property
    def entries(self) -> dict[str, tuple[str, ...]]:
        """`{variable: entries that it must have}`."""
        return {PLUGINS: self.plugins, PACKAGE_PATH: (LUA_PATH,)}


@dataclass(frozen=True, kw_only=True)
class AppliedPatch:
    """What was added: `volumes` is `{volume: ConfigMap}`, `mounts` is `{mount path: volume}`."""

    container: str
    volumes: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, PatchedVariable] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As plain data for the annotation."""
        return asdict(self)

    @property
    def spec(self) -> PatchSpec:
        """The patch that adds the same again."""
        return PatchSpec(
            container=self.container,
            files={path: self.volumes[volume] for path, volume in self.mounts.items()},
            plugins=self.variables[PLUGINS].entries if PLUGINS in self.variables else (),
        )


def applied_patch_of(document: Mapping[str, Any]) -> AppliedPatch:
    """Reads what `AppliedPatch.document()` returned. Raises KeyError, TypeError or AttributeError for anything else."""
    variables = {
        name: PatchedVariable(before=item["before"], after=item["after"], entries=tuple(item["entries"]))
        for name, item in document["variables"].items()
    }
    return AppliedPatch(**{**document, "variables": variables})


def repatched(template: Template, applied: AppliedPatch | None, spec: PatchSpec) -> tuple[Template, AppliedPatch]:
    """The template with `spec` in place of `applied`. Raises Conflict."""
    return patched(unpatched(template, applied) if applied else template, spec)


def patched(template: Template, spec: PatchSpec) -> tuple[Template, AppliedPatch]:
    """The template with `spec`, and what was added for it. Raises Conflict."""
    for conflict in conflicts(template, spec):
        raise conflict
    result = copy.deepcopy(template)
    container = container_of(result["spec"], spec.container)
    assert container is not None
    volumes, mounts = spec.volumes, list(spec.files)
    if mounts:
        result["spec"]["volumes"] = [
            *(result["spec"].get("volumes") or []),
            *({"name": volumes[path], "configMap": {"name": spec.files[path]}} for path in mounts),
        ]
        container["volumeMounts"] = [
            *(container.get("volumeMounts") or []),
            *({"name": volumes[path], "mountPath": path, "readOnly": True} for path in mounts),
        ]
    variables = {name: add_entries(container, name, entries) for name, entries in spec.entries.items()}
    return result, AppliedPatch(
        container=spec.container,
        volumes={volumes[path]: spec.files[path] for path in mounts},
        mounts=volumes,
        variables={name: variable for name, variable in variables.items() if variable},
    )


def unpatched(template: Template, applied: AppliedPatch) -> Template:
    """The template without `applied`; what its owner changed or removed in the meantime stays so."""
    result = copy.deepcopy(template)
    filter_list(
        result["spec"],
        "volumes",
        lambda item: applied.volumes.get(item["name"], "") != (item.get("configMap") or {}).get("name"),
    )
    container = container_of(result["spec"], applied.container)
    if container is not None:
        filter_list(container, "volumeMounts", lambda item: applied.mounts.get(mount_path(item)) != item["name"])
        for name, variable in applied.variables.items():
            remove_entries(container, name, variable)
    return result


def current(template: Template, spec: PatchSpec) -> PatchSpec | None:
    """What the template has of `spec`; None where the container does not exist."""
    container = container_of(template["spec"], spec.container)
    if container is None:
        return None
    sources = {
        item["name"]: (item.get("configMap") or {}).get("name") for item in template["spec"].get("volumes") or []
    }
    mounted = {mount_path(item): sources.get(item["name"]) for item in container.get("volumeMounts") or []}
    finds_files = LUA_PATH in entries_of(variable_in(container, PACKAGE_PATH), PACKAGE_PATH)
    listed = entries_of(variable_in(container, PLUGINS), PLUGINS)
    return PatchSpec(
        container=spec.container,
        files={path: str(mounted[path]) for path in spec.files if mounted.get(path)},
        # Without the path Kong finds none of them.
        plugins=tuple(name for name in spec.plugins if name in listed and finds_files),
    )


def conflicts(template: Template, spec: PatchSpec) -> Iterator[Conflict]:
    """Why `spec` does not fit into a template that is not patched."""
    container = container_of(template["spec"], spec.container)
    if container is None:
        names = ", ".join(item["name"] for item in template["spec"]["containers"])
        yield Conflict(
            f"has no container {spec.container} (it has {names}), so Kong's container cannot be determined",
            f"name it: `{config_set('kong.container', 'NAME')}`",
        )
        return
    for name in spec.entries:
        found = variable_in(container, name)
        if found is not None and found.get("valueFrom"):
            yield Conflict(
                f"takes {name} from another object (valueFrom): entries cannot be added to it, and a value of this "
                "stack would replace it",
                f"write {name} as a plain value in the container's env, or {OWNER_MOUNTS_FILES}",
            )
    yield from _replaced_settings(container, spec)
    sources = {item["name"]: item for item in template["spec"].get("volumes") or []}
    for volume in sorted({*spec.volumes.values()} & sources.keys()):
        yield Conflict(
            f"has a volume {volume} that is not managed by this stack",
            f"remove that volume; or, if the owner's Helm values mount the plugin's files, {OWNER_MOUNTS_FILES}",
        )
    for mount in container.get("volumeMounts") or []:
        path, source = mount_path(mount), sources.get(mount["name"], {})
        for file in spec.files:
            if path == file or covers_part(mount, file) or blocks_folder(mount, source, file):
                yield Conflict(
                    f"mounts the volume {mount['name']} at {path}, where the plugin's files must be",
                    "remove that mount, or mount the volume elsewhere",
                )


def _replaced_settings(container: Mapping[str, Any], spec: PatchSpec) -> Iterator[Conflict]:
    """Settings in a mounted configuration file that the variables of this stack would replace."""
    files = [
        path
        for path in map(mount_path, container.get("volumeMounts") or [])
        if any(file == path or file.startswith(f"{path}/") for file in CONFIGURATION_FILES)
    ]
    for name in spec.entries if files else ():
        if variable_in(container, name) is None:
            yield Conflict(
                f"mounts Kong's configuration file at {files[0]} and does not set {name}: the variable of this stack "
                "would replace the value in the file, and with it the owner's other plugins",
                f"write {name} as a plain value in the container's env, with the value from the file (`bundled` or "
                f"`;;` where the file has none); or {OWNER_MOUNTS_FILES}",
            )


def covers_part(mount: Mapping[str, Any], path: str) -> bool:
    """Whether a mount covers a part of what is mounted at `path`."""
    return mount_path(mount).startswith(f"{path}/")


def blocks_folder(mount: Mapping[str, Any], volume: Mapping[str, Any], path: str) -> bool:
    """Whether a mount is read-only around `path`: the container runtime cannot create the folder of a mount there."""
    read_only = mount.get("readOnly") or any(key in volume for key in _READ_ONLY_SOURCES)
    return bool(read_only) and path.startswith(f"{mount_path(mount)}/")


def mount_path(mount: Mapping[str, Any]) -> str:
    """Where a container mounts a volume, without a slash at the end."""
    return str(mount["mountPath"]).rstrip("/")
