"""Where a Helm chart comes from."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

from traceable_kong.common.nested_data import digest


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart in a folder or archive (`path`), or by `name` and `version` from a `repository` URL.

    Exactly one of `path` and `name` is set. An `oci://` chart has its whole address in `name` and no `repository`
    (https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/).
    """

    path: str | None = None
    repository: str | None = None
    name: str | None = None
    version: str | None = None

    @property
    def reference(self) -> str:
        """The chart as Helm takes it."""
        return self.path or self.name or ""

    def digest(self, files: str) -> str:
        """A digest of the chart; `files` is `files_digest()` of a chart in a folder or archive."""
        return digest({**asdict(self), "files": files})


def files_digest(path: str) -> str:
    """The SHA-256 of a chart's files and their names. That one is missing or unreadable shows in the rendering."""
    found = hashlib.sha256()
    try:
        folder = Path(path)
        for file in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if file.is_file():
                found.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
                found.update(file.read_bytes())
    except (OSError, ValueError):
        return ""
    return found.hexdigest()
