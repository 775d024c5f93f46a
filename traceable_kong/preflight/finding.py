"""What preflight says: findings for people, and releases that a killed run left behind."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that stands in the way.

    `subject` is what it is about, `wrong` what is wrong with it and what it would have meant, `mend` what to do, with
    the command. `only_warns` True says it and goes on.
    """

    subject: str
    wrong: str
    mend: str
    only_warns: bool = False


@dataclass(frozen=True, kw_only=True)
class StuckRelease:
    """A Helm release of the stack `owner` that an interrupted operation left in `status` at `revision`.

    `restore` is the revision to roll back to, None where the release is to be removed, which happens only while none
    of its pods serves. Either may take `timeout_seconds` until its pods are ready, or gone. An operation that Helm
    recorded less than `may_run_seconds` ago may still be running.
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
        """The arguments of `helm` that mend it, and that have it wait until it has."""
        what = ["uninstall", self.name] if self.restore is None else ["rollback", self.name, str(self.restore)]
        return [*what, "--namespace", self.namespace, "--wait", "--timeout", f"{self.timeout_seconds}s"]

    @property
    def command(self) -> str:
        """The same as a person types it; the names are DNS labels, so nothing needs quoting."""
        return " ".join(["helm", *self.arguments])

    @property
    def subject(self) -> str:
        return f"Helm release {self.name} in namespace {self.namespace}"


Found = Finding | StuckRelease

Severity = Literal["needed", "advice"]
"""Whether an `up` may go on when a rule could not look: `needed` refuses, `advice` warns."""
