"""What preflight finds: problems for a person to fix, and Helm releases that `up` repairs."""

from dataclasses import dataclass
from typing import Literal

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.plan.release_model import HelmRelease

Severity = Literal["error", "warning", "error_in_up"]
"""`error` stops previews and updates. `error_in_up` stops an `up`, and is a warning in a preview."""


def deployment_subject(deployment: KongDeployment) -> str:
    """How findings name Kong's Deployment."""
    return f"deployment {deployment.name} in namespace {deployment.namespace}"


def kong_subject(deployment: KongDeployment) -> str:
    """How findings name the Kong that the Deployment runs."""
    return f"Kong in deployment {deployment.name}, namespace {deployment.namespace}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem with `subject`, which is named as kubectl does, for example `secret a in namespace b`.

    `problem` continues `subject`: what is wrong, and what would happen. It has no period at its end. `fix` is what to
    do, with the command.
    """

    subject: str
    problem: str
    fix: str
    severity: Severity = "error"


@dataclass(frozen=True, kw_only=True)
class StuckRelease:
    """A Helm release of this stack that an interrupted operation left in `status` at `revision`.

    `restore` is the revision to roll back to; None if the release has to be uninstalled, which happens only while none
    of its pods is ready.
    """

    release: HelmRelease
    status: str
    revision: int
    restore: int | None

    @property
    def arguments(self) -> list[str]:
        """The arguments of `helm` that repair the release and wait for it."""
        name, namespace = self.release.name, self.release.namespace
        what = ["uninstall", name] if self.restore is None else ["rollback", name, str(self.restore)]
        return [*what, "--namespace", namespace, "--wait", "--timeout", f"{self.release.timeout_seconds}s"]

    @property
    def command(self) -> str:
        """The same command for a shell. The names are DNS labels, so nothing needs quoting."""
        return " ".join(["helm", *self.arguments])

    @property
    def history_command(self) -> str:
        return f"helm history {self.release.name} --namespace {self.release.namespace}"

    @property
    def subject(self) -> str:
        return f"Helm release {self.release.name} in namespace {self.release.namespace}"


Found = Finding | StuckRelease
