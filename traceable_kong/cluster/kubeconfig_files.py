"""Which kubeconfig is meant, and its content: a text, a path, the files in KUBECONFIG, or ~/.kube/config."""

import errno
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from traceable_kong.cluster.kubeconfig_model import Kubeconfig, KubeconfigError, kubeconfig_of
from traceable_kong.common.bounded_read import read_text
from traceable_kong.common.foreign_documents import MAX_VALUES, UnreadableDocument, yaml_document
from traceable_kong.common.safe_text import kind_of

SIZE_LIMIT = 1024 * 1024
"""Characters of a kubeconfig, and of each file that it names."""

_PATH = re.compile(r"(/|~/|\.\./).*|[-.\w]{1,30}")
"""What is a path, and no text of a kubeconfig, nor its base64."""


def is_text(kubeconfig: str) -> bool:
    """True for the text of a kubeconfig, False for a path."""
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A kubeconfig and its folder, which its relative paths begin at; None for this process's."""

    content: Kubeconfig = field(repr=False)
    folder: Path | None


@dataclass(frozen=True, kw_only=True)
class NamedKubeconfig:
    """A path or a text of `named_by`, such as an option; None for KUBECONFIG and ~/.kube/config.

    A path that is `encrypted` in the stack file is not shown.
    """

    kubeconfig: str | None = field(repr=False)
    named_by: str
    encrypted: bool

    @property
    def where(self) -> str:
        """What is read, for a message."""
        if not self.kubeconfig:
            if named := _in_environment():
                return f"{_shown(named) or 'files'}, named by KUBECONFIG"
            return ", ".join([*(str(path) for path in _usual()), "because KUBECONFIG is not set"])
        if is_text(self.kubeconfig):
            return f"the text of {self.named_by}"
        return f"{self._shown_path or 'a file'}, named by {self.named_by}"

    @property
    def kubectl_option(self) -> str | None:
        """What makes kubectl use it, after a space; None where no option does."""
        if not self.kubeconfig:
            return ""
        return f" --kubeconfig {shlex.quote(self._shown_path)}" if self._shown_path else None

    @property
    def _shown_path(self) -> str:
        return "" if self.encrypted or is_text(self.kubeconfig or "") else _shown([Path(self.kubeconfig or "")])

    def read(self) -> list[Source]:
        """Its files that exist. Raises KubeconfigError."""
        if not self.kubeconfig:
            # Files that do not exist are skipped.
            named = _in_environment() or _usual()
            return [_file(path, among=named) for path in named if _exists(path)]
        if is_text(self.kubeconfig):
            return [Source(content=_parsed(self.kubeconfig), folder=None)]
        try:
            path = Path(self.kubeconfig).expanduser()
        except RuntimeError:
            raise KubeconfigError("its home folder does not exist") from None
        if not self._shown_path and not _exists(path):
            raise KubeconfigError("it does not exist, and is not the text of a kubeconfig, which has several lines")
        return [_file(path)]


def _shown(paths: Sequence[Path]) -> str:
    """The paths for a message; "" where one could be something else: the text of a kubeconfig that lost its line
    breaks looks like one."""
    shown = []
    for path in paths:
        try:
            found = path.expanduser()
        except RuntimeError:
            found = path
        inside = len(path.parts) > 1 and _exists(found.parent)
        if not (_PATH.fullmatch(str(path)) or inside or _exists(found)):
            return ""
        shown.append(str(found.absolute()))
    return ", ".join(shown)


def _in_environment() -> list[Path]:
    """The empty parts of KUBECONFIG are skipped."""
    return [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]


def _usual() -> list[Path]:
    try:
        return [Path("~/.kube/config").expanduser()]
    except RuntimeError:
        # In a container, the user often has no home folder.
        return []


def _exists(path: Path) -> bool:
    """True also for what may not be read."""
    try:
        path.stat()
    except ValueError:
        return False
    except OSError as problem:
        return problem.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
    return True


def _file(path: Path, *, among: Sequence[Path] = ()) -> Source:
    prefix = f"{_shown([path])}: " if len(among) > 1 and _shown(among) else ""
    try:
        return Source(content=_parsed(read_text(path, SIZE_LIMIT)), folder=path.parent)
    except KubeconfigError as problem:
        raise KubeconfigError(f"{prefix}{problem}") from None
    except FileNotFoundError:
        raise KubeconfigError(f"{prefix}it does not exist") from None
    except IsADirectoryError:
        raise KubeconfigError(f"{prefix}it is a directory") from None
    except UnicodeError:
        raise KubeconfigError(f"{prefix}it is not text") from None
    except OSError as problem:
        raise KubeconfigError(f"{prefix}it cannot be read: {kind_of(problem)}") from None


def _parsed(text: str) -> Kubeconfig:
    if len(text) > SIZE_LIMIT or sum(map(text.count, "\n,:")) > MAX_VALUES:
        # Reading a value takes far longer than reading a byte. A hundred clusters have 5,000 values.
        raise KubeconfigError(f"it is longer than {SIZE_LIMIT // 1024} KiB, or has more than {MAX_VALUES} values")
    try:
        return kubeconfig_of(yaml_document(text))
    except (yaml.YAMLError, UnreadableDocument) as problem:
        raise KubeconfigError(kind_of(problem)) from None
    except ValueError:
        raise KubeconfigError("it is not YAML") from None
