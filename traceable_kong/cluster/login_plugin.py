"""Runs the login plugin (`exec`) of a kubeconfig.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from traceable_kong.cluster.kubeconfig_model import KubeconfigError, LoginPlugin
from traceable_kong.cluster.login import Credentials, bearer
from traceable_kong.common.safe_text import kind_of
from traceable_kong.common.time_limit import within

SECONDS = 60.0
"""For a plugin that does not ask the user."""

INTERACTIVE_SECONDS = 300.0
"""For a person at the terminal."""

OUTPUT_LIMIT = 1024 * 1024

_LOOK = "`kubectl version` shows what it prints"


@dataclass(frozen=True, kw_only=True)
class ExecPlugin:
    """`cluster` is what the plugin is told of the cluster, None for nothing."""

    options: LoginPlugin
    cluster: Mapping[str, Any] | None = field(repr=False)

    def run(self) -> tuple[Credentials, float | None]:
        """Raises KubeconfigError; what the plugin printed is not in its text."""
        interactive = self._is_interactive()
        output = self._output(interactive)
        try:
            return _credentials(json.loads(output), self.options.apiVersion)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise KubeconfigError(f"its login plugin (exec) printed no credentials: {_LOOK}") from None

    def _is_interactive(self) -> bool:
        mode = self.options.mode
        terminal = mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
        if mode == "Always" and not terminal:
            raise KubeconfigError(
                "its login plugin (exec, interactiveMode Always) needs a terminal, and this process has none. Log in "
                "with `kubectl version`, or set interactiveMode to IfAvailable"
            )
        return terminal

    def _output(self, interactive: bool) -> bytes:
        info = {"interactive": interactive, **({"cluster": self.cluster} if self.cluster else {})}
        document = {"apiVersion": self.options.apiVersion, "kind": "ExecCredential", "spec": info}
        added = {item.name: item.value for item in self.options.env}
        seconds = INTERACTIVE_SECONDS if interactive else SECONDS
        try:
            process = subprocess.Popen(
                [self.options.command, *self.options.args],
                env={**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(document)},
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                # A person needs what it asks. Without one, it may print a secret into a log.
                stderr=None if interactive else subprocess.DEVNULL,
                # At a terminal it must stay in the foreground.
                start_new_session=not interactive,
            )
        except (OSError, ValueError) as problem:
            raise KubeconfigError(f"its login plugin (exec) cannot be started: {kind_of(problem)}") from None
        try:
            return self._read(process, seconds)
        finally:
            # With its children, which may hold the pipe open.
            with suppress(OSError):
                process.kill() if interactive else os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _read(self, process: "subprocess.Popen[bytes]", seconds: float) -> bytes:
        stdout = process.stdout
        assert stdout is not None
        try:
            output = within(seconds, lambda: stdout.read(OUTPUT_LIMIT + 1))
            code = process.wait(1) if len(output) <= OUTPUT_LIMIT else 0
        except (TimeoutError, subprocess.TimeoutExpired):
            raise KubeconfigError(f"its login plugin (exec) did not end within {seconds:.0f} s: {_LOOK}") from None
        if code != 0:
            raise KubeconfigError(f"its login plugin (exec) failed with exit code {code}: {_LOOK}")
        return output


def _credentials(document: Any, version: str) -> tuple[Credentials, float | None]:
    if document["apiVersion"] != version or document["kind"] != "ExecCredential":
        raise ValueError
    status = document["status"]
    token, certificate, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
    if not (token or certificate) or bool(certificate) != bool(key):
        raise ValueError
    if not all(isinstance(value, str) for value in (token, certificate, key) if value):
        raise TypeError
    expires = status.get("expirationTimestamp")
    return (
        Credentials(
            headers=(bearer(token),) if token else (), certificate=f"{certificate}\n{key}\n" if certificate else None
        ),
        datetime.fromisoformat(expires).timestamp() if expires else None,
    )
