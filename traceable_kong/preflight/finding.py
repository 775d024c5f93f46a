"""What preflight finds: problems for a person to fix, and Helm releases that `up` repairs."""

from dataclasses import dataclass
from typing import Literal

from traceable_kong.cluster.kong_deployment import KongDeployment

Severity = Literal["error", "warning", "error_in_up"]
"""`error` stops previews and updates. `error_in_up` stops an `up`, and is a warning in a preview."""


def deployment_subject(deployment: KongDeployment) -> str:
    """How findings name Kong's Deployment."""
    return f"deployment {deployment.name} in namespace {deployment.namespace}"


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
    """A Helm release of the stack `owner` that an interrupted operation left in `status` at `revision`.

    `restore` is the revision to roll back to; None if the release has to be uninstalled, which happens only while none
    of its pods is ready. Helm waits `timeout_seconds` for the pods. An operation that Helm recorded less than
    `may_run_seconds` ago may still be running.
    """

    namespace: str
    name: str
    owner: str
    status: str
    revision: int
    restore: int | None
    timeout_seconds: int
    may_run_seconds: int

    @property
    def arguments(self) -> list[str]:
        """The arguments of `helm` that repair the release and wait for it."""
        what = ["uninstall", self.name] if self.restore is None else ["rollback", self.name, str(self.restore)]
        return [*what, "--namespace", self.namespace, "--wait", "--timeout", f"{self.timeout_seconds}s"]

    @property
    def command(self) -> str:
        """The same command for a shell. The names are DNS labels, so nothing needs quoting."""
        return " ".join(["helm", *self.arguments])

    @property
    def subject(self) -> str:
        return f"Helm release {self.name} in namespace {self.namespace}"


Found = Finding | StuckRelease
