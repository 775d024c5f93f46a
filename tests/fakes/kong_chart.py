"""What Kong's chart creates of chart values, as far as checks read it, without Helm.

The shape is that of the public chart (kong 3.4.1). tests/live/test_values_files.py renders with the real Helm.
"""

from collections.abc import Mapping
from typing import Any

from traceable_kong.helm_values.rendered_chart import RenderedChart, Rendering
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import ReleaseKey

Document = dict[str, Any]


def renderings(plan: Plan) -> Mapping[ReleaseKey, Rendering]:
    """The renderings of a plan's charts."""
    found: dict[ReleaseKey, Rendering] = {}
    if plan.gateway and isinstance(plan.gateway.kong, ManagedKong):
        found["kong"] = RenderedChart(objects=tuple(_objects(plan.gateway.kong)))
    if plan.managed_agent:
        found["agent"] = RenderedChart(objects=tuple(_agent(plan.managed_agent)))
    return found


def _agent(agent: ManagedAgent) -> list[Document]:
    values, there = agent.release.values, agent.namespace
    objects: list[Document] = [
        {"kind": "Service", "metadata": {"name": "agent", "namespace": there}},
        {
            "kind": "Deployment",
            "metadata": {"name": "traceable-agent", "namespace": there},
            "spec": {"replicas": values.get("deploymentReplicas", 1)},
        },
    ]
    if values.get("injectorEnabled", True):
        name = f"traceable-agent-injector-{there}"
        objects.append({"kind": "MutatingWebhookConfiguration", "metadata": {"name": name}})
    return objects


def _objects(kong: ManagedKong) -> list[Document]:
    values, name = kong.release.values, kong.deployment.name
    deployment, scaling = values.get("deployment") or {}, values.get("autoscaling") or {}
    account = (deployment.get("serviceAccount") or {}).get("name") or name
    containers = []
    controller = values.get("ingressController") or {}
    if controller.get("enabled", True):
        containers.append(_controller(controller))
    if (deployment.get("kong") or {}).get("enabled", True):
        containers.append(_kong(values))
    containers += deployment.get("sidecarContainers") or []
    spec: Document = {
        "selector": {"matchLabels": {"app.kubernetes.io/instance": kong.release.name}},
        "template": {
            "metadata": {"annotations": dict(values.get("podAnnotations") or {})},
            "spec": {
                "serviceAccountName": account,
                "containers": containers,
                "volumes": [*_volumes(values), *(deployment.get("userDefinedVolumes") or [])],
            },
        },
    }
    if values.get("updateStrategy"):
        spec["strategy"] = values["updateStrategy"]
    if not scaling.get("enabled"):
        spec["replicas"] = values.get("replicaCount", 1)
    kind = "DaemonSet" if deployment.get("daemonset") else "Deployment"
    objects = [_object(kind, kong, name, spec=spec)]
    roles = controller.get("rbac") or {}
    everywhere = not controller.get("watchNamespaces") or roles.get("enableClusterRoles", True)
    if controller.get("enabled", True) and roles.get("create", True) and everywhere:
        rules = [{"apiGroups": ["configuration.konghq.com"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
        objects.append({"kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
        subject = {"kind": "ServiceAccount", "name": account, "namespace": kong.deployment.namespace}
        role = {"kind": "ClusterRole", "name": name}
        objects.append(
            {"kind": "ClusterRoleBinding", "metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
        )
    if scaling.get("enabled"):
        target = {"scaleTargetRef": {"kind": "Deployment", "name": name}}
        sizes = {key: scaling[key] for key in ("minReplicas", "maxReplicas") if key in scaling}
        objects.append(_object("HorizontalPodAutoscaler", kong, name, spec={**target, **sizes}))
    budget = values.get("podDisruptionBudget") or {}
    if budget.get("enabled"):
        limits = {key: budget[key] for key in ("minAvailable", "maxUnavailable") if key in budget}
        objects.append(_object("PodDisruptionBudget", kong, name, spec={**limits, "selector": spec["selector"]}))
    return objects


def _object(kind: str, kong: ManagedKong, name: str, **fields: Any) -> Document:
    return {"kind": kind, "metadata": {"namespace": kong.deployment.namespace, "name": name}, **fields}


def _kong(values: Document) -> Document:
    image = values.get("image") or {}
    environment: dict[str, Any] = {
        "KONG_ADMIN_LISTEN": _admin_listen(values.get("admin") or {}),
        "KONG_LUA_PACKAGE_PATH": "/opt/?.lua;/opt/?/init.lua;;",
        "KONG_PLUGINS": ",".join(["bundled", *(item["pluginName"] for item in _entries(values))]),
        "KONG_STATUS_LISTEN": "0.0.0.0:8100, [::]:8100",
    }
    client = ((values.get("admin") or {}).get("tls") or {}).get("client") or {}
    if any(client.values()):
        environment["KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT"] = "on"
    environment |= {f"KONG_{key}".upper(): value for key, value in (values.get("env") or {}).items()}
    environment |= {key.upper(): value for key, value in (values.get("customEnv") or {}).items()}
    mounts = [
        {"name": f"kong-plugin-{item['pluginName']}", "mountPath": f"/opt/kong/plugins/{item['pluginName']}"}
        for item in _entries(values)
    ]
    return {
        "name": "proxy",
        "image": f"{image.get('repository', 'kong')}:{image.get('tag', '3.9')}",
        "env": _environment(environment),
        "ports": [{"name": "proxy", "containerPort": 8000}, {"name": "status", "containerPort": 8100}],
        "volumeMounts": [*mounts, *((values.get("deployment") or {}).get("userDefinedVolumeMounts") or [])],
        **({"envFrom": values["envFrom"]} if values.get("envFrom") else {}),
    }


def _controller(values: Document) -> Document:
    environment: dict[str, Any] = {"CONTROLLER_INGRESS_CLASS": values.get("ingressClass", "kong")}
    environment |= {f"CONTROLLER_{key}".upper(): value for key, value in (values.get("env") or {}).items()}
    environment |= {key.upper(): value for key, value in (values.get("customEnv") or {}).items()}
    return {
        "name": "ingress-controller",
        "image": "kong/kubernetes-ingress-controller:3.5",
        "env": _environment(environment),
        "args": list(values.get("args") or []),
        "envFrom": list(values.get("envFrom") or []),
    }


def _admin_listen(admin: Document) -> str:
    tls = (admin.get("tls") or {}).get("enabled", True)
    plain = (admin.get("http") or {}).get("enabled", False)
    listeners = [*(["127.0.0.1:8001"] if plain else []), *(["127.0.0.1:8444 http2 ssl"] if tls else [])]
    return ", ".join(listeners) or "off"


def _entries(values: Document) -> list[Document]:
    plugins = values.get("plugins") or {}
    return [*(plugins.get("configMaps") or []), *(plugins.get("secrets") or [])]


def _volumes(values: Document) -> list[Document]:
    return [
        {"name": f"kong-plugin-{item['pluginName']}", "configMap": {"name": item["name"]}} for item in _entries(values)
    ]


def _environment(variables: Mapping[str, Any]) -> list[Document]:
    return [
        {"name": name, **value} if isinstance(value, dict) else {"name": name, "value": _text(value)}
        for name, value in sorted(variables.items())
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
