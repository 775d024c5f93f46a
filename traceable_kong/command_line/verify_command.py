"""`verify --stack dev`, or `verify --namespace kong`: verifies that every gateway pod is protected as configured.

What must hold is read from the record in Kong's namespace. With `--stack`, the record is compared with the stack's
outputs; without, it is trusted within limits (verification/trusted_record.py), and neither config nor state is needed.
The kubeconfig needs the permissions in docs/security.md. Changes nothing.

Exit codes: 0 every gateway pod is as recorded; 1 a check does not hold; 2 something could not be observed, or the
record was refused.
"""

import argparse
import dataclasses
import json
import shlex
import sys
import time
from collections.abc import Sequence

from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.commands import cluster_options, on_cluster
from traceable_kong.common.urls import unsafe_address
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.state_record import UnreadableRecord
from traceable_kong.verification import deadline, verifier
from traceable_kong.verification.stack_outputs import NoOutputs, stack_outputs
from traceable_kong.verification.trusted_record import (
    AdminOptions,
    RecordRefused,
    read_record,
    trusted_alone,
    trusted_note,
    written_by,
)

NOT_AS_RECORDED = 1
NOT_OBSERVED = 2

ADMIN_OPTIONS = ("admin_url", "admin_token_secret", "admin_ca_secret", "admin_client_certificate_secret")


def main(arguments: Sequence[str], *, command: str) -> int:
    """Runs the command, which a person calls `command`, and returns its exit code."""
    options = _options(arguments, command)
    try:
        api = connect(kubeconfig=options.kubeconfig, context=options.context)
        seconds, started = max(0.0, options.wait_seconds), time.monotonic()
        desired, notes = deadline.once_answered(lambda: _desired(api, options), seconds=seconds, on_wait=_say_why)
        left = max(0.0, seconds - (time.monotonic() - started))
        report = verifier.verify_gateway(api, desired, deadline_seconds=left)
    except (ApiError, Unreachable, UnreadableRecord, RecordRefused, NoOutputs) as problem:
        if options.json:
            print(json.dumps({"ok": False, "error": str(problem)}, indent=2))
        print(f"error: {problem}", file=sys.stderr)
        return NOT_OBSERVED
    report = dataclasses.replace(report, notes=(*report.notes, *notes))
    cluster = cluster_options(kubeconfig=options.kubeconfig, context=options.context)
    print(report.json() if options.json else on_cluster(report.table(), cluster))
    if not report.ok:
        return NOT_AS_RECORDED
    return NOT_OBSERVED if report.not_checked else 0


def _say_why(problem: Exception) -> None:
    print(f"{problem}\nTrying again until --wait-seconds have passed.", file=sys.stderr)


def _options(arguments: Sequence[str], command: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=command,
        description="Verifies that every gateway pod is protected as configured. Changes nothing.",
    )
    parser.add_argument("--stack", metavar="NAME", help="the stack; a record that is not what it wrote is refused")
    parser.add_argument("--namespace", metavar="NAME", help="Kong's namespace (default with --stack: the stack's)")
    parser.add_argument("--deployment", metavar="NAME", help="Kong's Deployment (default: the record's)")
    parser.add_argument(
        "--admin-url", metavar="URL", type=_url, help="URL of Kong's Admin API, for a Kong with a database"
    )
    parser.add_argument(
        "--admin-token-secret",
        metavar="NAME/KEY",
        type=_secret,
        help="Secret in Kong's namespace with the Admin API's token",
    )
    parser.add_argument(
        "--admin-ca-secret",
        metavar="NAME/KEY",
        type=_secret,
        help="Secret in Kong's namespace with the CA certificate of the Admin API",
    )
    parser.add_argument(
        "--admin-client-certificate-secret",
        metavar="NAME",
        help="Secret in Kong's namespace with the client certificate for the Admin API",
    )
    parser.add_argument("--kubeconfig", metavar="FILE", help="a kubeconfig (default: KUBECONFIG or ~/.kube/config)")
    parser.add_argument("--context", metavar="NAME", help="a context of the kubeconfig (default: the current context)")
    parser.add_argument(
        "--wait-seconds",
        metavar="N",
        type=float,
        default=deadline.SECONDS,
        help="how long to observe again until every check holds (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    if not (options.stack or options.namespace):
        parser.error("one of --stack and --namespace is required")
    if options.stack and any(getattr(options, name) for name in ADMIN_OPTIONS):
        parser.error("the options --admin-* cannot be used with --stack: the stack says how to reach Kong's Admin API")
    return options


def _url(text: str) -> str:
    if problem := unsafe_address(text, what="read the token and answer in its place"):
        raise argparse.ArgumentTypeError(problem)
    return text


def _secret(text: str) -> SecretKey:
    name, _, key = text.partition("/")
    if not (name and key) or "/" in key:
        raise argparse.ArgumentTypeError("is not of the form NAME/KEY")
    return SecretKey(name=name, key=key)


def _desired(api: KubernetesClient, options: argparse.Namespace) -> tuple[DesiredState, tuple[str, ...]]:
    """What must hold, and notes for the report on where that comes from."""
    if options.stack:
        return _desired_by_stack(api, options), ()
    record = read_record(api, options.namespace)
    admin = AdminOptions(
        url=options.admin_url,
        token_secret=options.admin_token_secret,
        ca_secret=options.admin_ca_secret,
        client_certificate_secret=options.admin_client_certificate_secret,
    )
    desired = trusted_alone(api, record, deployment=options.deployment, admin=admin)
    return desired, (trusted_note(record, desired),)


def _desired_by_stack(api: KubernetesClient, options: argparse.Namespace) -> DesiredState:
    outputs = stack_outputs(options.stack)
    if not outputs.get("recordDigest"):
        raise NoOutputs(
            f"Stack {options.stack} has no gateway with Traceable: it is an agent-only stack, Traceable is "
            "uninstalled, or no `pulumi up` of it has succeeded yet. Nothing was verified. `pulumi stack output "
            f"--stack {shlex.quote(options.stack)}` shows its outputs."
        )
    for option in ("namespace", "deployment"):
        given, recorded = getattr(options, option), outputs.get(option)
        if given not in (None, recorded):
            raise NoOutputs(
                f"The {option} of stack {options.stack} is {recorded}, not {given}. Nothing was verified. Run "
                f"without --{option}."
            )
    return written_by(read_record(api, str(outputs["namespace"])), options.stack, outputs)
