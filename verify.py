"""`python verify.py --namespace kong`, or `--stack dev`: is the gateway protected as configured? At any time.

What must hold is read from the record in Kong's namespace. With `--stack` the record must be the one that the stack
wrote, by the stack's own outputs; without, it is believed within limits (verification/record.py), so neither config nor
state is needed: a kubeconfig is enough that may read Kong's and the agent's namespace and the events in `default`, and
port-forward into the gateway's pods, in async into the agent's too. Changes nothing.

Exit codes: 0 every gateway pod is as recorded, 1 one is not, 2 something could not be observed: also a record that was
changed, or that leads where it must not.
"""

import argparse
import dataclasses
import json
import sys

from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.commands import cluster_options, on_cluster
from traceable_kong.common.urls import unsafe_address
from traceable_kong.verification import verifier
from traceable_kong.verification.desired_state import DesiredState, UnreadableRecord
from traceable_kong.verification.record import (
    AdminOptions,
    RecordRefused,
    believed_alone,
    read_record,
    trusted_note,
    written_by,
)
from traceable_kong.verification.stack_outputs import NoOutputs, stack_outputs

NOT_AS_RECORDED = 1
NOT_LOOKED_AT = 2

FROM_ADMIN_OPTIONS = ("admin_url", "admin_token_secret", "admin_ca_secret", "admin_client_certificate_secret")


def main() -> int:
    """Runs the command; the exit code is for scripts."""
    arguments = _arguments()
    try:
        api = connect(kubeconfig=arguments.kubeconfig, context=arguments.context)
        expected, notes = _expected(api, arguments)
        report = verifier.prove(api, expected, deadline_seconds=max(0.0, arguments.wait_seconds))
    except (ApiError, Unreachable, UnreadableRecord, RecordRefused, NoOutputs) as problem:
        if arguments.json:
            print(json.dumps({"ok": False, "error": str(problem)}, indent=2))
        print(f"error: {problem}", file=sys.stderr)
        return NOT_LOOKED_AT
    report = dataclasses.replace(report, notes=(*report.notes, *notes))
    options = cluster_options(kubeconfig=arguments.kubeconfig, context=arguments.context)
    print(report.json() if arguments.json else on_cluster(report.table(), options))
    if not report.ok:
        return NOT_AS_RECORDED
    return NOT_LOOKED_AT if report.not_checked else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="verify", description="Is every gateway pod protected as configured?")
    parser.add_argument("--stack", help="the stack whose record it is: a record that was changed is refused")
    parser.add_argument("--namespace", help="Kong's namespace; the stack's where --stack is given")
    parser.add_argument("--deployment", help="the gateway's Deployment; the record's where it is not given")
    parser.add_argument("--admin-url", metavar="URL", type=_url, help="Kong's Admin API, as kong.admin.url")
    parser.add_argument(
        "--admin-token-secret", metavar="NAME/KEY", type=_secret, help="the Secret in Kong's namespace with the token"
    )
    parser.add_argument(
        "--admin-ca-secret", metavar="NAME/KEY", type=_secret, help="the one with the Admin API's authority"
    )
    parser.add_argument(
        "--admin-client-certificate-secret", metavar="NAME", help="the one with the certificate that Kong is shown"
    )
    parser.add_argument("--kubeconfig", help="a kubeconfig; KUBECONFIG or ~/.kube/config where it is not given")
    parser.add_argument("--context", help="a context of the kubeconfig; the current one where it is not given")
    parser.add_argument(
        "--wait-seconds",
        type=float,
        default=verifier.DEADLINE_SECONDS,
        help="how long to wait until it is so (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args()
    if not (arguments.stack or arguments.namespace):
        parser.error("one of --stack and --namespace is needed")
    if arguments.stack and any(getattr(arguments, name) for name in FROM_ADMIN_OPTIONS):
        parser.error("with --stack, the stack says how Kong's Admin API is reached: leave the options --admin-... out")
    return arguments


def _url(text: str) -> str:
    if wrong := unsafe_address(text, what="read the token and answer in its place"):
        raise argparse.ArgumentTypeError(wrong)
    return text


def _secret(text: str) -> SecretKey:
    name, _, key = text.partition("/")
    if not (name and key) or "/" in key:
        raise argparse.ArgumentTypeError("is not of the form NAME/KEY")
    return SecretKey(name=name, key=key)


def _expected(api: KubernetesClient, arguments: argparse.Namespace) -> tuple[DesiredState, tuple[str, ...]]:
    """What must hold, and what is to be said of where that comes from."""
    if arguments.stack:
        return _of_the_stack(api, arguments), ()
    record = read_record(api, arguments.namespace)
    admin = AdminOptions(
        url=arguments.admin_url,
        token_secret=arguments.admin_token_secret,
        ca_secret=arguments.admin_ca_secret,
        client_certificate_secret=arguments.admin_client_certificate_secret,
    )
    expected = believed_alone(api, record, deployment=arguments.deployment, admin=admin)
    return expected, (trusted_note(record, expected),)


def _of_the_stack(api: KubernetesClient, arguments: argparse.Namespace) -> DesiredState:
    outputs = stack_outputs(arguments.stack)
    if not outputs.get("recordDigest"):
        raise NoOutputs(
            f"The stack {arguments.stack} has no gateway with Traceable on it: it is an agent alone, or Traceable was "
            "taken off, or no `pulumi up` of it has ended yet."
        )
    for option in ("namespace", "deployment"):
        asked, is_there = getattr(arguments, option), outputs.get(option)
        if asked not in (None, is_there):
            raise NoOutputs(f"The {option} of the stack {arguments.stack} is {is_there}, and {asked} was asked for.")
    return written_by(read_record(api, str(outputs["namespace"])), arguments.stack, outputs)


if __name__ == "__main__":
    sys.exit(main())
