"""The stand-in charts, rendered by the real Helm, behave like the real ones."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import charts, paths

pytestmark = pytest.mark.usefixtures("platform")


def render(chart: str, *, fails: bool = False, upgrade: bool = False, **values: Any) -> Any:
    command: list[str | Path] = [paths.TOOLS / "helm", "template", "quickstart", charts.SOURCE / chart]
    done = subprocess.run(
        [*command, "--namespace", "ns", "--values", "-", *(["--is-upgrade"] if upgrade else [])],
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
    """Returns environment and mounts of the proxy container."""
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    container = next(item for item in pod["containers"] if item["name"] == "proxy")
    return (
        {item["name"]: item.get("value", "") for item in container["env"]},
        {item["name"]: item["mountPath"] for item in container["volumeMounts"]},
    )


def test_kong_mounts_plugins_on_its_package_path() -> None:
    entry = {"name": "cm", "pluginName": "foo", "subdirectories": [{"name": "cm-utils", "path": "utils"}]}
    environment, mounts = proxy(render("kong", plugins={"configMaps": [entry]}))
    assert mounts["kong-plugin-foo"] == "/opt/kong/plugins/foo"
    assert mounts["cm-utils"] == "/opt/kong/plugins/foo/utils"
    assert environment["KONG_PLUGINS"] == "bundled,foo"
    assert environment["KONG_LUA_PACKAGE_PATH"].startswith("/opt/?.lua;")


def test_env_plugins_silently_replaces_the_list_of_the_chart() -> None:
    entry = {"name": "cm", "pluginName": "foo"}
    environment, _ = proxy(render("kong", plugins={"configMaps": [entry]}, env={"plugins": "bundled"}))
    assert environment["KONG_PLUGINS"] == "bundled"


def test_kong_has_the_names_of_the_real_chart() -> None:
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


def test_a_value_of_the_chart_that_would_be_ignored_is_rejected_and_an_unknown_one_is_not() -> None:
    assert "notAValue" in str(render("traceable-agent", fails=True, notAValue=1))
    assert "udpProxy" in str(render("kong", fails=True, udpProxy={"enabled": True}))
    assert "hostname" in str(render("kong", fails=True, deployment={"hostname": "a"}))
    # The kong chart has no schema, and ignores what it does not know.
    assert one(render("kong", notAValue=1), "Deployment") == one(render("kong"), "Deployment")


def test_the_blocking_message_of_the_agent_is_not_quoted() -> None:
    config = one(render("traceable-agent", blockingMessage="a: b"), "ConfigMap")["data"]["agentconfig.yaml"]
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(config)


def test_the_webhook_of_the_agent_has_the_address_from_the_values() -> None:
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


def test_an_existing_token_secret_replaces_that_of_the_chart() -> None:
    own = render("traceable-agent", token="t")
    assert one(own, "Secret", "token-secret")["data"]["token"] == base64.b64encode(b"t").decode()
    with_secret = render("traceable-agent", externalTokenSecret={"name": "mine", "key": "k"})
    assert [item["metadata"]["name"] for item in with_secret if item["kind"] == "Secret"] == [
        "traceable-agent-tls-certs"
    ]


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


def test_the_webhook_of_the_controller_uses_the_certificate_of_the_chart_or_is_off() -> None:
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
        item["kind"] for item in render("kong", ingressController={"admissionWebhook": {"enabled": False}})
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
    assert daemon_set["spec"]["template"]["spec"]["containers"][1:-1] == [sidecar], "the last one is Kong"


@pytest.mark.parametrize("chart", charts.NAMES)
def test_the_global_value_of_helm_is_accepted(chart: str) -> None:
    assert render(chart, **{"global": {"a": 1}})  # type: ignore[arg-type]
    assert "global" in str(render(chart, fails=True, **{"global": "a"}))  # type: ignore[arg-type]


DATABASE: dict[str, Any] = {
    "env": {
        "database": "postgres",
        "pg_host": "db",
        "pg_password": {"valueFrom": {"secretKeyRef": {"name": "pg", "key": "password"}}},
    },
    "plugins": {"configMaps": [{"name": "cm", "pluginName": "foo"}]},
}


def jobs(**values: Any) -> dict[str, Any]:
    """Returns the migration Jobs by the command of their containers."""
    return {
        item["spec"]["template"]["spec"]["containers"][0]["args"][-1]: item
        for item in render("kong", **values)
        if isinstance(item, dict) and item["kind"] == "Job"
    }


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}


def test_the_database_settings_come_from_the_values() -> None:
    pod = one(render("kong", **DATABASE), "Deployment")["spec"]["template"]["spec"]
    containers = {item["name"]: item for item in [*pod["initContainers"], *pod["containers"]]}
    for name in ("clear-stale-pid", "wait-for-db", "proxy"):
        found = variables(containers[name])
        assert (found["KONG_DATABASE"], found["KONG_PG_HOST"], found["KONG_PG_PORT"]) == ("postgres", "db", "5432")
        assert found["KONG_PG_PASSWORD"] == {"secretKeyRef": {"name": "pg", "key": "password"}}


def test_init_containers_that_wait_for_the_database_mount_the_files_of_the_plugins() -> None:
    def waiting(**values: Any) -> list[dict[str, Any]]:
        pod = one(render("kong", **values), "Deployment")["spec"]["template"]["spec"]
        return [item for item in pod["initContainers"] if item["name"] == "wait-for-db"]

    (found,) = waiting(**DATABASE)
    assert "until kong start" in found["args"][-1]
    assert "/opt/kong/plugins/foo" in [item["mountPath"] for item in found["volumeMounts"]]
    assert waiting(**DATABASE, waitImage={"enabled": False}) == []
    assert waiting() == []


def test_bootstrap_runs_at_the_installation_and_other_migrations_are_upgrade_hooks() -> None:
    installed, upgraded = jobs(**DATABASE), jobs(upgrade=True, **DATABASE)
    assert set(installed) == {"bootstrap", "up", "finish"}
    assert "helm.sh/hook" not in installed["bootstrap"]["metadata"]["annotations"]
    assert set(upgraded) == {"up", "finish"}
    for name, hook in (("up", "pre-upgrade"), ("finish", "post-upgrade")):
        annotations = upgraded[name]["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == hook
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation"


def test_migrations_have_the_files_of_the_plugins_and_the_database_settings() -> None:
    for job in jobs(**DATABASE).values():
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert "/opt/kong/plugins/foo" in [item["mountPath"] for item in container["volumeMounts"]]
        assert {"name": "kong-plugin-foo", "configMap": {"name": "cm"}} in pod["volumes"]
        assert variables(container)["KONG_PLUGINS"] == "bundled,foo"
        assert variables(container)["KONG_PG_HOST"] == "db"
        assert pod["restartPolicy"] == "OnFailure"


def test_each_migration_can_be_switched_off() -> None:
    assert set(jobs(**DATABASE, migrations={"init": False, "preUpgrade": False})) == {"finish"}
    assert set(jobs(**DATABASE, migrations={"postUpgrade": False})) == {"bootstrap", "up"}
    assert jobs() == {} and jobs(upgrade=True) == {}
    kept = jobs(**DATABASE, migrations={"ttlSecondsAfterFinished": 60, "jobAnnotations": {"a": "b"}})["bootstrap"]
    assert kept["spec"]["ttlSecondsAfterFinished"] == 60
    assert kept["metadata"]["annotations"]["a"] == "b"


def test_a_release_without_a_controller_has_none_of_its_objects() -> None:
    objects = render("kong", **DATABASE, ingressController={"enabled": False})
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    assert [item["name"] for item in pod["containers"]] == ["proxy"]
    assert "KONG_KIC" not in variables(pod["containers"][0])
    assert {item["kind"] for item in objects if isinstance(item, dict)} == {
        *("ServiceAccount", "Service", "Deployment", "Job")
    }


def test_a_declarative_configuration_counts_only_without_controller_and_database() -> None:
    def declarative(**values: Any) -> tuple[str | None, dict[str, Any]]:
        objects = render("kong", **values, dblessConfig={"config": "_format_version: '3.0'"})
        environment, mounts = proxy(objects)
        maps = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
        assert ("kong-custom-dbless-config-volume" in mounts) == bool(maps)
        return environment.get("KONG_DECLARATIVE_CONFIG"), maps

    path, maps = declarative(ingressController={"enabled": False})
    assert path == "/kong_dbless/kong.yml"
    assert maps == {"quickstart-kong-custom-dbless-config": {"kong.yml": "_format_version: '3.0'\n"}}
    assert declarative() == declarative(**DATABASE, ingressController={"enabled": False}) == (None, {})


def test_the_database_subchart_is_rejected() -> None:
    assert "postgresql" in str(render("kong", fails=True, **DATABASE, postgresql={"enabled": True}))


def test_the_namespace_of_the_values_is_that_of_all_objects() -> None:
    found = {item["metadata"].get("namespace") for item in render("kong", namespace="edge")}
    assert found == {"edge", None}


def test_pods_may_not_write_to_the_root_filesystem_and_have_two_folders() -> None:
    pod = one(render("kong"), "Deployment")["spec"]["template"]["spec"]
    for container in [*pod["initContainers"], *pod["containers"]]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {item["mountPath"] for item in pod["initContainers"][0]["volumeMounts"]} == {"/kong_prefix/", "/tmp"}
    free = render("kong", containerSecurityContext={"enabled": False})
    assert "securityContext" not in one(free, "Deployment")["spec"]["template"]["spec"]["containers"][0]


def test_volumes_of_the_owner_are_added_whatever_their_names() -> None:
    twice = [{"name": "files", "mountPath": f"/{path}", "subPath": path} for path in ("a", "b")]
    objects = render(
        "kong",
        extraConfigMaps=twice,
        extraSecrets=[{"name": "keys", "mountPath": "/keys"}],
        deployment={
            "userDefinedVolumes": [{"name": "data", "emptyDir": {}}],
            "userDefinedVolumeMounts": [{"name": "data", "mountPath": "/data"}],
        },
    )
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    assert [item["name"] for item in pod["volumes"]][-5:] == ["webhook-cert", "files", "files", "keys", "data"]
    kong = pod["containers"][-1]
    assert [item["mountPath"] for item in kong["volumeMounts"]][-4:] == ["/a", "/b", "/keys", "/data"]
    assert "/data" not in [item["mountPath"] for item in pod["initContainers"][0]["volumeMounts"]]


def test_without_a_service_account_the_controller_has_no_token() -> None:
    def tokens(**account: Any) -> tuple[str | None, bool, list[str]]:
        objects = render("kong", deployment={"serviceAccount": account})
        pod = one(objects, "Deployment")["spec"]["template"]["spec"]
        mounted = [item["name"] for item in pod["containers"][0]["volumeMounts"] if "serviceaccount" in str(item)]
        return pod.get("serviceAccountName"), pod["automountServiceAccountToken"], mounted

    assert tokens() == ("quickstart-kong", False, ["quickstart-kong-token"])
    assert tokens(create=False, name="mine") == ("mine", False, ["mine-token"])
    assert tokens(automountServiceAccountToken=True) == ("quickstart-kong", True, [])
    assert tokens(create=False, automountServiceAccountToken=True) == (None, False, [])


def test_an_autoscaler_sets_the_replicas_and_a_disruption_budget_needs_two() -> None:
    budget = {"enabled": True, "maxUnavailable": 1}
    objects = render("kong", autoscaling={"enabled": True}, podDisruptionBudget=budget)
    assert "replicas" not in one(objects, "Deployment")["spec"]
    assert one(objects, "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 2
    assert one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert "replicaCount: 1" in str(render("kong", fails=True, podDisruptionBudget=budget))


def test_a_status_listener_that_is_off_has_no_port_and_its_probes_stay() -> None:
    def kong(**status: Any) -> tuple[str, bool, str]:
        pod = one(render("kong", status=status), "Deployment")["spec"]["template"]["spec"]
        container = pod["containers"][-1]
        listed = "status" in [item["name"] for item in container["ports"]]
        return variables(container)["KONG_STATUS_LISTEN"], listed, container["readinessProbe"]["httpGet"]["port"]

    assert kong() == ("0.0.0.0:8100, [::]:8100", True, "status")
    assert kong(enabled=False) == ("0.0.0.0:8100, [::]:8100", False, "status")
    assert kong(enabled=False, http={"enabled": False}) == ("off", False, "status")


def test_gateway_discovery_is_for_a_release_without_kong() -> None:
    discovery = {"enabled": True, "adminApiService": {"namespace": "gw", "name": "admin"}}
    assert "mutually exclusive" in render("kong", fails=True, ingressController={"gatewayDiscovery": discovery})
    objects = render("kong", deployment={"kong": {"enabled": False}}, ingressController={"gatewayDiscovery": discovery})
    (controller,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert variables(controller)["CONTROLLER_KONG_ADMIN_SVC"] == "gw/admin"
    assert "gatewayDiscovery.enabled has to be true" in render(
        "kong", fails=True, ingressController={"konnect": {"enabled": True}}
    )


def test_the_rights_of_the_controller_depend_on_its_namespaces() -> None:
    def rights(**values: Any) -> dict[tuple[str, str], set[str]]:
        return {
            (item["kind"], item["metadata"].get("namespace", "")): {
                kind for rule in item["rules"] for kind in rule["resources"] if "kong" in str(rule["apiGroups"])
            }
            for item in render("kong", ingressController=values)
            if item["kind"] in ("ClusterRole", "Role")
        }

    everywhere = rights()
    assert set(everywhere) == {("ClusterRole", ""), ("Role", "ns")}
    assert everywhere[("ClusterRole", "")] >= {"kongplugins", "kongclusterplugins"}
    some = rights(watchNamespaces=["shop"])
    assert "kongplugins" in some[("Role", "shop")] and "kongclusterplugins" in some[("ClusterRole", "")]
    assert ("ClusterRole", "") not in rights(watchNamespaces=["shop"], rbac={"enableClusterRoles": False})
    assert rights(rbac={"create": False}) == {}


def test_the_version_is_that_of_the_image_and_a_tag_that_is_none_fails() -> None:
    def label(**image: Any) -> str:
        return str(one(render("kong", image=image), "Deployment")["metadata"]["labels"]["app.kubernetes.io/version"])

    assert (label(), label(tag="3.4.3.10"), label(tag="3.8-ubuntu")) == ("3.9", "3.4", "3.8")
    assert label(unifiedRepoTag="kong@sha256:0", effectiveSemver="3.7.1") == "3.7"
    assert "error calling semver" in render("kong", fails=True, image={"tag": "latest"})
