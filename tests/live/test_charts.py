"""The stand-in charts, rendered by the real Helm, keep to what is public of the real ones."""

import base64
import json
import subprocess
from typing import Any

import pytest
import yaml

from local import charts, paths

pytestmark = pytest.mark.usefixtures("platform")


def render(chart: str, *, fails: bool = False, **values: Any) -> list[dict[str, Any]] | str:
    done = subprocess.run(
        [paths.TOOLS / "helm", "template", "quickstart", charts.SOURCE / chart, "--namespace", "ns", "--values", "-"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if fails:
        assert done.returncode != 0
        return done.stderr
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def one(objects: Any, kind: str, name: str = "") -> Any:
    found = [item for item in objects if item["kind"] == kind and item["metadata"]["name"].startswith(name)]
    assert len(found) == 1, [item["metadata"]["name"] for item in objects]
    return found[0]


def proxy(objects: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Environment and mounts of the proxy container."""
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    container = next(item for item in pod["containers"] if item["name"] == "proxy")
    return (
        {item["name"]: item.get("value", "") for item in container["env"]},
        {item["name"]: item["mountPath"] for item in container["volumeMounts"]},
    )


def test_kong_mounts_plugins_where_it_looks_for_them() -> None:
    entry = {"name": "cm", "pluginName": "foo", "subdirectories": [{"name": "cm-utils", "path": "utils"}]}
    environment, mounts = proxy(render("kong", plugins={"configMaps": [entry]}))
    assert mounts["kong-plugin-foo"] == "/opt/kong/plugins/foo"
    assert mounts["cm-utils"] == "/opt/kong/plugins/foo/utils"
    assert environment["KONG_PLUGINS"] == "bundled,foo"
    assert environment["KONG_LUA_PACKAGE_PATH"].startswith("/opt/?.lua;")


def test_kongs_env_plugins_silently_takes_the_lists_place() -> None:
    entry = {"name": "cm", "pluginName": "foo"}
    environment, _ = proxy(render("kong", plugins={"configMaps": [entry]}, env={"plugins": "bundled"}))
    assert environment["KONG_PLUGINS"] == "bundled"


def test_kongs_names_are_those_of_the_chart() -> None:
    objects = render("kong")
    deployment = one(objects, "Deployment")
    assert deployment["metadata"]["name"] == "quickstart-kong"
    assert [item["name"] for item in deployment["spec"]["template"]["spec"]["containers"]] == [
        "ingress-controller",
        "proxy",
    ]
    assert one(objects, "Service", "quickstart-kong-proxy")["spec"]["type"] == "LoadBalancer"
    assert one(objects, "IngressClass")["metadata"]["name"] == "kong"
    assert one(render("kong", fullnameOverride="edge"), "Deployment")["metadata"]["name"] == "edge"


@pytest.mark.parametrize("chart", charts.NAMES)
def test_a_value_that_would_be_ignored_is_refused(chart: str) -> None:
    assert "notAValue" in str(render(chart, fails=True, notAValue=1))


def test_the_agents_message_is_written_without_quotes() -> None:
    config = one(render("traceable-agent", blockingMessage="a: b"), "ConfigMap")["data"]["agentconfig.yaml"]
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(config)


def test_the_agents_webhook_is_called_where_the_values_say() -> None:
    webhook = one(render("traceable-agent"), "MutatingWebhookConfiguration")
    assert webhook["metadata"]["name"] == "traceable-agent-injector-ns"
    (hook,) = webhook["webhooks"]
    assert hook["clientConfig"]["service"]["name"] == "agent"
    assert hook["namespaceSelector"] == {"matchLabels": {"traceableai-inject-tme": "enabled"}}
    assert hook["failurePolicy"] == "Ignore"
    (hook,) = one(
        render("traceable-agent", injectorWebhookDomain="127.0.0.1:1", injector={"caBundle": "QQ=="}),
        "MutatingWebhookConfiguration",
    )["webhooks"]
    assert hook["clientConfig"] == {"url": "https://127.0.0.1:1/injector/v1/inject-tme", "caBundle": "QQ=="}


def test_a_token_secret_that_exists_takes_the_place_of_the_charts_own() -> None:
    own = render("traceable-agent", token="t")
    assert one(own, "Secret", "token-secret")["data"]["token"] == base64.b64encode(b"t").decode()
    theirs = render("traceable-agent", externalTokenSecret={"name": "mine", "key": "k"})
    assert [item["metadata"]["name"] for item in theirs if item["kind"] == "Secret"] == ["traceable-agent-tls-certs"]  # type: ignore[index, union-attr]


def webhooks(**values: Any) -> dict[str, Any]:
    made = one(render("kong", ingressController={"admissionWebhook": values}), "ValidatingWebhookConfiguration")
    assert made["metadata"]["name"] == "quickstart-kong-ns-validations"
    return {item["name"].removesuffix(".konghq.com"): item for item in made["webhooks"]}


def test_the_admission_webhook_is_on_and_fails_open() -> None:
    made = webhooks()
    assert set(made) == {
        "secrets.credentials.validation.ingress-controller",
        "secrets.plugins.validation.ingress-controller",
        "validations.kong",
    }
    for hook in made.values():
        assert hook["failurePolicy"] == "Ignore"
        assert hook["clientConfig"]["service"] == {"name": "quickstart-kong-validation-webhook", "namespace": "ns"}
        assert {"key": "owner", "operator": "NotIn", "values": ["helm"]} in hook["objectSelector"]["matchExpressions"]
    assert "kongclusterplugins" in made["validations.kong"]["rules"][0]["resources"]
    assert webhooks(failurePolicy="Fail")["validations.kong"]["failurePolicy"] == "Fail"


def test_the_controller_listens_with_the_charts_certificate_or_not_at_all() -> None:
    def controller(**values: Any) -> tuple[dict[str, Any], list[str]]:
        objects = render("kong", ingressController={"admissionWebhook": values})
        pod = one(objects, "Deployment")["spec"]["template"]["spec"]
        container = next(item for item in pod["containers"] if item["name"] == "ingress-controller")
        secrets = [item["secret"]["secretName"] for item in pod["volumes"] if item["name"] == "webhook-cert"]
        return {item["name"]: item.get("value") for item in container["env"]}, secrets

    environment, secrets = controller(port=9443)
    assert environment["CONTROLLER_ADMISSION_WEBHOOK_LISTEN"] == "0.0.0.0:9443"
    assert secrets == ["quickstart-kong-validation-webhook-keypair"]
    environment, secrets = controller(enabled=False)
    assert "CONTROLLER_ADMISSION_WEBHOOK_LISTEN" not in environment and secrets == []
    assert "ValidatingWebhookConfiguration" not in {
        item["kind"]
        for item in render("kong", ingressController={"admissionWebhook": {"enabled": False}})  # type: ignore[union-attr, index]
    }
    own = {"provided": True, "secretName": "mine", "caBundle": "PEM"}
    assert controller(certificate=own)[1] == ["mine"]
    assert (
        webhooks(certificate=own)["validations.kong"]["clientConfig"]["caBundle"] == base64.b64encode(b"PEM").decode()
    )


def test_a_gateway_can_be_a_daemon_set_and_have_sidecars() -> None:
    sidecar = {"name": "extra", "image": "example.com/extra:1"}
    objects = render("kong", deployment={"daemonset": True, "sidecarContainers": [sidecar]}, replicaCount=3)
    daemon_set = one(objects, "DaemonSet")
    assert "replicas" not in daemon_set["spec"]
    assert daemon_set["spec"]["template"]["spec"]["containers"][-1] == sidecar


@pytest.mark.parametrize("chart", charts.NAMES)
def test_helms_own_value_is_taken(chart: str) -> None:
    assert render(chart, **{"global": {"a": 1}})
    assert "global" in str(render(chart, fails=True, **{"global": "a"}))
