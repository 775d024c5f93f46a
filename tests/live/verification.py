"""Reports of `verify.py` on a live stack, and ways to break a single check: the record, a fault, permissions."""

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from local import paths
from local.kubelet import faults
from tests.live.commands import execute, wait_until
from tests.live.stack import CLONE, LiveStack

CRONJOB = CLONE / "examples" / "verify-cronjob" / "verify-cronjob.yaml"

IN_POD = """
import sys
from pathlib import Path
from traceable_kong.cluster import kubeconfig
from traceable_kong.command_line import verify_command
kubeconfig.SERVICE_ACCOUNT = Path(sys.argv[1])
sys.exit(verify_command.main(sys.argv[2:], command="verify.py"))
"""
"""`verify` with the files of a service account in a folder, because the path in a pod is the same for all of this
machine."""

SECONDS_TO_FOLLOW = 20
"""How long the ingress controller and Kong may take to follow a change."""


def failed_checks(stack: LiveStack) -> list[dict[str, Any]]:
    """The checks that fail now, as `verify.py --output json` prints them."""
    done = stack.verify("--output", "json", "--wait-seconds", "0")
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 1)
    return [check for check in document["checks"] if not check["ok"]]


def failing(stack: LiveStack) -> set[str]:
    """The names of the checks that fail, once any does."""
    return wait_until(
        lambda: {check["name"] for check in failed_checks(stack)}, "no check fails", seconds=SECONDS_TO_FOLLOW
    )


@contextmanager
def record_changed(stack: LiveStack, **data: str) -> Iterator[None]:
    """Changes the record meanwhile, so that the gateway differs from it in one thing."""
    place = ("configmap", "traceable-installation", "--namespace", stack.kong_namespace)
    before = json.loads(stack.kubectl("get", *place, "--output", "json"))["data"]
    try:
        stack.kubectl("patch", *place, "--type=merge", "--patch", json.dumps({"data": data}))
        yield
    finally:
        stack.kubectl("patch", *place, "--type=merge", "--patch", json.dumps({"data": before}))


@contextmanager
def fault(stack: LiveStack, pod: str = "*", **planted: Any) -> Iterator[None]:
    """A fault of the simulated containers meanwhile (local/kubelet)."""
    namespace = stack.agent_namespace if "agent" in planted else stack.kong_namespace
    faults.inject(namespace, pod, **planted)
    try:
        yield
    finally:
        faults.clear(namespace, pod)


def documented_rules() -> list[list[dict[str, Any]]]:
    """The rules in docs/security.md for `verify`: in Kong's namespace, in the agent's, in the cluster."""
    page = (CLONE / "docs" / "security.md").read_text(encoding="utf-8")
    block = page.split("\n### verify\n")[1].split("```yaml\n")[1].split("```")[0]
    return [document["rules"] for document in yaml.safe_load_all(block)]


def grant(stack: LiveStack, kind: str, namespace: str, rules: list[dict[str, Any]]) -> None:
    """Gives the ServiceAccount `auditor` these rules and no others, in a namespace or in the cluster."""
    group, name = "rbac.authorization.k8s.io", f"{stack.name}-auditor"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    subject = {"kind": "ServiceAccount", "name": "auditor", "namespace": stack.kong_namespace}
    bound = {"roleRef": {"apiGroup": group, "kind": kind, "name": name}, "subjects": [subject]}
    stack.apply(
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": rules},
        {"apiVersion": f"{group}/v1", "kind": f"{kind}Binding", "metadata": metadata, **bound},
    )


def cronjob_objects(stack: LiveStack) -> list[dict[str, Any]]:
    """The objects of the example, with the stack's namespaces; the CronJob starts no pod."""
    text = CRONJOB.read_text(encoding="utf-8")
    for name, own in (
        ("traceable-kong-verify", f"{stack.name}-verify"),
        ("namespace: kong}", f"namespace: {stack.kong_namespace}}}"),
        ("namespace: traceable}", f"namespace: {stack.agent_namespace}}}"),
        ("[--namespace, kong, --deployment, quickstart-kong", f"[--namespace, {stack.kong_namespace}"),
    ):
        assert name in text, name
        text = text.replace(name, own)
    objects = list(yaml.safe_load_all(text))
    next(item for item in objects if item["kind"] == "CronJob")["spec"]["suspend"] = True
    return objects


def run_in_pod(stack: LiveStack, folder: Path, job: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    """Runs what a CronJob's container runs, with the token, the authority and the variables that a pod has."""
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    cluster = yaml.safe_load(stack.platform.kubeconfig.read_text())["clusters"][0]["cluster"]
    account = (pod["serviceAccountName"], "--namespace", job["metadata"]["namespace"])
    (folder / "token").write_text(stack.kubectl("create", "token", *account))
    if "certificate-authority-data" in cluster:
        (folder / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    else:
        (folder / "ca.crt").write_bytes(Path(cluster["certificate-authority"]).read_bytes())
    server = urlsplit(cluster["server"])
    variables = {"KUBERNETES_SERVICE_HOST": server.hostname or "", "KUBERNETES_SERVICE_PORT": str(server.port)}
    (container,) = pod["containers"]
    return execute(
        *(sys.executable, "-c", IN_POD, str(folder), *container["args"]),
        environment={**variables, "PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(CLONE)},
        folder=folder,
    )


@contextmanager
def watching(stack: LiveStack, *options: str) -> Iterator[Callable[..., list[str]]]:
    """`verify --watch` meanwhile, in a log. Yields a function that waits for a line with each of its texts, in any
    order, and returns these lines; the next call looks at what follows the last of them.

    At the end it is interrupted, and must end with exit code 0.
    """
    log = stack.directory / "watch.log"
    arguments = ("--namespace", stack.kong_namespace, "--watch", "--interval", "1", *options)
    with log.open("w") as file:
        process = subprocess.Popen(
            [paths.VENV_BIN / "python", "verify.py", *arguments],
            cwd=stack.directory,
            env=stack.environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
        )

    def lines(*texts: str) -> list[str]:
        def found() -> list[str]:
            new = log.read_text().splitlines()[len(seen) :]
            numbers = [next((index for index, item in enumerate(new) if text in item), -1) for text in texts]
            assert -1 not in numbers, f"no line with each of {texts}:\n{log.read_text()}"
            seen.extend(new[: max(numbers) + 1])
            return [new[number] for number in numbers]

        return wait_until(found, seconds=SECONDS_TO_FOLLOW)

    seen: list[str] = []
    try:
        yield lines
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=SECONDS_TO_FOLLOW) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
