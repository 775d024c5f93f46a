"""Secrets are only where they belong: the token in its Secret, the owner's values in the cluster."""

import base64
import gzip
import json
import threading
from contextlib import suppress
from pathlib import Path

import yaml

from scripts.preview_comment import comment
from scripts.preview_reading import read
from tests.live.stack import NO_CHANGES, PROJECT, TOKEN, LiveStack, NewStack
from traceable_kong.helm_values.agent_values import OWN_TOKEN_SECRET

OWNERS = "the-owner's-own-value"
PLANTED = "another-manager's-own-value"


class ProcessArguments:
    """Collects the arguments of every process of this machine."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._collect, daemon=True)

    def __enter__(self) -> "ProcessArguments":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _collect(self) -> None:
        while not self._ended.wait(0.02):
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    self.seen.add((folder / "cmdline").read_bytes())


def releases(stack: LiveStack, namespace: str) -> str:
    """The releases as Helm stores them: gzip in base64 in base64."""
    found = stack.objects("secrets", "--namespace", namespace, "--field-selector", "type=helm.sh/release.v1")
    packed = [base64.b64decode(base64.b64decode(item["data"]["release"])) for item in found]
    assert packed
    return "".join(gzip.decompress(item).decode() for item in packed)


def test_no_output_file_or_object_has_a_secret_but_its_own(new_stack: NewStack) -> None:
    stack = new_stack()
    key = f"{PROJECT}:kongValues.customEnv.owners_value"
    stack.pulumi("config", "set", "--secret", "--path", key, stdin=OWNERS)
    with ProcessArguments() as arguments:
        done = stack.execute("pulumi", "up", "--yes", "--skip-preview", "--diff")
    assert done.returncode == 0, done.stdout + done.stderr
    (deployment,) = stack.objects("deployments", "--namespace", stack.kong_namespace)
    assert OWNERS in json.dumps(deployment), "the outputs of the patch have the Deployment with it"

    # From another file, everything in kongValues is hidden.
    (stack.directory / "other.yaml").write_text(stack.file.read_text())
    stack.update("kongValues", proxy={"type": "ClusterIP"})
    hidden = stack.preview("--diff", "--config-file", "other.yaml", NO_CHANGES)
    stack.file.write_text((stack.directory / "other.yaml").read_text())

    stack.set(blockingStatusCode=451)
    texts = {
        "preview from another file": hidden,
        "up": done.stdout + done.stderr,
        "preview": stack.preview("--diff"),
        "preview as JSON": stack.preview("--json"),
        "verify": stack.verify("--output", "json").stdout,
        "outputs": stack.pulumi("stack", "output", "--json"),
        "state": stack.pulumi("stack", "export"),
        "processes": b" ".join(arguments.seen).decode(errors="replace"),
        "events": json.dumps(stack.objects("events", "--all-namespaces")),
        "configmaps": json.dumps(stack.objects("configmaps", "--all-namespaces")),
        "plugins": json.dumps(stack.objects("kongclusterplugins")),
    }
    kept = [item for item in json.loads(texts["state"])["deployment"]["resources"] if item["type"].endswith(":Stash")]
    (identity,) = [item["outputs"]["output"] for item in kept if isinstance(item["outputs"]["output"], dict)]
    assert "ciphertext" in identity["digestKey"]
    assert len(arguments.seen) > 10
    assert {name for name, text in texts.items() if TOKEN in text or OWNERS in text} == set()

    files = [path for path in stack.directory.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes() or OWNERS.encode() in path.read_bytes()] == []

    secrets = {
        item["metadata"]["name"]
        for item in stack.objects("secrets", "--namespace", stack.agent_namespace)
        if TOKEN in "".join(base64.b64decode(value).decode(errors="replace") for value in item["data"].values())
    }
    assert secrets == {"traceable-agent-token"}
    assert TOKEN not in releases(stack, stack.agent_namespace) + releases(stack, stack.kong_namespace)

    plant(stack)
    stack.set(mode="async", blockingStatusCode=403)
    texts = {
        "preview": stack.preview("--diff"),
        "preview as JSON": stack.preview("--json"),
        "up": stack.up("--diff"),
        "refresh": stack.pulumi("refresh", "--yes", "--skip-preview", "--diff"),
        "preview after it": stack.preview("--diff"),
        "state": stack.pulumi("stack", "export"),
    }
    assert {name for name, text in texts.items() if PLANTED in text} == set()
    files = [path for path in stack.directory.rglob("*") if path.is_file()]
    assert [path for path in files if PLANTED.encode() in path.read_bytes()] == []


def plant(stack: LiveStack) -> None:
    """Plants the annotation with a whole object that `kubectl apply` writes, on objects that are in the state."""
    applied = stack.directory / "applied.yaml"
    container = {"name": "proxy", "image": "kong:3.9", "env": [{"name": "OWN", "value": PLANTED}]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": stack.gateway.deployment, "namespace": stack.kong_namespace},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    applied.write_text(yaml.safe_dump(deployment))
    stack.kubectl("apply", "set-last-applied", "--create-annotation", "--filename", str(applied))
    applied.unlink()
    note = f"kubectl.kubernetes.io/last-applied-configuration={json.dumps({'data': {'own': PLANTED}})}"
    for target in (
        ("namespace", stack.kong_namespace),
        ("namespace", stack.agent_namespace),
        ("secret", OWN_TOKEN_SECRET.name, "--namespace", stack.agent_namespace),
        ("kongclusterplugin", f"{stack.name}-plugin"),
    ):
        stack.kubectl("annotate", *target, note)


def test_an_invalid_kubeconfig_is_not_shown(new_stack: NewStack) -> None:
    stack = new_stack()
    text = f"apiVersion: v1\nusers:\n- name: u\n  user: {{token: {OWNERS}\n"
    broken = {
        "it is not YAML (line": text,
        "no usable kubeconfig": base64.b64encode(text.encode()).decode(),
        "it has no contexts": f"apiVersion: v1\nusers: [{{name: u, user: {{token: {OWNERS}}}}}]\n",
    }
    for expected, kubeconfig in broken.items():
        stack.pulumi("config", "set", "--secret", "kubernetes:kubeconfig", stdin=kubeconfig)
        for command in (("preview", "--json"), ("preview", "--diff"), ("up", "--yes", "--skip-preview")):
            done = stack.execute("pulumi", *command)
            output = done.stdout + done.stderr
            posted = comment(read(done.stdout, exit_code=done.returncode, error_output=done.stderr), stack=stack.name)
            assert done.returncode != 0 and expected in output
            assert OWNERS not in output + posted and kubeconfig not in output + posted
    stack.pulumi("config", "rm", "kubernetes:kubeconfig")
