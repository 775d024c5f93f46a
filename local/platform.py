"""The whole platform: tools, cluster, injector, kubelet, charts, rock, and the environment to work with them.

`Platform.ensure()` starts whatever is missing, so it can be called at any time. `make up` and the live tests call it.
"""

import os
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from local import charts, injector, kubelet, paths, rock, toolchain
from local.control_plane import kwok_cluster
from local.processes.background_process import BackgroundProcessError
from local.toolchain import provider_plugins

PASSPHRASE = "traceable-kong-local"
"""Public. It protects only the stand-in token in Pulumi.local.yaml, which carries its salt."""

AGENT_NAMESPACE = "traceable"
"""The namespace of the agent of the stack `local`. The platform runs its injector."""

PlatformError = (
    toolchain.ToolchainError,
    kwok_cluster.ClusterError,
    BackgroundProcessError,
    provider_plugins.PluginError,
)
"""What `Platform.ensure()` raises. The messages are for the user."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A running platform.

    `env` is the environment for pulumi, kubectl and helm. `rock` is the stand-in rock, `charts` the folder with the
    published charts. `plugins` says which provider plugins are used. `was_running` is True if it was running before
    this call.
    """

    env: dict[str, str]
    kubeconfig: Path
    rock: Path
    charts: Path
    plugins: dict[str, str]
    was_running: bool

    @classmethod
    def ensure(cls, *, report: Callable[[str], None] = print) -> "Platform":
        """Starts what is missing. Raises one of PlatformError."""
        toolchain.ensure(paths.TOOLS, report=report)
        for folder in (paths.PULUMI_HOME, paths.BACKEND, paths.HELM):
            folder.mkdir(parents=True, exist_ok=True)
        paths.PASSPHRASE.write_text(PASSPHRASE)
        environment = _environment()
        _write_environment()
        with ThreadPoolExecutor() as pool:
            plugins = pool.submit(provider_plugins.ensure, environment, report=report)
            was_running = kwok_cluster.alive()
            if not was_running and not kwok_cluster.ensure(report=report):
                # The objects in the stack's state were deleted with the previous cluster.
                shutil.rmtree(paths.BACKEND)
                paths.BACKEND.mkdir()
                # An injector of the previous cluster would keep calling that cluster.
                injector.stop(paths.INJECTOR)
            injector_process = pool.submit(
                injector.start, paths.INJECTOR, agent_namespace=AGENT_NAMESPACE, kubeconfig=paths.KUBECONFIG
            )
            kubelet_process = kubelet.start(
                paths.KUBELET, kubeconfig=paths.KUBECONFIG, controller=paths.TOOLS / "kong-ingress-controller"
            )
            charts.publish(
                paths.CHARTS,
                injector_domain=injector_process.result().domain,
                injector_ca=injector_process.result().ca_bundle,
                router=kubelet_process.router,
                router_ca=kubelet_process.ca_bundle,
            )
            return cls(
                env=environment,
                kubeconfig=paths.KUBECONFIG,
                rock=rock.make(paths.ROCKS),
                charts=paths.CHARTS,
                plugins=plugins.result(),
                was_running=was_running,
            )

    @staticmethod
    def stop() -> None:
        """Stops every process of the platform and removes its files, except the tool cache."""
        kubelet.stop(paths.KUBELET)
        injector.stop(paths.INJECTOR)
        kwok_cluster.delete()
        shutil.rmtree(paths.STATE, ignore_errors=True)


def _own_variables() -> dict[str, str]:
    return {
        "PULUMI_HOME": str(paths.PULUMI_HOME),
        "PULUMI_BACKEND_URL": paths.file_backend(paths.BACKEND),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(paths.PASSPHRASE),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "KUBECONFIG": str(paths.KUBECONFIG),
        # Otherwise kubectl and helm write their caches to ~/.kube.
        "KUBECACHEDIR": str(paths.KUBECTL_CACHE),
        "HELM_CACHE_HOME": str(paths.HELM / "cache"),
        "HELM_CONFIG_HOME": str(paths.HELM / "config"),
        "HELM_DATA_HOME": str(paths.HELM / "data"),
    }


def _own_path() -> str:
    # The language host uses the first python3 on PATH; it does not read the option `virtualenv` of Pulumi.yaml.
    return os.pathsep.join([str(paths.VENV_BIN), str(paths.TOOLS)])


def _environment() -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK", "PULUMI_ACCESS_TOKEN")
    }
    path = os.pathsep.join([_own_path(), os.environ.get("PATH", os.defpath)])
    return {**inherited, **_own_variables(), "PATH": path}


def _write_environment() -> None:
    lines = ["# source this: pulumi, kubectl and helm of the embedded platform, in this shell only"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in _own_variables().items()]
    lines += ["unset PULUMI_CONFIG_PASSPHRASE PULUMI_STACK", f'export PATH={shlex.quote(_own_path())}:"$PATH"']
    paths.ENVIRONMENT.write_text("\n".join(lines) + "\n")
