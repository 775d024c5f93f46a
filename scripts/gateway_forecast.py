"""What a preview means for each TraceableOnKong of a program: its gateway's protection, rollouts, and what is lost.

Resources are recognized by their types and by the component around them (traceable_kong/components), whatever the
program calls them. Other resources of the program, such as a Kong that it installs itself, are not judged.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.preview_reading import COMPONENT, UNKNOWN_VALUE, Preview, Step, shown

BESIDES = ("Stash", "Provider")
"""Resources of a component that are nothing in the cluster."""

FILES = {
    "create": "its pods get the plugin's files",
    "delete": "the plugin's files are removed from its pods",
    "replace": "the plugin's files are moved to the pods of another Deployment",
    "update": "the plugin's files in its pods change",
}

INNER = "traceable-kong:index:"
PLUGINS = {"TraceablePlugin", "TraceableAdminPlugin"}
RELEASE = "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Why the gateway's pods are replaced; `certain` is False where the preview cannot show whether they are."""

    reason: str
    certain: bool = True


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What happens to one gateway, or to an agent without one.

    `now` and `then` are the entries of the record, empty without one, and None where the preview does not show it.
    `guard` is the action of the admission policy now and then (`deny`, `warn`, `off`), None where it does not change.
    `losses` are sentences. `removed`: the component is no longer in the program. `hidden`: the preview does not know an
    argument, so it shows nothing of what is installed.
    """

    name: str
    removed: bool
    hidden: bool
    changes: tuple[Step, ...]
    now: Mapping[str, str] | None
    then: Mapping[str, str] | None
    guard: tuple[str, str] | None
    rollouts: tuple[Rollout, ...]
    losses: tuple[str, ...]

    @property
    def agent_only(self) -> bool:
        return (self.then or self.now or {}).get("gateway") == "false"

    @property
    def is_change(self) -> bool:
        return bool(self.changes or self.hidden)


def forecasts(preview: Preview) -> tuple[Forecast, ...]:
    """One for each component, by name; none where the preview failed."""
    if preview.failed:
        return ()
    parts = [
        _Part(step, [other for other in preview.steps if other.component == step.component])
        for step in preview.steps
        if step.types[-1] == COMPONENT and step.op != "refresh"
    ]
    names = [part.name for part in parts]
    found = [part.forecast(unique=names.count(part.name) == 1) for part in parts]
    return tuple(sorted(found, key=lambda forecast: forecast.name))


class _Part:
    """One component with its steps."""

    def __init__(self, step: Step, steps: list[Step]) -> None:
        self.name = step.name
        self._step = step
        self._steps = steps
        self._inner = {
            item.types[-1].removeprefix(INNER)
            for item in steps
            if item.types[-2:-1] == (COMPONENT,) and item.types[-1].startswith(INNER)
        }
        self._removed = step.op in ("delete", "forget")
        self._hidden = not self._removed and not self._inner
        self._release = self._changed("KongGateway", RELEASE)

    def forecast(self, *, unique: bool) -> Forecast:
        now, then = self._records()
        return Forecast(
            name=self.name if unique else "/".join([*self._step.types[:-1], self.name]),
            removed=self._removed,
            hidden=self._hidden,
            changes=tuple(step for step in self._steps if step.is_change),
            now=now,
            then=then,
            guard=self._guard(),
            rollouts=tuple(self._rollouts()),
            losses=tuple(self._losses(now, then)),
        )

    def _found(self, component: str, kind: str) -> list[Step]:
        """The steps of the resources with this type in the inner component of that one."""
        wanted = (COMPONENT, f"{INNER}{component}", kind)
        return [step for step in self._steps if step.types[-3:] == wanted]

    def _changed(self, component: str, kind: str) -> Step | None:
        """The last change: an adopted Helm release is imported first, and then updated."""
        return next((step for step in reversed(self._found(component, kind)) if step.is_change), None)

    def _records(self) -> tuple[Mapping[str, str] | None, Mapping[str, str] | None]:
        found = self._found("Installation", "kubernetes:core/v1:ConfigMap")
        # After --refresh, the record that is no longer in the cluster is only in the step that noticed it.
        now = next((_texts(step.old) for step in reversed(found) if step.old), None)
        if now is None and (self._step.op == "create" or not self._inner & PLUGINS):
            now = {}
        last = next((step for step in reversed(found) if step.op != "refresh"), None)
        if self._hidden or (last is not None and last.op == "forget"):
            return now, None
        return now, _texts(last.new) if last is not None else {}

    def _guard(self) -> tuple[str, str] | None:
        kind = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding"
        binding = self._changed("TmeGuard", kind)
        if binding is None or binding.op == "forget" or _action(binding.old) == _action(binding.new):
            return None
        return _action(binding.old), _action(binding.new)

    def _rollouts(self) -> Iterator[Rollout]:
        if self._release is not None:
            yield from _release_rollouts(self._release)
        tme = self._tme_rollout()
        files = self._changed("ExistingKong", "pulumi-python:dynamic/traceable:DeploymentFiles")
        if files is None or files.op == "forget" or not _differ(files, "container", "files", "plugins"):
            yield from tme
        elif files.op == "delete":
            # Pulumi does not wait for the rollout that the deletion of the other patch starts.
            yield from (*tme, Rollout(reason=FILES[files.op], certain=not tme))
        else:
            yield from (Rollout(reason=FILES[files.op]), *tme)

    def _tme_rollout(self) -> tuple[Rollout, ...]:
        patch = self._changed("TmeInjection", "kubernetes:apps/v1:DeploymentPatch")
        # The patch is deleted together with a release, without a rollout.
        if patch is None or patch.op == "forget" or (patch.op == "delete" and _goes(self._release)):
            return ()
        before = None if patch.op == "replace" else patch.old.get("spec")
        after = patch.new.get("spec")
        if before == after:
            return ()
        if before and after and UNKNOWN_VALUE in json.dumps(after):
            return (Rollout(reason="the agent changes, and may give the TME other settings", certain=False),)
        if before and after:
            return (Rollout(reason="the settings of the TME change"),)
        return (Rollout(reason=f"the TME is {'injected into' if after else 'removed from'} its pods"),)

    def _losses(self, now: Mapping[str, str] | None, then: Mapping[str, str] | None) -> Iterator[str]:
        ops = {step.op for step in self._steps if step.is_change and step.kind not in BESIDES}
        uninstalled = "enabled" in (now or {}) and then is not None and "enabled" not in then
        if self._removed and ops == {"forget"}:
            yield "This gives up what this component has installed: it stays in the cluster, and no stack manages it"
        elif self._removed and ops and (now or {}).get("gateway") == "false":
            yield "This uninstalls the agent, and a gateway that uses it is then unprotected"
        elif self._release is not None and self._release.op == "delete":
            yield "This uninstalls Kong, so this gateway is gone"
        elif (self._removed and ops) or uninstalled:
            yield "This uninstalls Traceable, and the gateway is then unprotected"
        if _goes(self._changed("ManagedPostgres", "kubernetes:apps/v1:StatefulSet")):
            yield "This deletes Kong's managed database with its data"


def _release_rollouts(release: Step) -> Iterator[Rollout]:
    """Only Helm knows which values reach the pods, apart from the mounted files."""
    if release.op == "create":
        yield Rollout(reason="the gateway is installed")
    elif release.op == "replace":
        yield Rollout(reason="the gateway is replaced by a new one")
    elif release.op == "update":
        paths = [field.path for field in release.fields]
        if any(path.startswith("values.plugins.configMaps") for path in paths):
            yield Rollout(reason=FILES["update"])
        elif not paths or any(path.startswith(("values", "chart", "version", "repositoryOpts")) for path in paths):
            what = "the gateway's chart or its values change, which may not reach its pods"
            yield Rollout(reason=what, certain=False)


def _goes(step: Step | None) -> bool:
    return step is not None and step.op in ("delete", "replace")


def _differ(step: Step, *keys: str) -> bool:
    return any(step.old.get(key) != step.new.get(key) for key in keys)


def _action(binding: Mapping[str, Any]) -> str:
    actions = (binding.get("spec") or {}).get("validationActions")
    if not actions:
        return "off"
    return "deny" if "Deny" in actions else "warn"


def _texts(inputs: Mapping[str, Any]) -> dict[str, str]:
    return {key: shown(value) for key, value in (inputs.get("data") or {}).items()}
