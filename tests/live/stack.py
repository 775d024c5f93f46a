"""A stack of its own for one live test: the program in this repository, run by the real engine with the pulumi CLI.

Each stack has its own namespaces, Kong release, ingress class, agent and injector, so that tests do not affect one
another; the cluster is shared.
"""

import json
import os
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import local.injector
from local import paths
from local.kubelet.kube_client import KubeClient
from local.platform import Platform
from tests.live import stack_objects
from tests.live.commands import CommandFailed, execute, run
from tests.live.warm import SOCKET_VARIABLE
from tests.live.warm.python_server import VIRTUAL_ENVIRONMENT
from tests.recorder.history import History
from tests.recorder.promises import TME_IMAGE, Gateway, rollouts, violations
from tests.recorder.recorder import Recorder

CLONE = Path(__file__).parents[2]
PROJECT = "traceable-kong"
PASSPHRASE = "live tests"
ROLLOUT_TIMEOUT_SECONDS = 60
TOKEN = "live-test-platform-token"
NO_CHANGES = "--expect-no-changes"
"""Makes pulumi fail where anything would change."""

NO_DRIFT = ("--refresh", NO_CHANGES)
"""The same, compared with the cluster, as the workflow `drift` does it every night."""

_ENCRYPTED_TOKEN: dict[str, Any] = {}
"""The salt and the encrypted token of the first stack. All stacks have one passphrase, so the others get them, too."""

UNCHANGED = "Nothing was changed"
"""How a refused command says that it changed nothing."""


@dataclass
class Recording:
    """What was recorded; `rollouts` of the gateway and `seconds` are known when it is over."""

    history: History
    rollouts: int = 0
    seconds: float = 0.0


def copy_of_clone(folder: Path, wanted: Callable[[str], bool]) -> None:
    """Copies the wanted files of the working tree, by their paths in the repository; none that git ignores."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    for path in filter(wanted, run(*command, environment=os.environ, folder=CLONE).splitlines()):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CLONE / path, folder / path)


def _is_program(path: str) -> bool:
    return (path.endswith(".py") and path.split("/")[0] not in ("local", "tests")) or path == "Pulumi.yaml"


@dataclass
class LiveStack:
    """One stack, in a folder with a copy of the program as it is in the working tree.

    With `cold`, each Python process of its commands starts as on a user's machine (tests/live/warm).
    """

    platform: Platform
    directory: Path
    name: str = field(default_factory=lambda: f"live-{uuid.uuid4().hex[:6]}")
    tme_image: str = TME_IMAGE
    cold: bool = False

    @property
    def kong_namespace(self) -> str:
        return f"{self.name}-kong"

    @property
    def agent_namespace(self) -> str:
        return f"{self.name}-agent"

    @property
    def gateway(self) -> Gateway:
        labels = {"name": "kong", "instance": self.name, "component": "app"}
        return Gateway(
            namespace=self.kong_namespace,
            deployment=f"{self.name}-kong",
            selector={f"app.kubernetes.io/{key}": value for key, value in labels.items()},
            ingress_class=self.name,
            tme_image=self.tme_image,
        )

    def prepare(self, **config: Any) -> None:
        """Copies the program, starts an injector for this stack's agent, and writes the stack's config."""
        self._copy_program()
        injector = self.start_injector()
        self.set(
            plugin={"rock": str(self.platform.rock), "name": f"{self.name}-plugin"},
            agent={
                "namespace": self.agent_namespace,
                "chart": {"path": str(self.platform.charts / "traceable-agent")},
            },
            agentValues={
                "injectorWebhookDomain": injector.domain,
                "injector": {"caBundle": injector.ca_bundle},
            },
            kong={
                "namespace": self.kong_namespace,
                "release": self.name,
                "ingressClass": self.name,
                "chart": {"path": str(self.platform.charts / "kong")},
                "timeoutSeconds": ROLLOUT_TIMEOUT_SECONDS,
            },
            kongValues={"proxy": {"type": "NodePort"}},
            **config,
        )
        if _ENCRYPTED_TOKEN:
            self.set(agentToken=_ENCRYPTED_TOKEN["token"])
            self.file.write_text(f"{self.file.read_text()}encryptionsalt: {_ENCRYPTED_TOKEN['salt']}\n")
        # `init` selects the stack, so that tests run the commands that a person types.
        self.pulumi("stack", "init", self.name)
        if not _ENCRYPTED_TOKEN:
            self.pulumi("config", "set", "--secret", f"{PROJECT}:agentToken", stdin=TOKEN)
            document = yaml.safe_load(self.file.read_text())
            _ENCRYPTED_TOKEN.update(salt=document["encryptionsalt"], token=self.configured("agentToken"))

    def _copy_program(self) -> None:
        copy_of_clone(self.directory, _is_program)
        # Pulumi.yaml names it; a dynamic provider runs in it, also in commands that run no program.
        warm = SOCKET_VARIABLE in self.environment()
        (self.directory / ".venv").symlink_to(VIRTUAL_ENVIRONMENT if warm else paths.VENV_BIN.parent)

    def start_injector(self) -> local.injector.Injector:
        """Starts this stack's injector; one that was stopped gets the same address again."""
        return local.injector.start(
            self.directory / "injector", agent_namespace=self.agent_namespace, kubeconfig=self.platform.kubeconfig
        )

    def use_injector_of_chart(self) -> None:
        """Makes the injector's address a default of the chart, as in `make up`; the stack file then has none."""
        source, values = self.platform.charts / "traceable-agent", self.configured("agentValues")
        chart = self.directory / "charts" / "traceable-agent"
        shutil.copytree(source, chart)
        defaults = yaml.safe_load((chart / "values.yaml").read_text())
        defaults["injectorWebhookDomain"] = values["injectorWebhookDomain"]
        defaults["injector"]["caBundle"] = values["injector"]["caBundle"]
        (chart / "values.yaml").write_text(yaml.safe_dump(defaults))
        self.set(agent={**self.configured("agent"), "chart": {"path": str(chart)}})
        self.unset("agentValues")

    @property
    def file(self) -> Path:
        """The stack file."""
        return self.directory / f"Pulumi.{self.name}.yaml"

    def configured(self, key: str) -> Any:
        """The value of this key in the stack file, None without one."""
        return yaml.safe_load(self.file.read_text())["config"].get(f"{PROJECT}:{key}")

    def set(self, **config: Any) -> None:
        """Writes these keys into the stack file; the other keys stay."""
        document = yaml.safe_load(self.file.read_text()) if self.file.exists() else {}
        document.setdefault("config", {}).update({f"{PROJECT}:{key}": value for key, value in config.items()})
        self.file.write_text(yaml.safe_dump(document))

    def update(self, key: str, **changes: Any) -> None:
        """Writes these entries of the object `key` into the stack file; its other entries stay."""
        self.set(**{key: {**(self.configured(key) or {}), **changes}})

    def unset(self, *keys: str) -> None:
        """Removes these keys from the stack file."""
        document = yaml.safe_load(self.file.read_text())
        for key in keys:
            document["config"].pop(f"{PROJECT}:{key}", None)
        self.file.write_text(yaml.safe_dump(document))

    def up(self, *options: str) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", *options)

    def preview(self, *options: str) -> str:
        return self.pulumi("preview", *options)

    def refresh(self, *options: str) -> str:
        return self.pulumi("refresh", "--yes", "--skip-preview", *options)

    def destroy(self, *options: str) -> str:
        return self.pulumi("destroy", "--yes", "--skip-preview", *options)

    def failed_preview(self) -> str:
        """The output of a preview that must fail."""
        return self.failed("preview")

    def failed(self, *command: str) -> str:
        """The output of a pulumi command that must fail."""
        with pytest.raises(CommandFailed) as failure:
            self.pulumi(*command)
        return str(failure.value)

    @contextmanager
    def recorded(self, gateway: Gateway | None = None) -> Iterator[Recording]:
        """Records the gateway (`self.gateway` by default) and fails where a promise was broken meanwhile."""
        gateway = gateway or self.gateway
        with Recorder(self.platform.kubeconfig, self.kong_namespace) as history:
            recording = Recording(history)
            started = time.monotonic()
            yield recording
            recording.seconds = time.monotonic() - started
        broken = violations(history, gateway)
        assert not broken, "\n".join(["promises were broken:", *map(str, broken)])
        recording.rollouts = rollouts(history, gateway)

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json")))

    def verify(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Runs the command of the stack output `verify`."""
        return self.run_verify(*shlex.split(self.outputs()["verify"])[2:], *options)

    def run_verify(self, *options: str) -> "subprocess.CompletedProcess[str]":
        return self.execute(str(self.directory / ".venv" / "bin" / "python"), "verify.py", *options)

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """The items of a `kubectl get`."""
        return list(json.loads(self.kubectl("get", *arguments, "--output", "json"))["items"])

    def apply(self, *documents: dict[str, Any]) -> None:
        """Applies objects with kubectl, as a manager other than the stack."""
        self.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump_all(documents))

    def kubectl(self, *arguments: str) -> str:
        return self.run("kubectl", *arguments)

    def helm(self, *arguments: str, stdin: str | None = None) -> str:
        return self.run("helm", *arguments, stdin=stdin)

    def pulumi(self, *arguments: str, stdin: str | None = None) -> str:
        return self.run("pulumi", *arguments, stdin=stdin)

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Runs a command in the stack's folder and returns its stdout. Raises CommandFailed."""
        return run(*command, environment=self.environment(), folder=self.directory, stdin=stdin)

    def execute(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command in the stack's folder, whatever its exit code."""
        return execute(*command, environment=self.environment(), folder=self.directory)

    def tear_down(self) -> None:
        """Destroys the stack in whatever state it is, and stops its injector."""
        try:
            self.pulumi("cancel", "--yes", self.name)
            self.destroy()
        finally:
            local.injector.stop(self.directory / "injector")

    def discard(self) -> None:
        """Deletes the stack's objects without Pulumi and without waiting for its namespaces."""
        try:
            stack_objects.delete(KubeClient(self.platform.kubeconfig), self.name)
        finally:
            local.injector.stop(self.directory / "injector")

    def diagnostics(self) -> str:
        """The stack's objects and events, for the report of a failed test."""
        parts = []
        for namespace in (self.kong_namespace, self.agent_namespace):
            for kinds in ("deployments,pods,configmaps", "events"):
                try:
                    parts.append(self.kubectl("get", kinds, "--namespace", namespace, "--output", "wide"))
                except CommandFailed as problem:
                    parts.append(str(problem))
        log = self.directory / "injector" / "injector.log"
        if log.exists():
            parts.append(log.read_text()[-4000:])
        return "\n\n".join(parts)

    def environment(self) -> dict[str, str]:
        """The environment of the stack's commands."""
        state = self.directory / "state"
        state.mkdir(exist_ok=True)
        environment = {
            **self.platform.env,
            "PULUMI_BACKEND_URL": paths.file_backend(state),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "NO_COLOR": "1",
        }
        environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        if self.cold:
            environment.pop(SOCKET_VARIABLE, None)
        return environment


NewStack = Callable[..., LiveStack]
"""The fixture `new_stack`."""
