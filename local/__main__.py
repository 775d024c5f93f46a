"""`python -m local up|preview|down|status`: what the Makefile calls. The stack `local` on the embedded platform."""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from local import paths
from local.control_plane import kwok_cluster
from local.platform import Platform, PlatformError
from local.toolchain import provider_plugins

STACK = "local"


class CommandFailed(Exception):
    """A command of ours failed after it had said why."""


def main() -> int:
    """Runs one of the commands; the exit code is for make."""
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
        print("\nstopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


def up() -> None:
    """Platform, stack, and what stands at the end."""
    started = time.monotonic()
    platform = Platform.ensure(report=_print_line)
    _select(platform)
    before = _changes(platform)
    _pulumi(platform, "up", "--yes", "--skip-preview")
    changed = _changes(platform) - before
    _print_line("")
    _show(platform)
    if changed == 0:
        _print_line("\nnothing to change: everything stands as Pulumi.local.yaml says")
    _print_line(f"\ndone in {time.monotonic() - started:.0f} s")
    _print_line(f"to work by hand in this shell: source {paths.ENVIRONMENT.relative_to(paths.CLONE)}")


def preview() -> None:
    """What `up` would do."""
    platform = Platform.ensure(report=_print_line)
    _select(platform)
    _pulumi(platform, "preview")


def down() -> None:
    """Destroys the stack and removes the platform."""
    if not paths.STATE.exists():
        _print_line("nothing to take down: the platform is not there")
        return
    if kwok_cluster.alive():
        platform = Platform.ensure(report=_print_line)
        _select(platform)
        _pulumi(platform, "destroy", "--yes", "--skip-preview")
    else:
        _print_line("cluster: not running, so the stack went with it")
    Platform.stop()
    _print_line(
        "the stack is destroyed, the cluster is stopped and removed; the built tools are kept for the next time"
    )


def status() -> None:
    """What is there, without changing it."""
    _print_line(f"cluster: {'running' if kwok_cluster.alive() else 'not running'} ({kwok_cluster.NAME})")
    for name in provider_plugins.STAND_INS:
        _print_line(
            f"{name} plugin: {provider_plugins.chosen(name) or 'not chosen yet'} ({provider_plugins.version(name)})"
        )


def _select(platform: Platform) -> None:
    listed = _output(platform, "pulumi", "stack", "ls", "--json")
    if STACK in [item["name"] for item in json.loads(listed)]:
        _output(platform, "pulumi", "stack", "select", STACK)
        # A run that was killed leaves its lock; on this platform nobody else runs.
        _output(platform, "pulumi", "cancel", "--yes", STACK)
    else:
        _output(platform, "pulumi", "stack", "init", STACK)


def _changes(platform: Platform) -> int:
    """How many changes the stack's history counts, those that left everything as it was aside."""
    history = json.loads(_output(platform, "pulumi", "stack", "history", "--json", "--stack", STACK))
    return sum(
        count
        for entry in history
        for operation, count in (entry.get("resourceChanges") or {}).items()
        if operation not in ("same", "read")
    )


def _show(platform: Platform) -> None:
    """The gateway's pods with their containers, and the plugin's mode, as the cluster has them."""
    outputs = json.loads(_output(platform, "pulumi", "stack", "output", "--json", "--stack", STACK))
    pods = json.loads(
        _output(platform, "kubectl", "get", "pods", "--namespace", outputs["namespace"], "--output", "json")
    )["items"]
    plugin = json.loads(_output(platform, "kubectl", "get", "kongclusterplugin", outputs["plugin"], "--output", "json"))
    rows = [("POD", "READY", "CONTAINERS")]
    rows += [_row(pod) for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        _print_line(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}")
    state = "disabled" if plugin.get("disabled") else "enabled"
    config = plugin["config"]
    _print_line(
        f"plugin {outputs['plugin']}: {state}, mode {config.get('mode', 'sync')}, asks {config['ext_cap_endpoint']}"
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
