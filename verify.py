"""`python verify.py --namespace kong`: is the gateway protected as its record says? The proof, at any time.

Reads the record in Kong's namespace, so it needs neither the stack's config nor its state: a kubeconfig is enough that
may read Kong's and the agent's namespace and the events in `default`, and port-forward into the gateway's pods, in
async into the agent's too. Changes nothing. Leaves out what is proven (proof/).

Exit codes: 0 every gateway pod is as recorded, 1 one is not, 2 something could not be observed.
"""

import argparse
import json
import sys

import kube
import proof
from proof.expectation import RECORD_NAME, Expectation, UnreadableRecord, from_record

NOT_AS_RECORDED = 1
NOT_LOOKED_AT = 2


def main() -> int:
    """Runs the command; the exit code is for scripts."""
    parser = argparse.ArgumentParser(prog="verify", description="Is every gateway pod protected as its record says?")
    parser.add_argument("--namespace", required=True, help="Kong's namespace")
    parser.add_argument("--kubeconfig", help="a kubeconfig; KUBECONFIG or ~/.kube/config where it is not given")
    parser.add_argument("--context", help="a context of the kubeconfig; the current one where it is not given")
    parser.add_argument("--wait-seconds", type=float, default=0, help="how long to wait until it is so (default: 0)")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args()
    try:
        api = kube.connect(kubeconfig=arguments.kubeconfig, context=arguments.context)
        report = proof.prove(
            api, _recorded(api, arguments.namespace), deadline_seconds=max(0.0, arguments.wait_seconds)
        )
    except (kube.ApiError, kube.Unreachable, UnreadableRecord) as problem:
        if arguments.json:
            print(json.dumps({"ok": False, "error": str(problem)}, indent=2))
        print(f"error: {problem}", file=sys.stderr)
        return NOT_LOOKED_AT
    print(report.json() if arguments.json else report.table())
    if not report.ok:
        return NOT_AS_RECORDED
    return NOT_LOOKED_AT if report.not_checked else 0


def _recorded(api: kube.Kube, namespace: str) -> Expectation:
    record = api.get(f"/api/v1/namespaces/{namespace}/configmaps/{RECORD_NAME}")
    if record is None:
        raise UnreadableRecord(
            f"There is no ConfigMap {namespace}/{RECORD_NAME}: Traceable was never put on a gateway there to the end, "
            "or was taken away. The output `namespace` of the stack names the right one."
        )
    return from_record(namespace, record.get("data") or {})


if __name__ == "__main__":
    sys.exit(main())
