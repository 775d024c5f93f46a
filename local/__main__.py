"""`python -m local up|preview|down|status`: the commands behind the Makefile. They work on the stack `local`."""

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local import paths
from local.control_plane import kwok_cluster
from local.kubelet.kube_client import KubeClient
from local.platform import Platform, PlatformError
from local.toolchain import provider_plugins

STACK = "local"


class CommandFailed(Exception):
    """A command failed and has already printed why."""


def main() -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local")
    parser.add_argument("command", choices=["up", "preview", "down", "status"])
    command = parser.parse_args().command
    try:
        {"up": up, "preview": preview, "down": down, "status": status}[command]()
    except PlatformError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except CommandFailed:
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run the same command again to continue", file=sys.stderr)
        return 130
    return 0


def up() -> None:
    """Starts the platform, deploys the stack, and prints the result."""
    started = time.monotonic()
    platform = Platform.ensure(report=_print_line)
    _select(platform)
    _pulumi(platform, "up", "--yes", "--skip-preview")
    _print_line("")
    with ThreadPoolExecutor() as pool:
        unchanged = pool.submit(_unchanged, platform)
        _show(platform)
    if unchanged.result():
        _print_line("\nno changes: the stack is up to date with Pulumi.local.yaml")
    _print_line(f"\ndone in {time.monotonic() - started:.0f} s")
    _print_line(f"to use pulumi, kubectl and helm in this shell: . ./{paths.ENVIRONMENT.relative_to(paths.CLONE)}")


def preview() -> None:
    """Shows what `up` would change."""
    platform = Platform.ensure(report=_print_line)
    _select(platform)
    _pulumi(platform, "preview")


def down() -> None:
    """Destroys the stack and removes the platform."""
    if not paths.STATE.exists():
        _print_line("nothing to remove: the platform does not exist")
        return
    if kwok_cluster.alive():
        platform = Platform.ensure(report=_print_line)
        _select(platform)
        _pulumi(platform, "destroy", "--yes", "--skip-preview")
    else:
        _print_line("cluster: not running; its stack is removed with it")
    Platform.stop()
    _print_line(f"\ndone: the cluster and the stack {STACK} are removed; `pulumi stack rm` is not needed")
    _print_line(f"Pulumi.{STACK}.yaml and the built tools stay: the next `make up` takes less than half a minute")


def status() -> None:
    """Prints what is running. Changes nothing."""
    _print_line(f"cluster: {'running' if kwok_cluster.alive() else 'not running'} ({kwok_cluster.NAME})")
    for name in provider_plugins.STAND_INS:
        _print_line(
            f"{name} plugin: {provider_plugins.chosen(name) or 'not chosen yet'} ({provider_plugins.version(name)})"
        )


def _select(platform: Platform) -> None:
    _output(platform, "pulumi", "stack", "select", "--create", STACK)
    if any((paths.BACKEND / ".pulumi" / "locks").rglob("*.json")):
        # An interrupted update leaves its lock, and nobody else uses this backend.
        _output(platform, "pulumi", "cancel", "--yes", STACK)


def _unchanged(platform: Platform) -> bool:
    """Returns True if the last update, as the stack's history has it, changed nothing."""
    command = ("pulumi", "stack", "history", "--json", "--page-size", "1", "--page", "1", "--stack", STACK)
    last = json.loads(_output(platform, *command))[0]
    return not set(last.get("resourceChanges") or {}) - {"same", "read"}


def _show(platform: Platform) -> None:
    """Prints the gateway's pods with their containers, and the plugin's mode, as they are in the cluster."""
    outputs = json.loads(_output(platform, "pulumi", "stack", "output", "--json", "--stack", STACK))
    api = KubeClient(platform.kubeconfig)
    pods = api.request("GET", f"/api/v1/namespaces/{outputs['namespace']}/pods")["items"]
    plugin = api.request("GET", f"/apis/configuration.konghq.com/v1/kongclusterplugins/{outputs['plugin']}")
    rows = [("POD", "READY", "CONTAINERS")]
    rows += [_row(pod) for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        _print_line(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}")
    state = "disabled" if plugin.get("disabled") else "enabled"
    config = plugin["config"]
    _print_line(
        f"plugin {outputs['plugin']}: {state}, mode {config.get('mode', 'sync')}, calls {config['ext_cap_endpoint']}"
    )


def _row(pod: dict[str, Any]) -> tuple[str, str, str]:
    statuses = pod["status"].get("containerStatuses", [])
    names = [item["name"] for item in pod["spec"]["containers"]]
    ready = sum(item["ready"] for item in statuses)
    return (pod["metadata"]["name"], f"{ready}/{len(names)}", ", ".join(names))


def _pulumi(platform: Platform, *arguments: str) -> None:
    """Runs pulumi with its output on the terminal."""
    command = ["pulumi", *arguments, "--stack", STACK]
    done = subprocess.run(command, cwd=paths.CLONE, env=platform.env, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise CommandFailed


def _output(platform: Platform, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=paths.CLONE,
        env=platform.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(f"error: `{' '.join(command)}` failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
        raise CommandFailed
    return done.stdout


def _print_line(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
