"""The tools of the platform: the Go module each is built from, and the versions on PATH that can be used instead.

The exact pins are in modules/<set>/go.mod.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
VERSION_TIMEOUT_SECONDS = 20

KUBERNETES_MINOR = 36
ENGINE_VERSION = "3.259.0"
CONTROLLER_VERSION = "3.4.0"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One program.

    Tools of one `bundle` share a folder, because the engine looks for its language host there. `module_set` is the
    folder in modules/, `package` the main package (one of that folder if it starts with `./`), `version` the linker
    variables that set the reported version. `version_command` prints the version of a program on PATH; `fitting` is the
    accepted major version and range of minor versions. `beside` lists the files that must be in the same folder.
    """

    name: str
    bundle: str
    module_set: str
    package: str
    version: tuple[tuple[str, str], ...] = ()
    version_command: tuple[str, ...] = ("version",)
    fitting: tuple[int, int, int]
    beside: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The name that `go build` gives the program: the last part of the package's path that is no version."""
        parts = self.package.split("/")
        return parts[-2] if re.fullmatch(r"v\d+", parts[-1]) else parts[-1]

    @property
    def linker_flags(self) -> str:
        """The linker's flags: no debugging information, and the version to report."""
        return " ".join(["-s", "-w", *(f"-X {variable}={value}" for variable, value in self.version)])

    def fits(self, path: Path) -> bool:
        """Returns True if the installed program at `path` can be used instead of a built one."""
        if any(not (path.parent / other).exists() for other in self.beside):
            return False
        try:
            done = subprocess.run(
                [path, *self.version_command],
                capture_output=True,
                text=True,
                timeout=VERSION_TIMEOUT_SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
        if done.returncode != 0 or not found:
            return False
        major, lowest, highest = self.fitting
        return int(found[1]) == major and lowest <= int(found[2]) <= highest


_KUBERNETES_VERSION = (
    ("k8s.io/component-base/version.gitVersion", "v1.36.3"),
    ("k8s.io/component-base/version.gitMajor", "1"),
    ("k8s.io/component-base/version.gitMinor", str(KUBERNETES_MINOR)),
)


def _kubernetes(name: str, *, skew: int = 0, version_command: tuple[str, ...] = ("--version",)) -> Tool:
    """A Kubernetes tool. `skew` minor versions are allowed in both directions
    (https://kubernetes.io/releases/version-skew-policy/).
    """
    return Tool(
        name=name,
        bundle="kubernetes",
        module_set="kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        version=_KUBERNETES_VERSION,
        version_command=version_command,
        fitting=(1, KUBERNETES_MINOR - skew, KUBERNETES_MINOR + skew),
    )


TOOLS = (
    Tool(
        name="etcd",
        bundle="kubernetes",
        module_set="kubernetes",
        package="go.etcd.io/etcd/server/v3",
        version_command=("--version",),
        fitting=(3, 6, 6),
    ),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
    _kubernetes("kubectl", skew=1, version_command=("version", "--client")),
    Tool(
        name="kwok",
        bundle="kubernetes",
        module_set="kubernetes",
        package="sigs.k8s.io/kwok/cmd/kwok",
        version=(("sigs.k8s.io/kwok/pkg/consts.Version", "0.8.0"),),
        version_command=("--version",),
        fitting=(0, 8, 8),
    ),
    Tool(
        name="kwokctl",
        bundle="kubernetes",
        module_set="kubernetes",
        package="sigs.k8s.io/kwok/cmd/kwokctl",
        version=(("sigs.k8s.io/kwok/pkg/consts.Version", "0.8.0"),),
        version_command=("--version",),
        fitting=(0, 8, 8),
    ),
    Tool(
        name="helm",
        bundle="kubernetes",
        module_set="kubernetes",
        package="helm.sh/helm/v3/cmd/helm",
        version=(("helm.sh/helm/v3/internal/version.version", "v3.21.4"),),
        version_command=("version", "--short"),
        fitting=(3, 18, 10_000),
    ),
    Tool(
        name="kubernetes-client",
        bundle="client",
        module_set="kubernetes",
        package="./client",
        # It exists only here.
        fitting=(0, 0, -1),
    ),
    Tool(
        name="kong-ingress-controller",
        bundle="kubernetes",
        module_set="kubernetes",
        package="github.com/kong/kubernetes-ingress-controller/v3/internal/cmd",
        version=(
            ("github.com/kong/kubernetes-ingress-controller/v3/internal/manager/metadata.Release", CONTROLLER_VERSION),
        ),
        # The stand-in chart and the simulated Kong are made for exactly this version.
        fitting=(0, 0, -1),
    ),
    Tool(
        name="pulumi-language-python",
        bundle="pulumi",
        module_set="pulumi",
        package="./language-host",
        fitting=(0, 0, -1),
    ),
    Tool(
        name="pulumi-language-python-sdk",
        bundle="pulumi",
        module_set="language",
        package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
        # It must match the engine, so an installed one is never used without its engine.
        fitting=(0, 0, -1),
    ),
    Tool(
        name="pulumi",
        bundle="pulumi",
        module_set="pulumi",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        version=(("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", ENGINE_VERSION),),
        fitting=(3, 259, 10_000),
        beside=("pulumi-language-python", "pulumi-language-python-exec"),
    ),
)
"""What the platform starts with."""

YAML_HOST = Tool(
    name="pulumi-language-yaml",
    bundle="yaml",
    module_set="pulumi",
    package="github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
    version=(("github.com/pulumi/pulumi-yaml/pkg/version.Version", "v1.38.1"),),
    # It prints no version.
    fitting=(0, 0, -1),
)
"""The language host of Pulumi programs in YAML. Only live tests need it, so `make up` does not build it."""

SDK_MODULE = f"github.com/pulumi/pulumi/sdk/v3@v{ENGINE_VERSION}"
SDK_SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""Scripts that the language host starts. They are part of the engine's SDK."""


def sdk_folder(go_download_json: str) -> Path:
    """Returns the folder into which `go mod download -json SDK_MODULE` put the module."""
    return Path(json.loads(go_download_json)["Dir"])
