"""Preflight against a real API server and real Helm releases, with objects made by hand."""

import base64
import dataclasses
import http.server
import json
import shlex
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import certificates, charts
from local.platform import Platform
from tests.preflight.fake import intent
from tests.preflight.test_agent_only_checks import AGENT
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import MERGE_PATCH, ApiError
from traceable_kong.cluster.ownership import GATEWAY_LABEL, STACK_LABEL, labels, release_owner_values
from traceable_kong.preflight.examination import Examination, examine
from traceable_kong.preflight.finding import Finding, StuckRelease
from traceable_kong.preflight.intent import AloneIntent, Intent
from traceable_kong.preflight.repair import repair

DEADLINE_SECONDS = 60
READY = '--patch={"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}'


class Place:
    """Names of its own in the cluster, and the commands that a person would type."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder
        self.name = f"pre-{uuid.uuid4().hex[:6]}"
        self.owner = f"live.{self.name}"
        self.api = connect(kubeconfig=str(platform.kubeconfig))
        self.said: list[str] = []

    def run(self, *command: str, stdin: str = "") -> str:
        done = subprocess.run(
            command, env=self.platform.env, input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def apply(self, *documents: dict[str, Any]) -> None:
        self.run("kubectl", "apply", "--filename=-", stdin=yaml.safe_dump_all(documents))

    def intent(self, **changes: Any) -> Intent:
        """An installation in a namespace that is there, without an agent; `changes` as for `fake.intent()`."""
        usual = {
            "owner": self.owner,
            "gateway__namespace": self.name,
            "gateway__create_namespace": False,
            "gateway__ingress_class": self.name,
            "agent": None,
            "plugin__object_name": f"{self.name}-plugin",
            "policy": f"{self.name}-guard",
        }
        return intent(**{**usual, **changes})

    def examine(self, **changes: Any) -> Examination:
        return examine(self.api, self.intent(**changes))

    def dead(self, *, timeout_seconds: int = 8) -> StuckRelease:
        """The one that an operation left, which may take that long."""
        (found,) = self.examine(gateway__timeout_seconds=timeout_seconds).stuck
        return found

    def mend(self, dead: StuckRelease, *, kubeconfig: str | None = None) -> Finding | None:
        return repair(self.api, dead, kubeconfig=kubeconfig, context=None, say=self.said.append)

    def helm(self, *arguments: str) -> str:
        return self.run("helm", *arguments, "--namespace", self.name)

    def status(self) -> str:
        return str(json.loads(self.helm("status", "quickstart", "--output", "json"))["info"]["status"])

    def kill_helm(self, *arguments: str, when: str) -> None:
        """Starts helm, and kills it with SIGKILL when the release is in the state `when`."""
        process = subprocess.Popen(
            ["helm", *arguments, "--namespace", self.name, "--timeout", "120s"],
            env=self.platform.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while when not in self._statuses():
                assert process.poll() is None, f"helm has ended, and the release is {self._statuses()}"
                assert time.monotonic() < deadline, f"the release never was {when}"
                time.sleep(0.2)
        finally:
            process.kill()
            process.wait()

    def _statuses(self) -> set[str]:
        found = self.api.list(f"/api/v1/namespaces/{self.name}/secrets", metadata_only=True, labelSelector="owner=helm")
        return {item["metadata"]["labels"]["status"] for item in found}

    def chart(self) -> str:
        """A chart of one ConfigMap, and of a pod that is never ready with `stuck`. Returns its folder."""
        folder = self.folder / "chart"
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        (folder / "Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 1.0.0\n")
        (folder / "values.yaml").write_text("text: one\nstuck: false\nfinalizers: []\n")
        (folder / "templates" / "all.yaml").write_text(
            "apiVersion: v1\n"
            "kind: ConfigMap\n"
            "metadata: {name: held, finalizers: {{ toJson .Values.finalizers }}}\n"
            "data: {text: {{ .Values.text | quote }}}\n"
            "{{- if .Values.stuck }}\n"
            "---\n"
            "apiVersion: v1\n"
            "kind: Pod\n"
            "metadata: {name: stuck}\n"
            "spec: {nodeSelector: {no: where}, containers: [{name: a, image: a}]}\n"
            "{{- end }}\n"
        )
        return str(folder)

    def values(self, **values: Any) -> str:
        path = self.folder / "values.yaml"
        path.write_text(yaml.safe_dump({**release_owner_values(self.owner), **values}))
        return f"--values={path}"

    def text(self) -> str:
        return self.run("kubectl", "get", "configmap", "held", "-n", self.name, "-o", "jsonpath={.data.text}")


@pytest.fixture
def place(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for variable, value in platform.env.items():
        monkeypatch.setenv(variable, value)
    found = Place(platform, tmp_path)
    found.run("kubectl", "apply", "--filename", str(charts.SOURCE / "kong" / "crds"))
    found.run("kubectl", "create", "namespace", found.name)
    try:
        yield found
    finally:
        found.run("kubectl", "delete", "namespace", found.name, "--wait=false")
        mine = f"{STACK_LABEL}={found.owner}"
        for kind in ("namespaces", "kongclusterplugins", "validatingwebhookconfigurations", "clusterrolebindings"):
            found.run("kubectl", "delete", kind, "--selector", mine, "--wait=false")


def plugin(name: str, ingress_class: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "configuration.konghq.com/v1",
        "kind": "KongClusterPlugin",
        "metadata": {"name": name, "annotations": {"kubernetes.io/ingress.class": ingress_class}, **metadata},
        "plugin": "traceable",
        "config": {"mode": "sync", "max_body_size_bytes": 1},
    }


def deployment(place: Place, *containers: dict[str, Any]) -> dict[str, Any]:
    spec = {"containers": [{"image": "kong:3.9", **container} for container in containers]}
    template = {"metadata": {"labels": {"app": "kong"}}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "quickstart-kong", "namespace": place.name},
        "spec": {"selector": {"matchLabels": {"app": "kong"}}, "template": template},
    }


def only(found: Examination) -> str:
    """The single refusal, as text."""
    assert len(found.errors) == 1, found
    return found.errors[0].subject + "\n" + found.errors[0].problem + "\n" + found.errors[0].fix


def test_a_first_install_passes_and_costs_little(place: Place) -> None:
    assert place.examine(live_change=True) == Examination(errors=[], warnings=[], stuck=[])
    start = time.monotonic()
    place.examine(live_change=True)
    assert time.monotonic() - start < 2, "a loaded machine; alone it is below 0.1 s"


def test_who_may_only_look_can_preview(place: Place) -> None:
    place.run("kubectl", "create", "serviceaccount", "viewer", "--namespace", place.name)
    place.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{place.name}-view", "labels": labels(place.owner)},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": place.name}],
        }
    )
    config = yaml.safe_load(place.platform.kubeconfig.read_text())
    token = place.run("kubectl", "create", "token", "viewer", "--namespace", place.name).strip()
    for user in config["users"]:
        user["user"] = {"token": token}
    viewer = connect(kubeconfig=yaml.safe_dump(config))

    preview = examine(viewer, place.intent(live_change=False))
    assert preview.errors == []
    said = "\n".join(item.problem for item in preview.warnings)
    assert f"create pods/portforward in namespace {place.name}" in said
    assert f'cannot list resource "secrets" in API group "" in the namespace "{place.name}"' in said
    assert "validatingwebhookconfigurations" in said
    assert token not in said
    assert len(examine(viewer, place.intent(live_change=True)).errors) > 3


def test_what_somebody_else_made_is_refused_until_it_is_handed_over(place: Place) -> None:
    name = f"{place.name}-plugin"
    place.apply(plugin(name, place.name))
    (finding,) = place.examine(plugin__rock_version="2.2.2-1").errors
    command = finding.fix.split("`")[-2]
    assert command.startswith(f"kubectl label kongclusterplugin {name} ")
    place.run(*shlex.split(command))
    assert place.examine(plugin__rock_version="2.2.2-1").errors == []
    assert "max_body_size_bytes" in only(place.examine())


def test_a_second_global_plugin_is_refused(place: Place) -> None:
    theirs = f"{place.name}-theirs"
    place.apply(plugin(theirs, place.name, labels={"global": "true"}))
    try:
        assert theirs in only(place.examine())
    finally:
        place.run("kubectl", "delete", "kongclusterplugin", theirs)


def test_a_gateway_pod_with_somebody_on_the_tmes_port_is_refused(place: Place) -> None:
    port = [{"containerPort": 5442}]
    place.apply(deployment(place, {"name": "proxy"}, {"name": "mesh", "ports": port}))
    assert "container mesh" in only(place.examine(gateway__ours=False, gateway__release=None))


def test_an_admin_api_that_is_off_is_refused(place: Place) -> None:
    place.apply(deployment(place, {"name": "proxy", "env": [{"name": "KONG_ADMIN_LISTEN", "value": "off"}]}))
    assert "KONG_ADMIN_LISTEN" in only(place.examine(gateway__ours=False, gateway__release=None))


def test_a_stack_that_stands_elsewhere_is_found(place: Place) -> None:
    old = f"{place.name}-old"
    marks = {**labels(place.owner), GATEWAY_LABEL: place.owner}
    place.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": old, "labels": marks}})
    assert f"kong.namespace {old}" in only(place.examine())


def test_a_tenant_cannot_stop_a_run(place: Place) -> None:
    """Every right in a namespace, and none beyond: nothing that can be made there refuses this stack's runs."""
    tenant = f"{place.name}-tenant"
    place.run("kubectl", "create", "namespace", tenant)
    place.run("kubectl", "create", "serviceaccount", "tenant", "--namespace", tenant)
    bound = ("--clusterrole=admin", f"--serviceaccount={tenant}:tenant", f"--namespace={tenant}")
    place.run("kubectl", "create", "rolebinding", "tenant", *bound)
    token = place.run("kubectl", "create", "token", "tenant", "--namespace", tenant).strip()
    config = yaml.safe_load(place.platform.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    as_tenant = connect(kubeconfig=yaml.safe_dump(config))
    try:
        for name in ("traceable-installation", "traceable-agent-installation"):
            metadata = {"name": name, "labels": labels(place.owner)}
            record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"release": "x; reboot"}}
            as_tenant.request("POST", f"/api/v1/namespaces/{tenant}/configmaps", body=record)
        patch = {"metadata": {"labels": {GATEWAY_LABEL: place.owner}}}
        with pytest.raises(ApiError) as refused:
            path = f"/api/v1/namespaces/{tenant}"
            as_tenant.request("PATCH", path, body=patch, content_type=MERGE_PATCH)
        assert refused.value.status == 403
        assert place.examine() == Examination(errors=[], warnings=[], stuck=[])
        assert place.examine(enabled=False).errors == []
        alone = AloneIntent(
            owner=place.owner,
            live_change=True,
            agent=dataclasses.replace(AGENT, namespace=f"{place.name}-agent"),
            record="traceable-agent-installation",
        )
        found = examine(place.api, alone)
        assert found.errors == []
        assert [item.subject for item in found.warnings] == [
            f"configmap traceable-agent-installation in namespace {tenant}"
        ]
    finally:
        place.run("kubectl", "delete", "namespace", tenant, "--wait=false")


@pytest.fixture
def strict_gateway(place: Place, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """The webhook of another gateway, whose Kong knows no such plugin; only for the objects of this test."""

    class Denies(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = {"uid": review["request"]["uid"], "allowed": False, "status": {"message": "no such plugin"}}
            content = json.dumps({**review, "response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    certificates.ensure(tmp_path / "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls" / certificates.SERVER_FILE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Denies)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def install() -> None:
        rule = {
            "apiGroups": ["configuration.konghq.com"],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"],
            "resources": ["kongclusterplugins"],
        }
        authority = base64.b64encode((tmp_path / "tls" / certificates.CA_FILE).read_bytes()).decode()
        place.apply(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": f"{place.name}-strict", "labels": labels(place.owner)},
                "webhooks": [
                    {
                        "name": "validations.kong.konghq.com",
                        "rules": [rule],
                        "objectSelector": {"matchLabels": labels(place.owner)},
                        "clientConfig": {
                            "url": f"https://127.0.0.1:{server.server_address[1]}/",
                            "caBundle": authority,
                        },
                        "sideEffects": "None",
                        "admissionReviewVersions": ["v1"],
                        "failurePolicy": "Fail",
                    }
                ],
            }
        )

    try:
        yield install
    finally:
        server.shutdown()
        server.server_close()


def test_another_gateways_webhook_is_named_and_the_command_mends_it(
    place: Place, strict_gateway: Callable[[], None]
) -> None:
    strict_gateway()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := place.examine(live_change=False)).errors:
        assert time.monotonic() < deadline, "a webhook takes a moment to be in force, not more"
        time.sleep(0.2)
    text = only(found)
    assert "no such plugin" in text
    place.run(*shlex.split(text.split("`")[1]))
    assert place.examine(live_change=False).errors == []
    assert place.run("kubectl", "get", "kongclusterplugins", "--selector", f"{STACK_LABEL}={place.owner}") == ""


def test_an_install_that_was_killed_is_removed(place: Place) -> None:
    place.kill_helm("install", "quickstart", place.chart(), place.values(stuck=True), "--wait", when="pending-install")
    warnings = place.examine(live_change=False).warnings
    assert ["pending-install" in item.problem for item in warnings] == [True]
    assert place.mend(place.dead(), kubeconfig=place.platform.kubeconfig.read_text()) is None
    assert place.examine().stuck == []
    place.helm("install", "quickstart", place.chart(), place.values(), "--wait")
    assert place.text() == "one"


def test_an_upgrade_that_was_killed_is_rolled_back(place: Place) -> None:
    place.helm("install", "quickstart", place.chart(), place.values(), "--wait")
    two = place.values(text="two", stuck=True)
    place.kill_helm("upgrade", "quickstart", place.chart(), two, "--wait", when="pending-upgrade")
    assert place.mend(place.dead(), kubeconfig=str(place.platform.kubeconfig)) is None
    assert (place.status(), place.text(), place.examine().stuck) == ("deployed", "one", [])
    place.helm("upgrade", "quickstart", place.chart(), place.values(text="three"), "--wait")
    assert place.text() == "three"


def test_a_removal_that_was_killed_is_taken_back(place: Place) -> None:
    held = place.values(finalizers=["example.com/held"])
    place.helm("install", "quickstart", place.chart(), held, "--wait")
    place.kill_helm("uninstall", "quickstart", "--wait", when="uninstalling")
    place.run("kubectl", "patch", "configmap", "held", "-n", place.name, "-p", '{"metadata":{"finalizers":null}}')
    assert place.mend(place.dead()) is None
    assert (place.status(), place.text(), place.examine().stuck) == ("deployed", "one", [])
    place.run("kubectl", "patch", "configmap", "held", "-n", place.name, "-p", '{"metadata":{"finalizers":null}}')
    place.helm("upgrade", "quickstart", place.chart(), place.values(text="two"), "--wait")
    assert place.text() == "two"


def test_an_upgrade_that_is_still_running_is_waited_for_and_left_alone(place: Place) -> None:
    """A colleague's own, with the values of the release: only its age tells it from one that was interrupted."""
    place.helm("install", "quickstart", place.chart(), place.values(), "--wait")
    two = place.values(text="two", stuck=True)
    upgrade = ("helm", "upgrade", "quickstart", place.chart(), two, "--wait", "--timeout", "60s")
    with subprocess.Popen([*upgrade, "--namespace", place.name], env=place.platform.env) as colleague:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while "pending-upgrade" not in place._statuses():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        dead = place.dead(timeout_seconds=50)

        def let_it_end(line: str) -> None:
            place.said.append(line)
            place.run("kubectl", "patch", "pod", "stuck", "--namespace", place.name, "--subresource=status", READY)

        assert repair(place.api, dead, kubeconfig=None, context=None, say=let_it_end) is None
        assert colleague.wait(DEADLINE_SECONDS) == 0
    assert len(place.said) == 1 and "may still be running" in place.said[0]
    assert (place.status(), place.text()) == ("deployed", "two")


def test_a_release_of_somebody_else_is_refused_and_left_alone(place: Place) -> None:
    place.helm("install", "quickstart", place.chart(), "--wait")
    assert "do not name this stack as the owner" in only(place.examine())
    assert place.examine().stuck == []
