"""Conformance: waiting for readiness, its timeouts, and what is reported and recorded after a failure."""

import threading
from collections.abc import Callable

import pytest

from tests.live.commands import wait_until
from tests.live.local.provider import manifests
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect
from tests.live.local.provider.plugin import Failure, Plugin

ANNOTATIONS = "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/ (metadata/annotations.go)"


@expect("a Deployment is awaited until its pods are ready", source="await/deployment.go")
def test_deployment(plugin: Plugin, namespace: str) -> None:
    resource = plugin.resource("apps/v1:Deployment")
    resource.create(manifests.deployment(namespace))

    assert resource.state["status"]["readyReplicas"] == 1


@expect(
    "a Deployment that does not become ready fails after its timeoutSeconds, with the reasons, and is recorded",
    source="await/deployment.go (errorMessages), provider/provider.go (partialError)",
)
def test_deployment_timeout(plugin: Plugin, namespace: str) -> None:
    resource = plugin.resource("apps/v1:Deployment")
    inputs = manifests.deployment(namespace, annotations={"pulumi.com/timeoutSeconds": "2"}, **manifests.NOWHERE)

    with pytest.raises(Failure, match="failed to fully initialize or become live") as failure:
        resource.create(inputs)
    assert "'it' timed out waiting to be Ready" in str(failure.value)
    assert resource.id == f"{namespace}/it"
    assert resource.state["metadata"]["uid"]
    assert "Minimum number of live Pods was not attained" in failure.value.reasons
    assert any(reason.startswith("[MinimumReplicasUnavailable]") for reason in failure.value.reasons)
    assert not any("nodes are available" in reason for reason in failure.value.reasons)


@expect(
    "a rollout that does not complete fails the update, and the live object is recorded",
    source="await/deployment.go (errorMessages)",
)
def test_rollout_timeout(plugin: Plugin, new_plugin: Callable[..., Plugin], namespace: str) -> None:
    resource = plugin.resource("apps/v1:Deployment")
    resource.create(manifests.deployment(namespace))
    # As in another run: the official plugin may take what it cached of the old roll-out for the new one.
    resource.plugin = new_plugin()

    with pytest.raises(Failure, match="failed to fully initialize or become live") as failure:
        resource.update(manifests.deployment(namespace, **manifests.NOWHERE), timeout_seconds=2)
    assert resource.state["spec"]["template"]["spec"]["nodeSelector"] == manifests.NOWHERE["nodeSelector"]
    reason = "Minimum number of Pods to consider the application live was not attained"
    assert reason in failure.value.reasons


@expect("the resource option customTimeouts overrides the annotation", source="metadata/overrides.go (TimeoutDuration)")
def test_custom_timeout(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.deployment(namespace, annotations={"pulumi.com/timeoutSeconds": "600"}, **manifests.NOWHERE)

    with pytest.raises(Failure, match="timed out"):
        plugin.resource("apps/v1:Deployment").create(inputs, timeout_seconds=1)


@expect("skipAwait waits for nothing", source=ANNOTATIONS)
def test_skip_await(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.deployment(namespace, annotations={"pulumi.com/skipAwait": "true"}, **manifests.NOWHERE)
    resource = plugin.resource("apps/v1:Deployment")
    resource.create(inputs)

    assert resource.state["metadata"]["uid"]


@expect(
    "reading a Deployment that is not ready reports that it failed to initialize", source="provider/provider.go (Read)"
)
def test_read_of_unready(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    resource = plugin.resource("apps/v1:Deployment")
    resource.create(manifests.deployment(namespace))
    cluster.run(
        *("kubectl", "patch", "deployment", "it", "-n", namespace, "-p"),
        '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null},'
        ' "template": {"spec": {"nodeSelector": {"there-is": "no-such-node"}}}}}',
    )
    wait_until(
        lambda: not cluster.get("deployment", "it", namespace)["status"].get("readyReplicas"), "it is still ready"
    )

    with pytest.raises(Failure, match="was created but failed to initialize") as failure:
        resource.read()
    assert failure.value.state is not None


@expect("a patch of a Deployment awaits the rollout and fails with its reasons", source="await/await.go (Creation)")
def test_patch_timeout(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.deployment(namespace))
    wanted = manifests.deployment_patch(namespace, a="1")
    wanted["spec"]["template"]["spec"] = manifests.NOWHERE
    patch = plugin.resource("apps/v1:DeploymentPatch")

    with pytest.raises(Failure, match="'it' timed out waiting to be Ready"):
        patch.create(wanted, timeout_seconds=2)
    assert patch.state["metadata"]["uid"]


@expect("a cancelled wait ends at once and records the object", source="await/error.go (cancellationError)")
def test_cancel(new_plugin: Callable[..., Plugin], cluster: Cluster, namespace: str) -> None:
    plugin = new_plugin()
    resource = plugin.resource("apps/v1:Deployment")
    threading.Timer(1.5, plugin.cancel).start()

    with pytest.raises(Failure, match="cancelled") as failure:
        resource.create(manifests.deployment(namespace, **manifests.NOWHERE))
    assert failure.value.state is not None


@expect("waitFor condition= replaces the built-in conditions", source=ANNOTATIONS)
def test_wait_for_condition(plugin: Plugin, namespace: str) -> None:
    annotations = {"pulumi.com/waitFor": "condition=Available=False", "pulumi.com/timeoutSeconds": "20"}
    resource = plugin.resource("apps/v1:Deployment")
    resource.create(manifests.deployment(namespace, annotations=annotations, **manifests.NOWHERE))

    assert resource.state["status"]["conditions"]


@expect("waitFor accepts a JSONPath with a value, and a list of expressions that must all hold", source=ANNOTATIONS)
def test_wait_for_json_path(plugin: Plugin, namespace: str) -> None:
    expression = '["jsonpath={.status.readyReplicas}=1", "condition=Available"]'
    resource = plugin.resource("apps/v1:Deployment")
    resource.create(manifests.deployment(namespace, annotations={"pulumi.com/waitFor": expression}))

    assert resource.state["status"]["readyReplicas"] == 1


@expect("a waitFor that does not become true times out", source="await/internal/awaiter.go")
def test_wait_for_timeout(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.config_map(namespace)
    inputs["metadata"]["annotations"] = {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "1"}

    with pytest.raises(Failure, match="timed out waiting for the condition"):
        plugin.resource("core/v1:ConfigMap").create(inputs)


@expect("an invalid waitFor is an error", source="metadata/overrides.go (ReadyCondition)")
def test_invalid_wait_for(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.config_map(namespace)
    inputs["metadata"]["annotations"] = {"pulumi.com/waitFor": "nonsense"}

    with pytest.raises(Failure, match='expected a "jsonpath=" or "condition=" prefix, got "nonsense"'):
        plugin.resource("core/v1:ConfigMap").create(inputs)


@expect("a Service without a selector, or a headless one, is ready at once", source="await/service.go")
def test_service_at_once(plugin: Plugin, namespace: str) -> None:
    plugin.resource("core/v1:Service").create(manifests.service(namespace, "one"), timeout_seconds=3)
    headless = manifests.service(namespace, "two", clusterIP="None", selector={"app": "x"})
    plugin.resource("core/v1:Service").create(headless, timeout_seconds=3)


@expect("a LoadBalancer that gets no address fails with the reason", source="await/service.go (errorMessages)")
def test_load_balancer(plugin: Plugin, namespace: str) -> None:
    with pytest.raises(Failure, match="'it' timed out waiting to be Ready") as failure:
        plugin.resource("core/v1:Service").create(manifests.service(namespace, type="LoadBalancer"), timeout_seconds=1)
    reason = "Service was not allocated an IP address; does your cloud provider support this?"
    assert reason in failure.value.reasons


@expect("a Job is awaited until it is complete", source="await/job.go")
def test_job(plugin: Plugin, namespace: str) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "it", "namespace": namespace},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}},
    }
    resource = plugin.resource("batch/v1:Job")
    resource.create(job, timeout_seconds=30)

    assert resource.state["status"]["succeeded"] == 1


@expect(
    "a Job that misses its deadline fails at once, with the condition's reason", source="await/checker/job/check.go"
)
def test_failed_job(plugin: Plugin, namespace: str) -> None:
    container = {"name": "c", "image": "busybox"}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "it", "namespace": namespace},
        "spec": {
            "activeDeadlineSeconds": 1,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container], **manifests.NOWHERE}},
        },
    }
    with pytest.raises(Failure, match="Resource 'it' was created but failed to initialize") as failure:
        plugin.resource("batch/v1:Job").create(job, timeout_seconds=30)
    assert any(reason.startswith("[DeadlineExceeded]") for reason in failure.value.reasons)


@expect(
    "a StatefulSet is awaited until its replicas are ready and have the same revision", source="await/statefulset.go"
)
def test_stateful_set(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.deployment(namespace)
    inputs |= {"kind": "StatefulSet"}
    inputs["spec"]["serviceName"] = "it"
    resource = plugin.resource("apps/v1:StatefulSet")
    resource.create(inputs, timeout_seconds=30)

    status = resource.state["status"]
    assert status["readyReplicas"] == 1
    assert status["currentRevision"] == status["updateRevision"]


@expect("an admission policy that denies fails the preview", source="provider/provider.go (Create)")
def test_admission(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    name = f"{namespace}-deny"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    cluster.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": "object.metadata.name != 'bad'", "message": "bad is not allowed"}],
            },
        }
    )
    cluster.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                },
            },
        }
    )

    def denied() -> bool:
        try:
            plugin.resource("core/v1:ConfigMap").create(manifests.config_map(namespace, "bad"), preview=True)
        except Failure as failure:
            return "bad is not allowed" in str(failure)
        return False

    try:
        wait_until(denied, "the preview was not denied")
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            cluster.run("kubectl", "delete", kind, name)
