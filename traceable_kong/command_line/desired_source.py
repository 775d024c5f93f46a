"""Where `verify` reads what must hold: the record, compared with the stack's outputs if --stack is given."""

import argparse
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.plan.blocking_record import Blocking, blocking_of
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.state_record import UnreadableRecord
from traceable_kong.verification.stack_outputs import NoOutputs, run_with_an_export, stack_outputs
from traceable_kong.verification.trusted_record import (
    AdminOptions,
    RecordRefused,
    read_record,
    trusted_alone,
    trusted_note,
    written_by,
)


@dataclass(frozen=True, kw_only=True)
class Desired:
    """What must hold. `notes` are for the report, on where that comes from; `blocking` is None if it is not known."""

    state: DesiredState
    blocking: Blocking | None
    notes: tuple[str, ...] = ()


class DesiredSource:
    """Reads what must hold, again and again: an update of the stack changes it.

    `project` is the folder of the stack's Pulumi project, None for the current one.
    """

    def __init__(self, options: argparse.Namespace, project: Path | None) -> None:
        self._options = options
        self._project = project
        self._outputs: Mapping[str, Any] | None = None

    def read(self, api: KubernetesClient) -> Desired:
        """Raises ApiError, Unreachable, UnreadableRecord, RecordRefused or NoOutputs."""
        if not self._options.stack:
            return self._by_record(api)
        known = self._outputs
        try:
            return self._by_stack(api)
        except (RecordRefused, UnreadableRecord):
            if known is None:
                raise
            # The stack may have been updated since its outputs were read.
            self._outputs = None
            return self._by_stack(api)

    def _by_record(self, api: KubernetesClient) -> Desired:
        options = self._options
        record = read_record(api, options.namespace)
        admin = AdminOptions(
            url=options.admin_url,
            token_secret=options.admin_token_secret,
            ca_secret=options.admin_ca_secret,
            client_certificate_secret=options.admin_client_certificate_secret,
        )
        state = trusted_alone(api, record, deployment=options.deployment, admin=admin)
        return Desired(state=state, blocking=blocking_of(record.data), notes=(trusted_note(record, state),))

    def _by_stack(self, api: KubernetesClient) -> Desired:
        options = self._options
        if self._outputs is None:
            self._outputs = self._read_outputs()
        record = read_record(api, str(self._outputs["namespace"]), stack=options.stack)
        state = written_by(record, options.stack, self._outputs)
        return Desired(state=state, blocking=blocking_of(record.data))

    def _read_outputs(self) -> Mapping[str, Any]:
        options = self._options
        outputs = stack_outputs(options.stack, options.stack_output, folder=self._project)
        if not outputs.get("recordDigest"):
            if fix := run_with_an_export(outputs):
                raise NoOutputs(
                    f"Stack {options.stack} exports the outputs of TraceableOnKong in an output of its own. Nothing "
                    f"was verified. {fix}"
                )
            within = f"Output {options.stack_output} of stack" if options.stack_output else "Stack"
            raise NoOutputs(
                f"{within} {options.stack} has no gateway with Traceable: it is an agent without a gateway, Traceable "
                "is uninstalled, or no update has succeeded yet. Nothing was verified. `pulumi stack output --stack "
                f"{shlex.quote(options.stack)}` shows the outputs."
            )
        for option in ("namespace", "deployment"):
            given, recorded = getattr(options, option), outputs.get(option)
            if given not in (None, recorded):
                raise NoOutputs(
                    f"The {option} of stack {options.stack} is {recorded}, not {given}. Nothing was verified. Run "
                    f"without --{option}."
                )
        return outputs
