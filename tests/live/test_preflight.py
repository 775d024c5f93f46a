"""Preflight on a real API server, with objects and Helm releases that the test creates."""

import base64
import dataclasses
import http.server
import json
import shlex
import ssl
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import certificates, charts
from local.platform import Platform
from tests.fakes.plans import ROCK, plan
from tests.fakes.preflight_cluster import examined
from tests.live.commands import run, wait_until
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import MERGE_PATCH, ApiError
from traceable_kong.cluster.ownership import GATEWAY_LABEL, STACK_LABEL, labels, release_owner_values
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.examination import Examination
from traceable_kong.preflight.finding import Finding, StuckRelease
from traceable_kong.preflight.repair import repair

DEADLINE_SECONDS = 60
READY = '--patch={"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}'
NEWER_ROCK = dataclasses.replace(ROCK, version="2.2.2-1")


class PreflightNamespace:
    """A namespace of its own, with the commands that a person would type and the checks on it."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder
        self.name = f"pre-{uuid.uuid4().hex[:6]}"
        self.owner = f"live.{self.name}"
        self.api = connect(kubeconfig=str(platform.kubeconfig))
        self.log: list[str] = []

    def run(self, *command: str, stdin: str | None = None) -> str:
        return run(*command, environment=self.platform.env, stdin=stdin)

    def apply(self, *documents: dict[str, Any]) -> None:
        self.run("kubectl", "apply", "--filename=-", stdin=yaml.safe_dump_all(documents))

    def plan(self, *, kong: dict[str, Any] | None = None, **config: Any) -> Plan:
        """A stack whose Kong is in this namespace and whose agent is new, with these other config keys."""
        section = {"namespace": self.name, "createNamespace": False, "ingressClass": self.name}
        keys = {
            "kong": {**section, **(kong or {})},
            "agent": {"namespace": f"{self.name}-agent"},
            "plugin": {"rock": "x.rock", "name": f"{self.name}-plugin"},
        }
        return plan(owner=self.owner, **{**keys, **config})

    def examine(self, *, live_change: bool = True, **config: Any) -> Examination:
        return examined(self.api, of=self.plan(**config), live_change=live_change)

    def examine_existing(self) -> Examination:
        """The examination of a stack with an existing Kong in this namespace."""
        section = {"install": False, "deployment": "quickstart-kong", "namespace": self.name, "container": "proxy"}
        existing = plan(owner=self.owner, kong=section, agent={"namespace": f"{self.name}-agent"})
        return examined(self.api, of=existing)

    def stuck_release(self, *, timeout_seconds: int = 8) -> StuckRelease:
        """The release that an interrupted operation left; an operation may take `timeout_seconds`."""
        (found,) = self.examine(kong={"timeoutSeconds": timeout_seconds}).stuck
        return found

    def repair(self, release: StuckRelease, *, kubeconfig: str | None = None) -> Finding | None:
        return repair(self.api, release, owner=self.owner, kubeconfig=kubeconfig, context=None, say=self.log.append)

    def helm(self, *arguments: str) -> str:
        return self.run("helm", *arguments, "--namespace", self.name)

    def status(self) -> str:
        return str(json.loads(self.helm("status", "quickstart", "--output", "json"))["info"]["status"])

    def kill_helm(self, *arguments: str, when: str) -> None:
        """Starts helm, and kills it once a revision has the status `when`."""
        process = subprocess.Popen(
            ["helm", *arguments, "--namespace", self.name, "--timeout", "120s"],
            env=self.platform.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: when in self.statuses(), f"helm ended before {when}", seconds=DEADLINE_SECONDS)
        finally:
            process.kill()
            process.wait()

    def statuses(self) -> set[str]:
        found = self.api.list(f"/api/v1/namespaces/{self.name}/secrets", metadata_only=True, labelSelector="owner=helm")
        return {item["metadata"]["labels"]["status"] for item in found}

    def chart(self) -> str:
        """Creates a chart of a ConfigMap and, with the value `stuck`, a pod that is never ready. Returns its folder."""
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
def namespace(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PreflightNamespace]:
    for variable, value in platform.env.items():
        monkeypatch.setenv(variable, value)
    found = PreflightNamespace(platform, tmp_path)
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


def deployment(namespace: PreflightNamespace, *containers: dict[str, Any]) -> dict[str, Any]:
    spec = {"containers": [{"image": "kong:3.9", **container} for container in containers]}
    template = {"metadata": {"labels": {"app": "kong"}}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "quickstart-kong", "namespace": namespace.name},
        "spec": {"selector": {"matchLabels": {"app": "kong"}}, "template": template},
    }


def only(found: Examination) -> str:
    """The single refusal, as text."""
    assert len(found.errors) == 1, found
    return found.errors[0].subject + "\n" + found.errors[0].problem + "\n" + found.errors[0].fix


def test_a_first_install_passes(namespace: PreflightNamespace) -> None:
    assert namespace.examine(live_change=True) == Examination(errors=[], warnings=[], stuck=[])


def test_read_permissions_are_enough_for_a_preview(namespace: PreflightNamespace) -> None:
    namespace.run("kubectl", "create", "serviceaccount", "viewer", "--namespace", namespace.name)
    namespace.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{namespace.name}-view", "labels": labels(namespace.owner)},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": namespace.name}],
        }
    )
    config = yaml.safe_load(namespace.platform.kubeconfig.read_text())
    token = namespace.run("kubectl", "create", "token", "viewer", "--namespace", namespace.name).strip()
    for user in config["users"]:
        user["user"] = {"token": token}
    viewer = connect(kubeconfig=yaml.safe_dump(config))

    preview = examined(viewer, of=namespace.plan(), live_change=False)
    assert preview.errors == []
    warnings = "\n".join(item.problem for item in preview.warnings)
    assert f"create pods/portforward in namespace {namespace.name}" in warnings
    assert f'cannot list resource "secrets" in API group "" in the namespace "{namespace.name}"' in warnings
    assert "validatingwebhookconfigurations" in warnings
    assert token not in warnings
    assert len(examined(viewer, of=namespace.plan()).errors) > 3


def test_an_unmanaged_plugin_is_refused_until_it_has_the_stacks_label(namespace: PreflightNamespace) -> None:
    name = f"{namespace.name}-plugin"
    namespace.apply(plugin(name, namespace.name))
    (finding,) = namespace.examine(rock=NEWER_ROCK).errors
    command = finding.fix.split("`")[-2]
    assert command.startswith(f"kubectl label kongclusterplugin {name} ")
    namespace.run(*shlex.split(command))
    assert namespace.examine(rock=NEWER_ROCK).errors == []
    assert "max_body_size_bytes" in only(namespace.examine())


def test_a_second_global_plugin_is_refused(namespace: PreflightNamespace) -> None:
    second = f"{namespace.name}-second"
    namespace.apply(plugin(second, namespace.name, labels={"global": "true"}))
    try:
        assert second in only(namespace.examine())
    finally:
        namespace.run("kubectl", "delete", "kongclusterplugin", second)


def test_a_gateway_with_a_container_on_the_tmes_port_is_refused(namespace: PreflightNamespace) -> None:
    port = [{"containerPort": 5442}]
    namespace.apply(deployment(namespace, {"name": "proxy"}, {"name": "mesh", "ports": port}))
    assert "container mesh" in only(namespace.examine_existing())


def test_an_admin_api_that_is_off_is_refused(namespace: PreflightNamespace) -> None:
    namespace.apply(deployment(namespace, {"name": "proxy", "env": [{"name": "KONG_ADMIN_LISTEN", "value": "off"}]}))
    assert "KONG_ADMIN_LISTEN" in only(namespace.examine_existing())


def test_the_stacks_gateway_in_another_namespace_is_found(namespace: PreflightNamespace) -> None:
    old = f"{namespace.name}-old"
    own_labels = {**labels(namespace.owner), GATEWAY_LABEL: namespace.owner}
    namespace.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": old, "labels": own_labels}})
    assert f"kong.namespace {old}" in only(namespace.examine())


def test_a_tenant_cannot_block_updates(namespace: PreflightNamespace) -> None:
    """A tenant with all permissions in another namespace cannot create an object that makes preflight fail."""
    tenant = f"{namespace.name}-tenant"
    namespace.run("kubectl", "create", "namespace", tenant)
    namespace.run("kubectl", "create", "serviceaccount", "tenant", "--namespace", tenant)
    bound = ("--clusterrole=admin", f"--serviceaccount={tenant}:tenant", f"--namespace={tenant}")
    namespace.run("kubectl", "create", "rolebinding", "tenant", *bound)
    token = namespace.run("kubectl", "create", "token", "tenant", "--namespace", tenant).strip()
    config = yaml.safe_load(namespace.platform.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    as_tenant = connect(kubeconfig=yaml.safe_dump(config))
    try:
        for name in ("traceable-installation", "traceable-agent-installation"):
            metadata = {"name": name, "labels": labels(namespace.owner)}
            record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"release": "x; reboot"}}
            as_tenant.request("POST", f"/api/v1/namespaces/{tenant}/configmaps", body=record)
        patch = {"metadata": {"labels": {GATEWAY_LABEL: namespace.owner}}}
        with pytest.raises(ApiError) as refused:
            path = f"/api/v1/namespaces/{tenant}"
            as_tenant.request("PATCH", path, body=patch, content_type=MERGE_PATCH)
        assert refused.value.status == 403
        assert namespace.examine() == Examination(errors=[], warnings=[], stuck=[])
        assert namespace.examine(enabled=False).errors == []
        agent = {"namespace": f"{namespace.name}-agent"}
        agent_only = plan(owner=namespace.owner, gateway=False, plugin=None, agent=agent)
        found = examined(namespace.api, of=agent_only)
        assert found.errors == []
        assert [item.subject for item in found.warnings] == [
            f"configmap traceable-agent-installation in namespace {tenant}"
        ]
    finally:
        namespace.run("kubectl", "delete", "namespace", tenant, "--wait=false")


@pytest.fixture
def strict_gateway(namespace: PreflightNamespace, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """The admission webhook of another gateway without the plugin, for the objects of this test only."""

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
            """Logs nothing."""

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
        namespace.apply(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": f"{namespace.name}-strict", "labels": labels(namespace.owner)},
                "webhooks": [
                    {
                        "name": "validations.kong.konghq.com",
                        "rules": [rule],
                        "objectSelector": {"matchLabels": labels(namespace.owner)},
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


def test_another_gateways_webhook_is_named_with_a_command_that_exempts_the_stacks_objects(
    namespace: PreflightNamespace, strict_gateway: Callable[[], None]
) -> None:
    strict_gateway()
    wait_until(lambda: namespace.examine(live_change=False).errors, "the webhook is not effective")
    text = only(namespace.examine(live_change=False))
    assert "no such plugin" in text
    namespace.run(*shlex.split(text.split("`")[1]))
    assert namespace.examine(live_change=False).errors == []
    assert namespace.run("kubectl", "get", "kongclusterplugins", "--selector", f"{STACK_LABEL}={namespace.owner}") == ""


def test_an_interrupted_install_is_removed(namespace: PreflightNamespace) -> None:
    namespace.kill_helm(
        "install", "quickstart", namespace.chart(), namespace.values(stuck=True), "--wait", when="pending-install"
    )
    warnings = namespace.examine(live_change=False).warnings
    assert ["pending-install" in item.problem for item in warnings] == [True]
    assert namespace.repair(namespace.stuck_release(), kubeconfig=namespace.platform.kubeconfig.read_text()) is None
    assert namespace.examine().stuck == []
    namespace.helm("install", "quickstart", namespace.chart(), namespace.values(), "--wait")
    assert namespace.text() == "one"


def test_an_interrupted_upgrade_is_rolled_back(namespace: PreflightNamespace) -> None:
    namespace.helm("install", "quickstart", namespace.chart(), namespace.values(), "--wait")
    two = namespace.values(text="two", stuck=True)
    namespace.kill_helm("upgrade", "quickstart", namespace.chart(), two, "--wait", when="pending-upgrade")
    assert namespace.repair(namespace.stuck_release(), kubeconfig=str(namespace.platform.kubeconfig)) is None
    assert (namespace.status(), namespace.text(), namespace.examine().stuck) == ("deployed", "one", [])
    namespace.helm("upgrade", "quickstart", namespace.chart(), namespace.values(text="three"), "--wait")
    assert namespace.text() == "three"


def test_an_interrupted_uninstall_is_rolled_back(namespace: PreflightNamespace) -> None:
    held = namespace.values(finalizers=["example.com/held"])
    namespace.helm("install", "quickstart", namespace.chart(), held, "--wait")
    namespace.kill_helm("uninstall", "quickstart", "--wait", when="uninstalling")
    namespace.run(
        "kubectl", "patch", "configmap", "held", "-n", namespace.name, "-p", '{"metadata":{"finalizers":null}}'
    )
    assert namespace.repair(namespace.stuck_release()) is None
    assert (namespace.status(), namespace.text(), namespace.examine().stuck) == ("deployed", "one", [])
    namespace.run(
        "kubectl", "patch", "configmap", "held", "-n", namespace.name, "-p", '{"metadata":{"finalizers":null}}'
    )
    namespace.helm("upgrade", "quickstart", namespace.chart(), namespace.values(text="two"), "--wait")
    assert namespace.text() == "two"


def test_preflight_waits_for_an_upgrade_that_is_still_running(namespace: PreflightNamespace) -> None:
    """Only its age tells another person's upgrade from an interrupted one."""
    namespace.helm("install", "quickstart", namespace.chart(), namespace.values(), "--wait")
    two = namespace.values(text="two", stuck=True)
    upgrade = ("helm", "upgrade", "quickstart", namespace.chart(), two, "--wait", "--timeout", "60s")
    with subprocess.Popen([*upgrade, "--namespace", namespace.name], env=namespace.platform.env) as colleague:
        wait_until(lambda: "pending-upgrade" in namespace.statuses(), seconds=DEADLINE_SECONDS)
        release = namespace.stuck_release(timeout_seconds=50)

        def let_it_end(line: str) -> None:
            namespace.log.append(line)
            namespace.run(
                "kubectl", "patch", "pod", "stuck", "--namespace", namespace.name, "--subresource=status", READY
            )

        assert (
            repair(namespace.api, release, owner=namespace.owner, kubeconfig=None, context=None, say=let_it_end) is None
        )
        assert colleague.wait(DEADLINE_SECONDS) == 0
    assert len(namespace.log) == 1 and "may still be running" in namespace.log[0]
    assert (namespace.status(), namespace.text()) == ("deployed", "two")


def test_an_unmanaged_release_is_refused_and_not_changed(namespace: PreflightNamespace) -> None:
    namespace.helm("install", "quickstart", namespace.chart(), "--wait")
    assert "do not name this stack as the owner" in only(namespace.examine())
    assert namespace.examine().stuck == []
