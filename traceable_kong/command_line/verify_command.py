"""`verify --stack dev`, or `verify --namespace kong`: verifies that every gateway pod is protected as configured.

What must hold is read from the record in Kong's namespace. With `--stack`, the record is compared with the stack's
outputs; without, it is trusted within limits (verification/trusted_record.py), and neither config nor state is needed.
The kubeconfig needs the permissions in docs/security.md. Changes nothing.

Exit codes are in verify_outcome.py.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from traceable_kong.cluster.kubeconfig import UnusableKubeconfig, connect
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.command_line.desired_source import Desired, DesiredSource
from traceable_kong.command_line.output_formats import formatted
from traceable_kong.command_line.smoke_options import smoke_report, wants_smoke
from traceable_kong.command_line.verify_options import parse_options
from traceable_kong.command_line.verify_outcome import INTERRUPTED, NOT_OBSERVED, VerifyOutcome, with_targets
from traceable_kong.command_line.watch import watch
from traceable_kong.command_line.watch_displays import display_for
from traceable_kong.common.commands import cluster_options, on_stack
from traceable_kong.common.safe_text import kind_of
from traceable_kong.plan.state_record import UnreadableRecord
from traceable_kong.verification import deadline, verifier
from traceable_kong.verification.stack_outputs import NoOutputs
from traceable_kong.verification.trusted_record import RecordRefused


def main(arguments: Sequence[str], *, command: str, project: Path | None = None) -> int:
    """Runs the command, which a person calls `command`, and returns its exit code.

    `project` is the folder of the stack's Pulumi project, None for the current one.
    """
    options = parse_options(arguments, command)
    try:
        return (_watched if options.watch else _once)(options, DesiredSource(options, project))
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing was verified.", file=sys.stderr)
        return INTERRUPTED


def _once(options: argparse.Namespace, source: DesiredSource) -> int:
    return _written(_outcome(options, source), options.output)


def _written(outcome: VerifyOutcome, output: str) -> int:
    """Writes the outcome, and returns the exit code."""
    try:
        if text := formatted(outcome, output):
            print(text, flush=True)
    except BrokenPipeError:
        # What reads the output has ended, and does not want the rest.
        pass
    except OSError as problem:
        return _not_written(problem, outcome.exit_code)
    if outcome.error:
        print(f"error: {outcome.error}", file=sys.stderr)
    return outcome.exit_code


def _outcome(options: argparse.Namespace, source: DesiredSource) -> VerifyOutcome:
    seconds, started = options.wait_seconds, time.monotonic()
    try:
        api = _connected(options)
        desired = deadline.once_answered(lambda: source.read(api), seconds=seconds, on_wait=_say_why)
        left = max(0.0, seconds - (time.monotonic() - started))
        return _verified(api, desired, options, seconds=left)
    except (ApiError, Unreachable, UnreadableRecord, RecordRefused, NoOutputs) as problem:
        return _failed(problem, options.stack)


def _connected(options: argparse.Namespace) -> KubernetesClient:
    """Raises Unreachable."""
    try:
        return connect(kubeconfig=options.kubeconfig, context=options.context, named_by="--kubeconfig")
    except UnusableKubeconfig as problem:
        raise Unreachable(
            f"{problem}. Nothing was verified. {problem.fix('--kubeconfig FILE', '--context NAME')}"
        ) from None


def _verified(api: KubernetesClient, desired: Desired, options: argparse.Namespace, *, seconds: float) -> VerifyOutcome:
    """Raises ApiError or Unreachable."""
    report = verifier.verify_gateway(api, desired.state, deadline_seconds=seconds)
    report = dataclasses.replace(report, notes=(*report.notes, *desired.notes))
    smoke = smoke_report(api, desired.state, desired.blocking, options) if wants_smoke(options) else None
    cluster = cluster_options(kubeconfig=options.kubeconfig, context=options.context)
    return VerifyOutcome(report=with_targets(report, cluster=cluster, stack=options.stack), smoke=smoke)


def _watched(options: argparse.Namespace, source: DesiredSource) -> int:
    try:
        api = _connected(options)
    except Unreachable as problem:
        return _written(_failed(problem, options.stack), options.output)

    def observe() -> VerifyOutcome:
        try:
            return _verified(api, source.read(api), options, seconds=0)
        except (ApiError, Unreachable, UnreadableRecord, RecordRefused, NoOutputs) as problem:
            return _failed(problem, options.stack)

    try:
        return watch(observe, display_for(options.output, interval=options.interval), interval=options.interval)
    except OSError as problem:
        return _not_written(problem, NOT_OBSERVED)


def _not_written(problem: OSError, exit_code: int) -> int:
    print(f"error: the report cannot be written: {kind_of(problem)}", file=sys.stderr)
    return exit_code or NOT_OBSERVED


def _failed(problem: Exception, stack: str | None) -> VerifyOutcome:
    is_temporary = isinstance(problem, Unreachable) or (isinstance(problem, ApiError) and problem.is_temporary)
    return VerifyOutcome(error=on_stack(str(problem), stack), passes=is_temporary)


def _say_why(problem: Exception) -> None:
    print(f"{problem}\nTrying again until --wait-seconds have passed.", file=sys.stderr)
