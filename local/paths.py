"""Where the platform keeps its files: one ignored folder in the clone. The tool cache is elsewhere and is shared.

TRACEABLE_KONG_STATE names another folder, and so a second platform beside the first one. The tests use that.
"""

import os
from pathlib import Path

CLONE = Path(__file__).parents[1]
STATE = CLONE / os.environ.get("TRACEABLE_KONG_STATE", ".local")

TOOLS = STATE / "bin"
PULUMI_HOME = STATE / "home"
BACKEND = STATE / "state"
PASSPHRASE = STATE / "passphrase"
KUBECONFIG = STATE / "kubeconfig"
ENVIRONMENT = STATE / "env"
KWOK = STATE / "kwok"
HELM = STATE / "helm"
KUBECTL_CACHE = STATE / "kubectl-cache"
INJECTOR = STATE / "injector"
KUBELET = STATE / "kubelet"
CHARTS = STATE / "charts"
ROCKS = STATE / "rocks"
VENV_BIN = CLONE / ".venv" / "bin"


def file_backend(folder: Path) -> str:
    """Returns the URL of Pulumi's file backend in `folder`.

    Without metadata the backend replaces a checkpoint in one rename. With it, each checkpoint has a second file, which
    a killed Pulumi may leave empty: every later command then fails with "failed to load checkpoint: EOF"
    (https://pkg.go.dev/gocloud.dev/blob/fileblob).
    """
    return f"{folder.as_uri()}?metadata=skip"


def plugin_choice(name: str) -> Path:
    """Returns the file that records which provider plugin of this name is used."""
    return STATE / f"{name}-plugin"
