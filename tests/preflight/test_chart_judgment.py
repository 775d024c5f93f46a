"""What preflight says of a managed Kong's chart values, from what the chart renders of them."""

import copy
import dataclasses
from typing import Any

import pytest

from tests.fakes.kong_chart import renderings
from tests.fakes.plans import plan
from tests.fakes.preflight_cluster import (
    EXISTING,
    FakeKubernetes,
    examined,
    passes,
    put_kong,
    put_record,
    refused,
    warned,
)
from traceable_kong.helm_values.rendered_chart import RenderedChart, Rendering, UnrenderedChart
from traceable_kong.plan.release_model import ReleaseKey
from traceable_kong.plan.state_record import record_data
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.examination import examine
from traceable_kong.preflight.releases_to_render import releases_to_render

Values = dict[str, Any]
Charts = dict[ReleaseKey, Rendering]

FILES = "/opt/kong/plugins/traceable"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"deployment": {"daemonset": True}}, "would be a DaemonSet"),
        ({"deployment": {"kong": {"enabled": False}}}, "would have no container proxy (only ingress-controller)"),
        ({"env": {"role": "data_plane"}}, "is part of a hybrid gateway (kongValues.env.role is 'data_plane')"),
        ({"customEnv": {"kong_role": "control_plane"}}, "(kongValues.customEnv.kong_role is 'control_plane')"),
        ({"env": {"admin_listen": "off"}}, "listens on no port (kongValues.env.admin_listen is 'off')"),
        ({"env": {"ADMIN_LISTEN": "unix:/run/a.sock"}}, "(kongValues.env.ADMIN_LISTEN is 'unix:/run/a.sock')"),
        (
            {"admin": {"tls": {"enabled": False}}},
            "config set --path traceable-kong:kongValues.admin.tls.enabled",
        ),
        ({"admin": {"tls": {"client": {"caBundle": "PEM"}}}}, "or kongValues.admin.tls.client)"),
        ({"admin": {"tls": {"client": {"secretName": "ca"}}}}, "has an Admin API that asks for a client certificate"),
        ({"env": {"nginx_admin_ssl_verify_client": "on"}}, "(kongValues.env.nginx_admin_ssl_verify_client or"),
        ({"podAnnotations": {"tme.traceable.ai/inject": "true"}}, "would request the TME (kongValues.podAnnotations)"),
        ({"podAnnotations": {"tme.traceable.ai/inject": "false"}}, "would request the TME"),
        ({"ingressController": {"ingressClass": "other"}}, "reads the ingress class 'other'"),
        ({"ingressController": {"enabled": False}}, "would have no ingress controller"),
        (
            {"ingressController": {"env": {"ingress_class": "other"}}},
            "traceable-kong:kong.ingressClass other`",
        ),
        (
            {"ingressController": {"customEnv": {"controller_ingress_class": "other"}}},
            "reads the ingress class 'other'",
        ),
        (
            {"ingressController": {"args": ["--v=1", "--ingress-class=other"]}},
            "'other' (kongValues.ingressController.args)",
        ),
        ({"ingressController": {"args": ["--ingress-class", "other"]}}, "'other' (kongValues.ingressController.args)"),
        (
            {"ingressController": {"env": {"enable_controller_kongclusterplugin": "false"}}},
            "(kongValues.ingressController.env.enable_controller_kongclusterplugin is false)",
        ),
        ({"ingressController": {"env": {"ENABLE_CONTROLLER_KONGCLUSTERPLUGIN": False}}}, "does not read KongCluster"),
        ({"replicaCount": 0}, "has zero replicas (kongValues.replicaCount)"),
        ({"autoscaling": {"enabled": True, "minReplicas": 0, "maxReplicas": 3}}, "an autoscaler from 0 to 3 replicas"),
        ({"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 2}}, "an autoscaler from 3 to 2 replicas"),
        (
            {"updateStrategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}},
            "may neither add a pod nor remove one (kongValues.updateStrategy",
        ),
        (
            {"podDisruptionBudget": {"enabled": True, "minAvailable": 1, "maxUnavailable": 1}},
            "would have both minAvailable and maxUnavailable",
        ),
        ({"env": {"proxy_listen": "0.0.0.0:8000, 0.0.0.0:5442 ssl"}}, "(kongValues.env.proxy_listen is"),
        ({"customEnv": {"kong_stream_listen": "0.0.0.0:5442"}}, "(kongValues.customEnv.kong_stream_listen is"),
        (
            {"deployment": {"sidecarContainers": [{"name": "s", "ports": [{"containerPort": 5442}]}]}},
            "container s of deployment quickstart-kong in namespace kong\nuses the TME's port 5442",
        ),
        ({"image": {"tag": "2.8.5"}}, "runs Kong 2.8 (kong:2.8.5), but the plugin needs 3.4 or newer"),
        ({"image": {"repository": "mirror:5000/x/kong-gateway", "tag": "3.3.1-ubuntu"}}, "runs Kong 3.3"),
        ({"image": {"repository": "mirror/gateway", "tag": "2.0"}}, "runs Kong 2.0"),
        ({"env": {"plugins": "bundled,foo"}}, "kongValues.env.plugins bundled,foo,traceable`"),
        ({"env": {"PLUGINS": "bundled"}}, "kongValues.env.PLUGINS is 'bundled', without traceable"),
        ({"customEnv": {"kong_plugins": "bundled"}}, "kongValues.customEnv.kong_plugins"),
        ({"env": {"plugins": ""}}, "kongValues.env.plugins bundled,traceable`"),
        ({"env": {"plugins": "bundled,traceable,"}}, "an empty entry (kongValues.env.plugins is 'bundled,traceable,')"),
        ({"env": {"plugins": "off,traceable"}}, "begins with off (kongValues.env.plugins is 'off,traceable')"),
        ({"env": {"plugins": "bundled,traceable,traceable-ai-extension"}}, "lists traceable-ai-extension"),
        ({"env": {"plugins": {"valueFrom": {"secretKeyRef": {}}}}}, "takes KONG_PLUGINS from another object"),
        ({"env": {"lua_package_path": "./?.lua;;"}}, "kongValues.env.lua_package_path '/opt/?.lua;./?.lua;;'`"),
        (
            {"deployment": {"userDefinedVolumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]}},
            "would have the volume a twice",
        ),
        (
            {"deployment": {"userDefinedVolumeMounts": [{"name": "a", "mountPath": "/a"}]}},
            "would mount the volume a, which the pod does not have",
        ),
        (
            {
                "deployment": {
                    "userDefinedVolumes": [{"name": "own", "configMap": {"name": "own"}}],
                    "userDefinedVolumeMounts": [{"name": "own", "mountPath": "/opt/kong/plugins/"}],
                }
            },
            "own (kongValues.deployment.userDefinedVolumes) at /opt/kong/plugins, read-only around the plugin's files",
        ),
        (
            {
                "deployment": {
                    "userDefinedVolumes": [{"name": "own", "emptyDir": {}}],
                    "userDefinedVolumeMounts": [{"name": "own", "mountPath": "/opt", "readOnly": True}],
                }
            },
            "own (kongValues.deployment.userDefinedVolumes) at /opt, read-only around the plugin's files",
        ),
        (
            {
                "deployment": {
                    "userDefinedVolumes": [{"name": "own", "emptyDir": {}}],
                    "userDefinedVolumeMounts": [
                        {"name": "own", "mountPath": "/opt/kong/plugins/traceable/handler.lua"}
                    ],
                }
            },
            "handler.lua, over a part of the plugin's files",
        ),
    ],
)
def test_a_conflict_is_refused(kube: FakeKubernetes, values: Values, said: str) -> None:
    assert said in refused(kube, kongValues=values)


@pytest.mark.parametrize(
    "values",
    [
        {"deployment": {"daemonset": False, "kong": {"enabled": True}}},
        {"deployment": None, "admin": None, "env": None, "podAnnotations": None, "ingressController": None},
        {"env": {"role": "traditional"}},
        {"env": {"admin_listen": "127.0.0.1:8444 ssl"}},
        {"admin": {"http": {"enabled": True}, "tls": {"enabled": False}}},
        {"admin": {"enabled": False}},
        {"admin": {"tls": {"client": {"caBundle": "", "secretName": ""}}}},
        {"env": {"nginx_admin_ssl_verify_client": "off"}},
        {"env": {"nginx_admin_ssl_verify_client": "optional"}, "admin": {"tls": {"client": {"caBundle": "PEM"}}}},
        {"admin": {"tls": {"enabled": False}}, "env": {"admin_listen": "127.0.0.1:8001"}},
        {"podAnnotations": {"example.com/owner": "1"}},
        {"ingressController": {"env": {"ingress_class": "kong", "log_level": "debug"}}},
        # An argument wins over a variable.
        {"ingressController": {"args": ["--ingress-class=kong"], "env": {"ingress_class": "other"}}},
        {"ingressController": {"env": {"watch_namespace": "shop"}, "watchNamespaces": ["shop"]}},
        {"replicaCount": 1},
        {"replicaCount": 0, "autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 4}},
        {"autoscaling": {"enabled": False, "minReplicas": 0}},
        {"updateStrategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}},
        {"env": {"proxy_listen": "0.0.0.0:54420, 0.0.0.0:15442"}},
        {"env": {"nginx_proxy_real_ip": "10.0.0.1:5442"}},
        {"proxy": {"http": {"servicePort": 5442, "containerPort": 8000}}},
        {"image": {"tag": "3.4"}},
        {"image": {"tag": "3.10.0.1-ubuntu"}},
        {"image": {"repository": "mirror/gateway", "tag": "stable"}},
        {"env": {"plugins": "bundled, traceable", "lua_package_path": "/opt/?.lua;;"}},
        {
            "plugins": {"configMaps": [{"name": "cm", "pluginName": "audit"}]},
            "env": {"plugins": "bundled,audit,traceable"},
        },
    ],
)
def test_other_values_are_accepted(kube: FakeKubernetes, values: Values) -> None:
    passes(kube, kongValues=values)


def test_a_second_entry_for_the_plugin_is_refused(kube: FakeKubernetes) -> None:
    found = examined(kube, kongValues={"plugins": {"configMaps": [{"name": "x", "pluginName": "traceable"}]}})
    said = [item.problem for item in found.errors]
    assert any("would have the volume kong-plugin-traceable twice" in text for text in said)
    assert any("would mount two volumes at /opt/kong/plugins/traceable" in text for text in said)


def test_a_deployment_that_is_recreated_is_a_warning(kube: FakeKubernetes) -> None:
    assert "would be an outage" in warned(kube, kongValues={"updateStrategy": {"type": "Recreate"}})


def test_every_problem_of_both_charts_is_found_at_once(kube: FakeKubernetes) -> None:
    made = plan(kongValues={"replicaCount": 0, "env": {"plugins": "bundled"}})
    charts = {**renderings(made), "agent": UnrenderedChart(reason="no such chart")}
    errors = examine(CachedReader(kube, charts), made, live_change=False).errors
    said = "\n".join(f"{item.subject} {item.problem}" for item in errors)
    assert "the agent's chart (traceable-agent) cannot be rendered" in said and "no such chart" in said
    assert "zero replicas" in said and "would not load the plugin" in said


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("Service", {}, "would create no Service agent in namespace traceable"),
        ("MutatingWebhookConfiguration", {}, "would create no mutatingwebhookconfiguration traceable-agent-injector-"),
        ("MutatingWebhookConfiguration", {"mode": "async"}, ""),
        ("Deployment", {}, ""),
    ],
)
def test_what_gateways_need_of_the_agents_chart(
    kube: FakeKubernetes, kind: str, config: dict[str, Any], said: str
) -> None:
    made = plan(**config)
    charts: Charts = dict(renderings(made))
    rendered = charts["agent"]
    assert isinstance(rendered, RenderedChart)
    charts["agent"] = RenderedChart(objects=tuple(item for item in rendered.objects if item["kind"] != kind))
    found = [item.problem for item in examine(CachedReader(kube, charts), made, live_change=False).errors]
    assert said in "\n".join(found) and len(found) == bool(said)


def test_a_gateway_elsewhere_is_named(kube: FakeKubernetes) -> None:
    made = plan()
    rendered = renderings(made)["kong"]
    assert isinstance(rendered, RenderedChart)
    moved = tuple(
        {**item, "metadata": {**item["metadata"], "namespace": "edge"}} if item["kind"] == "Deployment" else item
        for item in rendered.objects
    )
    charts: Charts = {"kong": dataclasses.replace(rendered, objects=moved)}
    (error,) = examine(CachedReader(kube, charts), made, live_change=False).errors
    assert "the chart creates the Deployment edge/quickstart-kong" in error.problem


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("kong", "An umbrella chart"),
        ("gateway", "The kong/ingress chart"),
        ("controller", "kongValues.ingressController"),
        ("replicacount", "Did you mean kongValues.replicaCount? Remove it:"),
        ("zzz", "Remove it: `pulumi config rm --path traceable-kong:kongValues.zzz`"),
    ],
)
def test_a_value_that_the_chart_ignores_is_refused(kube: FakeKubernetes, key: str, said: str) -> None:
    made = plan(kongValues={key: {"a": 1}})
    rendered = renderings(made)["kong"]
    assert isinstance(rendered, RenderedChart)
    charts: Charts = {"kong": dataclasses.replace(rendered, ignored=(key,))}
    (error,) = examine(CachedReader(kube, charts), made, live_change=False).errors
    assert error.subject == f"traceable-kong:kongValues.{key}" and said in error.fix


@pytest.mark.parametrize(
    ("config", "kind", "suffix", "said", "fix"),
    [
        (
            {"kong": {"release": "r" * 53}},
            "Service",
            "-proxy",
            "has 64 characters, and the name of a Service has at most 63",
            "kong.release NAME",
        ),
        (
            {"kong": {"release": "1edge"}},
            "Service",
            "-proxy",
            "1edge-kong-proxy is not a name for a Service",
            "kong.release",
        ),
        (
            {"kongValues": {"fullnameOverride": "Edge"}},
            "ServiceAccount",
            "",
            "ServiceAccount Edge is not a name",
            "kongValues.fullnameOverride NAME",
        ),
        (
            {"kongValues": {"nameOverride": "a..b"}},
            "Secret",
            "",
            "quickstart-a..b is not a name",
            "kongValues.nameOverride",
        ),
    ],
)
def test_names_that_the_api_server_refuses(
    kube: FakeKubernetes, config: dict[str, Any], kind: str, suffix: str, said: str, fix: str
) -> None:
    made = plan(**config)
    assert made.gateway
    name = made.gateway.kong.deployment.name + suffix
    rendered = renderings(made)["kong"]
    assert isinstance(rendered, RenderedChart)
    objects = ({"kind": kind, "metadata": {"name": name}}, *rendered.objects)
    charts: Charts = {"kong": dataclasses.replace(rendered, objects=objects)}
    errors = examine(CachedReader(kube, charts), made, live_change=False).errors
    (error,) = [item for item in errors if "would create objects that the API server refuses" in item.problem]
    assert said in error.problem and fix in error.fix


def test_what_the_record_says_was_deployed_is_not_rendered_again(kube: FakeKubernetes) -> None:
    def rendered(**config: Any) -> list[str]:
        return [release.key for release in releases_to_render(plan(**config), CachedReader(kube))]

    assert rendered() == ["kong", "agent"]
    put_record(kube, **(record_data(plan()) or {}))
    assert rendered() == []
    assert rendered(kongValues={"replicaCount": 2}) == ["kong"]
    assert rendered(kong={"chart": {"version": "3.4.2"}}) == ["kong"]
    assert rendered(agentValues={"logLevel": "debug"}) == ["agent"]
    assert rendered(timeoutMs=600) == []
    assert rendered(mode="async") == ["kong", "agent"], "only sync needs an injector"
    values = {"ingressController": {"ingressClass": "kong"}}
    put_record(kube, **(record_data(plan(kongValues=values)) or {}))
    assert rendered(kongValues=values) == []
    assert rendered(kongValues=values, kong={"ingressClass": "other"}) == ["kong", "agent"], "the values are the same"
    kube.denied["/api/v1/namespaces/kong/configmaps"] = 403
    assert rendered() == ["kong", "agent"]


DATABASE: dict[str, Any] = {
    "database": "postgres",
    "createNamespace": False,
    "postgres": {"host": "pg.example.com", "passwordSecret": {"name": "pg", "key": "password"}},
}


def problems(kube: FakeKubernetes, kong: dict[str, Any], **values: Any) -> str:
    errors = examined(kube, kong={**DATABASE, **kong}, kongValues=values).errors
    return "\n".join(f"{item.subject} {item.problem} {item.fix}" for item in errors)


def test_with_a_database_the_controller_does_not_have_to_read_the_plugin(kube: FakeKubernetes) -> None:
    assert "controller" not in problems(kube, {}, ingressController={"env": {"ingress_class": "other"}})
    assert "controller" not in problems(kube, {}, ingressController={"enabled": False})


def test_an_admin_api_may_require_a_certificate_that_the_stack_has(kube: FakeKubernetes) -> None:
    required = {"tls": {"client": {"secretName": "authority"}}}
    said = problems(kube, {}, admin=required)
    assert "asks for a client certificate" in said and "kong.admin.clientCertificateSecret" in said
    shown = {"admin": {"clientCertificateSecret": "client"}}
    assert "asks for a client certificate" not in problems(kube, shown, admin=required)


def test_access_control_needs_a_token(kube: FakeKubernetes) -> None:
    assert "asks for a token (kongValues.env.enforce_rbac)" in problems(kube, {}, env={"enforce_rbac": "on"})
    named = {"admin": {"tokenSecret": {"name": "token", "key": "token"}}}
    assert "asks for a token" not in problems(kube, named, env={"enforce_rbac": "on"})


@pytest.mark.parametrize(
    ("host", "containers", "first", "refused"),
    [
        ("127.0.0.1", 1, [], True),
        ("localhost", 1, [], True),
        ("127.0.0.1", 2, [], False),
        ("localhost", 1, [{"name": "proxy", "restartPolicy": "Always"}], False),
        ("pg.example.com", 1, [], False),
    ],
)
def test_a_database_behind_a_sidecar(
    kube: FakeKubernetes, host: str, containers: int, first: list[dict[str, Any]], refused: bool
) -> None:
    made = plan(kong={**DATABASE, "postgres": {**DATABASE["postgres"], "host": host}})
    kong = renderings(made)["kong"]
    assert isinstance(kong, RenderedChart)
    migrates = {"name": "migrations", "env": [{"name": "KONG_PG_HOST", "value": host}]}
    spec = {"containers": [migrates, {"name": "cloud-sql"}][:containers], "initContainers": first}
    job = {"kind": "Job", "metadata": {"name": "init", "namespace": "kong"}, "spec": {"template": {"spec": spec}}}
    charts: Charts = {"kong": dataclasses.replace(kong, objects=(*kong.objects, job))}
    found = examine(CachedReader(kube, charts), made, live_change=False).errors
    said = [item.problem for item in found if item.subject == "traceable-kong:kong.postgres.host"]
    assert bool(said) is refused and all("migrate it (job init)" in text for text in said)


@pytest.mark.parametrize(
    ("container", "said"),
    [
        (
            {"readinessProbe": {"httpGet": {"port": "status"}}, "ports": []},
            "a readinessProbe for the port 'status'",
        ),
        ({"livenessProbe": {"tcpSocket": {"port": "x"}}}, "has a livenessProbe for the port 'x'"),
        ({"readinessProbe": {"httpGet": {"port": 8100}}}, ""),
        ({"startupProbe": {"exec": {"command": ["true"]}}}, ""),
        ({"securityContext": {"readOnlyRootFilesystem": True}}, "its working directory /usr/local/kong (KONG_PREFIX)"),
        (
            {
                "securityContext": {"readOnlyRootFilesystem": True},
                "env": [{"name": "KONG_PREFIX", "value": "/kong_prefix/"}],
                "volumeMounts": [{"name": "prefix", "mountPath": "/kong_prefix"}],
            },
            "",
        ),
    ],
)
def test_what_keeps_pods_of_an_existing_kong_from_starting(
    kube: FakeKubernetes, container: dict[str, Any], said: str
) -> None:
    put_kong(kube, {"name": "proxy", "image": "kong:3.9", **container})
    problems = [item.problem for item in examined(kube, **EXISTING).errors]
    assert said in "\n".join(problems) and bool(problems) is bool(said)


def test_a_controller_without_a_token_is_refused(kube: FakeKubernetes) -> None:
    made = plan()
    kong = renderings(made)["kong"]
    assert isinstance(kong, RenderedChart)
    objects = copy.deepcopy(kong.objects)
    objects[0]["spec"]["template"]["spec"]["automountServiceAccountToken"] = False
    charts: Charts = {"kong": RenderedChart(objects=objects)}
    (error,) = examine(CachedReader(kube, charts), made, live_change=False).errors
    assert "would have no token for the Kubernetes API" in error.problem
    mount = {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    objects[0]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [mount]
    objects[0]["spec"]["template"]["spec"]["volumes"].append({"name": "token", "projected": {}})
    assert examine(CachedReader(kube, charts), made, live_change=False).errors == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("containers", None),
        ("containers", ["proxy"]),
        ("containers", [{"image": "kong:3.9"}]),
        ("containers", [{"name": "proxy", "image": "kong:3.9", "env": [{"value": "a"}]}]),
        ("containers", [{"name": "proxy", "image": "kong:3.9", "volumeMounts": [{"name": "a"}]}]),
        ("containers", [{"name": "proxy", "image": "kong:3.9", "readinessProbe": ["a"]}]),
        ("volumes", [{"configMap": {}}]),
    ],
)
def test_an_object_in_a_form_that_the_api_refuses_ends_in_a_message(
    kube: FakeKubernetes, field: str, value: object
) -> None:
    made = plan()
    kong = renderings(made)["kong"]
    assert isinstance(kong, RenderedChart)
    objects = copy.deepcopy(kong.objects)
    objects[0]["spec"]["template"]["spec"][field] = value
    charts: Charts = {"kong": RenderedChart(objects=objects)}
    errors = examine(CachedReader(kube, charts), made, live_change=False).errors
    assert any("in a form that the API server refuses" in item.problem for item in errors)
