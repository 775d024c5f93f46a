"""A stack of its own for one live test: the user's own program, run by the real engine with the pulumi CLI.

Each has its own namespaces, Kong release, ingress class, agent and injector, so that tests do not meet; the cluster is
shared.
"""

import json
import os
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import local.injector
from local import paths
from local.platform import Platform
from tests.live.history import History
from tests.live.promises import TME_IMAGE, Gateway, rollouts, violations
from tests.live.recorder import Recorder

PROGRAM = Path(__file__).parents[2]
PROJECT = "traceable-kong"
PASSPHRASE = "live tests"
COMMAND_TIMEOUT_SECONDS = 240
ROLLOUT_TIMEOUT_SECONDS = 60
TOKEN = "live-test-platform-token"


class CommandFailed(Exception):
    """A command ended with an error; the text is what it printed."""


@dataclass
class Recording:
    """What was recorded; `rollouts` of the gateway and `seconds` are known when it is over."""

    history: History
    rollouts: int = 0
    seconds: float = 0.0


@dataclass
class LiveStack:
    """One stack, in a folder with a copy of the program as it stands in the repository."""

    platform: Platform
    directory: Path
    name: str = field(default_factory=lambda: f"live-{uuid.uuid4().hex[:6]}")
    tme_image: str = TME_IMAGE

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
        tracked = self._run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=PROGRAM).split("\n")
        for path in tracked:
            if (path.endswith(".py") and path.split("/")[0] not in ("local", "tests")) or path == "Pulumi.yaml":
                (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROGRAM / path, self.directory / path)
        # Pulumi.yaml names it; a dynamic provider runs in it, also where no program does.
        (self.directory / ".venv").symlink_to(paths.VENV_BIN.parent)
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
        # The stack is selected by this, so that the commands are those that a person types.
        self.pulumi("stack", "init", self.name)
        self.pulumi("config", "set", "--secret", f"{PROJECT}:agentToken", stdin=TOKEN)

    def let_the_chart_name_the_injector(self) -> None:
        """As `make up` has it: the address of the injector is a default of the chart, and the stack does not say it."""
        source, values = self.platform.charts / "traceable-agent", self.config("agentValues")
        chart = self.directory / "charts" / "traceable-agent"
        shutil.copytree(source, chart)
        defaults = yaml.safe_load((chart / "values.yaml").read_text())
        defaults["injectorWebhookDomain"] = values["injectorWebhookDomain"]
        defaults["injector"]["caBundle"] = values["injector"]["caBundle"]
        (chart / "values.yaml").write_text(yaml.safe_dump(defaults))
        self.set(agent={**self.config("agent"), "chart": {"path": str(chart)}})
        self.unset("agentValues")

    def config(self, key: str) -> Any:
        """What the stack file says at this key."""
        document = yaml.safe_load((self.directory / f"Pulumi.{self.name}.yaml").read_text())
        return document["config"][f"{PROJECT}:{key}"]

    def start_injector(self) -> local.injector.Injector:
        """This stack's injector, at the same address as before where it was stopped."""
        return local.injector.start(
            self.directory / "injector", agent_namespace=self.agent_namespace, kubeconfig=self.platform.kubeconfig
        )

    def set(self, **config: Any) -> None:
        """Writes these keys into the stack file, beside those that stand there."""
        path = self.directory / f"Pulumi.{self.name}.yaml"
        document = yaml.safe_load(path.read_text()) if path.exists() else {}
        document.setdefault("config", {}).update({f"{PROJECT}:{key}": value for key, value in config.items()})
        path.write_text(yaml.safe_dump(document))

    def unset(self, *keys: str) -> None:
        """Takes these keys out of the stack file, where they are in it."""
        path = self.directory / f"Pulumi.{self.name}.yaml"
        document = yaml.safe_load(path.read_text())
        for key in keys:
            document["config"].pop(f"{PROJECT}:{key}", None)
        path.write_text(yaml.safe_dump(document))

    def configured(self, key: str) -> Any:
        """What the stack file says of this key."""
        document = yaml.safe_load((self.directory / f"Pulumi.{self.name}.yaml").read_text())
        return document["config"].get(f"{PROJECT}:{key}")

    def up(self, *options: str) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", *options)

    def preview(self, *options: str) -> str:
        return self.pulumi("preview", *options)

    @contextmanager
    def recorded(self, gateway: Gateway | None = None) -> Iterator[Recording]:
        """Records the gateway (`self.gateway`, or what is known of it here) meanwhile: no promise may be broken."""
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

    def kubectl(self, *arguments: str) -> str:
        return self._run(["kubectl", *arguments])

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        return list(json.loads(self.kubectl("get", *arguments, "--output", "json"))["items"])

    def apply(self, document: dict[str, Any]) -> None:
        """Makes an object as somebody else."""
        self._run(["kubectl", "apply", "-f", "-"], stdin=json.dumps(document))

    def verify(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """The command that the stack's output names."""
        return self.run_verify(*shlex.split(self.outputs()["verify"])[2:], *options)

    def run_verify(self, *options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [paths.VENV_BIN / "python", "verify.py", *options],
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )

    def destroy(self, *options: str) -> str:
        return self.pulumi("destroy", "--yes", "--skip-preview", *options)

    def helm(self, *arguments: str) -> str:
        return self._run(["helm", *arguments])

    def pulumi(self, *arguments: str, stdin: str | None = None) -> str:
        return self._run(["pulumi", *arguments], stdin=stdin)

    def tear_down(self) -> None:
        """Destroys the stack in whatever state it is, and leaves nothing running."""
        try:
            self.pulumi("cancel", "--yes", self.name)
            self.destroy()
        finally:
            local.injector.stop(self.directory / "injector")

    def story(self) -> str:
        """What stands in the cluster, for the report of a test that failed."""
        parts = []
        for namespace in (self.kong_namespace, self.agent_namespace):
            for what in ("deployments,pods,configmaps", "events"):
                try:
                    parts.append(self.kubectl("get", what, "--namespace", namespace, "--output", "wide"))
                except CommandFailed as problem:
                    parts.append(str(problem))
        log = self.directory / "injector" / "injector.log"
        if log.exists():
            parts.append(log.read_text()[-4000:])
        return "\n\n".join(parts)

    def environment(self) -> dict[str, str]:
        state = self.directory / "state"
        state.mkdir(exist_ok=True)
        environment = {
            **self.platform.env,
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "NO_COLOR": "1",
        }
        environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        return environment

    def _run(self, command: list[str], *, stdin: str | None = None, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or self.directory,
            env=self.environment() if cwd is None else dict(os.environ),
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise CommandFailed(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout
