"""Runs the helm command line: charts, installs, upgrades and uninstalls. Values and passwords are not in argv.

Helm 3 (https://helm.sh/docs/helm/helm/). A helm process ends with the plugin, so that a killed run has the same effect
as with the official plugin, which runs Helm in its own process. A cancelled helm process gets an interrupt and records
the release as failed.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import yaml

from local.processes import bound_process
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import ProviderError

POLL_SECONDS = 0.1

_ERROR = re.compile(r"^Error: ", re.MULTILINE)
_SURROGATES = re.compile(r"\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)")
_PREFIXES = ("INSTALLATION FAILED: ", "UPGRADE FAILED: ")


class HelmError(Exception):
    """Helm failed. The message is Helm's."""


def run(
    context: Context, arguments: list[str], *, stdin: str = "", environment: Mapping[str, str] | None = None
) -> str:
    """Runs helm and returns its output. Raises HelmError, or ProviderError if helm is not installed."""
    program = shutil.which("helm")
    if program is None:
        raise ProviderError("helm is not on PATH; the stand-in kubernetes plugin runs it for every Release")
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as problems:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", bound_process.__file__, str(os.getpid()), program, *arguments],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=problems,
            text=True,
            env={**_environment(context), **(environment or {})},
            start_new_session=True,
        )
        _feed(process, stdin)
        _wait(context, process)
        out.seek(0)
        problems.seek(0)
        output, error = out.read(), problems.read()
    if process.returncode != 0:
        raise HelmError(_error_message(error) or f"helm ended with code {process.returncode}")
    return output


def _feed(process: subprocess.Popen[str], stdin: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(stdin)
        process.stdin.close()
    except BrokenPipeError:
        return


def _wait(context: Context, process: subprocess.Popen[str]) -> None:
    interrupted = False
    while True:
        try:
            process.wait(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if context.cancelled.is_set() and not interrupted:
                interrupted = True
                process.send_signal(signal.SIGINT)
            continue
        return


def _environment(context: Context) -> dict[str, str]:
    environment = dict(os.environ)
    names = {
        "registryConfigPath": "HELM_REGISTRY_CONFIG",
        "repositoryCache": "HELM_REPOSITORY_CACHE",
        "repositoryConfigPath": "HELM_REPOSITORY_CONFIG",
    }
    for name, variable in names.items():
        if name in context.settings.helm:
            environment[variable] = context.settings.helm[name]
    return environment


def _error_message(output: str) -> str:
    lines = [line for line in output.strip().splitlines() if not line.startswith(("WARNING:", "level="))]
    text = "\n".join(lines)
    marker = _ERROR.search(text)
    text = text[marker.end() :] if marker else text
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return text.strip()


def cluster_arguments(context: Context, namespace: str) -> list[str]:
    """Returns the arguments for the provider's cluster."""
    arguments = ["--namespace", namespace]
    if context.cluster.kubeconfig is not None:
        arguments += ["--kubeconfig", str(context.cluster.kubeconfig)]
    if context.cluster.context:
        arguments += ["--kube-context", context.cluster.context]
    return arguments


@contextmanager
def chart_arguments(context: Context, release: Mapping[str, Any]) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yields the arguments and environment with which helm finds a release's chart.

    A repository with a password is added to a temporary configuration, which is deleted at the end.
    """
    chart = str(release.get("chart") or "").strip()
    options = release.get("repositoryOpts") or {}
    repository = str(options.get("repo") or "")
    arguments: list[str] = []
    version = str(release.get("version") or "").strip()
    if version:
        arguments += ["--version", version]
    elif release.get("devel"):
        arguments.append("--devel")
    for name, flag in (("caFile", "--ca-file"), ("certFile", "--cert-file"), ("keyFile", "--key-file")):
        if options.get(name):
            arguments += [flag, str(options[name])]
    if release.get("verify"):
        arguments.append("--verify")
        if release.get("keyring"):
            arguments += ["--keyring", str(release["keyring"])]
    remote = bool(urlparse(repository).scheme) and not chart.startswith("oci://")
    if repository and not remote and "/" not in chart:
        chart = f"{repository}/{chart}"
    if not remote and not chart.startswith("oci://"):
        chart = _local(chart, repository)
    if not options.get("password"):
        yield [chart, *(["--repo", repository] if remote else []), *arguments], {}
        return
    with tempfile.TemporaryDirectory(prefix="pulumi-helm-") as folder:
        environment = _private(folder)
        host = urlparse(repository if remote else chart).netloc
        login = ["--username", str(options.get("username") or ""), "--password-stdin"]
        if remote:
            tls = [each for each in arguments if each != "--verify"] if options.get("caFile") else []
            run(
                context,
                ["repo", "add", "stand-in", repository, *login, *(tls[-2:] if tls else [])],
                stdin=str(options["password"]),
                environment=environment,
            )
            chart = f"stand-in/{chart}"
        else:
            run(context, ["registry", "login", host, *login], stdin=str(options["password"]), environment=environment)
        yield [chart, *arguments], environment


def _private(folder: str) -> dict[str, str]:
    return {
        "HELM_REPOSITORY_CONFIG": f"{folder}/repositories.yaml",
        "HELM_REPOSITORY_CACHE": f"{folder}/cache",
        "HELM_REGISTRY_CONFIG": f"{folder}/registry.json",
    }


def _local(chart: str, repository: str) -> str:
    """Returns the absolute path of a chart that is a file or a folder with a Chart.yaml. Raises HelmError."""
    path = Path(chart)
    if not repository and path.exists() and (path.is_file() or (path / "Chart.yaml").exists()):
        return str(path.absolute())
    if not repository and (path.is_absolute() or chart.startswith(".")):
        raise HelmError(f'path "{chart}" not found')
    return chart


def load(context: Context, release: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the chart's metadata (Chart.yaml). Raises HelmError."""
    folder = Path(str(release.get("chart") or "").strip())
    is_folder = folder.is_dir() and not (release.get("repositoryOpts") or release.get("verify"))
    described = _read_folder(folder) if is_folder else None
    if described is None:
        with chart_arguments(context, release) as (arguments, environment):
            described = yaml.safe_load(run(context, ["show", "chart", *arguments], environment=environment))
    if not isinstance(described, dict):
        raise HelmError("Chart.yaml file is missing")
    if folder.is_dir() and not release.get("dependencyUpdate"):
        _check_dependencies(folder, described)
    return described


def _read_folder(folder: Path) -> dict[str, Any] | None:
    """Returns the metadata of a chart in a folder, None if Helm has to say what is wrong with it.

    Every run loads every chart, and two processes take longer than reading two files.
    """
    try:
        described, values = (
            yaml.load((folder / name).read_text(), Loader=yaml.CSafeLoader) for name in ("Chart.yaml", "values.yaml")
        )
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return None
    required = ("apiVersion", "name", "version")
    is_complete = isinstance(described, dict) and all(isinstance(described.get(name), str) for name in required)
    return described if is_complete and isinstance(values, dict | None) else None


def _check_dependencies(folder: Path, described: Mapping[str, Any]) -> None:
    present = [path.name for path in (folder / "charts").glob("*")]
    missing = [
        str(each["name"])
        for each in described.get("dependencies") or []
        if not any(name == each["name"] or name.startswith(f"{each['name']}-") for name in present)
    ]
    if missing:
        raise HelmError(
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to "
            f"fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {', '.join(missing)}"
        )


def as_values(values: Mapping[str, Any]) -> str:
    """Returns values for helm's standard input, as JSON that is also YAML.

    YAML has no pairs of surrogates: a character outside the basic plane has an escape of eight digits. It also has no
    plain DEL.
    """
    return _SURROGATES.sub(_as_yaml_escape, json.dumps(values)).replace("\x7f", "\\u007f")


def _as_yaml_escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[0]
    return f"\\U{0x10000 + ((int(match[1], 16) & 0x3FF) << 10) + (int(match[2], 16) & 0x3FF):08X}"
