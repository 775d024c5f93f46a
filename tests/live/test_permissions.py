"""Every operation works with exactly the Roles of docs/security.md; an `up` without one of the permissions fails."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from scripts import preview_reading
from tests.live.cluster_state import gateway_pods, plugins, tme_count
from tests.live.commands import CommandFailed, wait_until
from tests.live.documented_stacks import AGENT_STACK, use_documented
from tests.live.kong_owner import KongOwner
from tests.live.stack import NO_CHANGES, NO_DRIFT, LiveStack, NewStack
from tests.preflight import security_page
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.permission_table import Operation

Described = Callable[[LiveStack], Plan]
"""A stack whose Roles are on the page, with the namespaces of a test."""


DRIFT = "drift"
"""The account of the nightly comparison: the Roles of `preview` and those of `verify` (docs/workflows.md)."""


def usual(stack: LiveStack, **config: Any) -> Plan:
    kong, agent = {"namespace": stack.kong_namespace}, {"namespace": stack.agent_namespace}
    return security_page.usual(kong=kong, agent=agent, **config)


def in_async(stack: LiveStack) -> Plan:
    return usual(stack, mode="async")


def existing_kong(stack: LiveStack) -> Plan:
    return security_page.existing_kong(stack.kong_namespace, stack.agent_namespace)


def agent_only(stack: LiveStack) -> Plan:
    return security_page.agent_alone(namespace=stack.agent_namespace)


@pytest.fixture
def stack(new_stack: NewStack) -> Iterator[LiveStack]:
    """A stack in two existing namespaces, with a ServiceAccount for each operation."""
    created = new_stack()
    for key, namespace in (("kong", created.kong_namespace), ("agent", created.agent_namespace)):
        created.kubectl("create", "namespace", namespace)
        created.update(key, createNamespace=False)
    with accounts(created):
        yield created


@pytest.fixture
def existing_kong_stack(new_stack: NewStack) -> Iterator[LiveStack]:
    """The same with an existing Kong."""
    owner = KongOwner(new_stack())
    created = owner.stack
    owner.install()
    created.kubectl("create", "namespace", created.agent_namespace)
    created.update("agent", createNamespace=False)
    with accounts(created, existing_kong):
        yield created


@pytest.fixture
def agent_only_stack(new_stack: NewStack) -> Iterator[LiveStack]:
    """An agent-only stack; the ServiceAccounts are in a namespace where they have no permissions."""
    created = new_stack()
    use_documented(created, AGENT_STACK, agent__namespace=created.agent_namespace)
    for namespace in (created.kong_namespace, created.agent_namespace):
        created.kubectl("create", "namespace", namespace)
    created.update("agent", createNamespace=False)
    with accounts(created, agent_only):
        yield created


@contextmanager
def accounts(stack: LiveStack, described: Described = usual) -> Iterator[None]:
    """Creates a ServiceAccount with its Roles for each operation, and removes everything afterwards."""
    operations = security_page.OPERATIONS if described(stack).gateway else security_page.AGENT_OPERATIONS
    for account in (*operations, DRIFT):
        stack.kubectl("create", "serviceaccount", account, "--namespace", stack.kong_namespace)
    for operation in operations:
        grant(stack, operation, described)
    try:
        yield
    finally:
        try:
            stack.pulumi("cancel", "--yes", stack.name)
            stack.destroy()
        finally:
            KongOwner(stack).remove()
            stack.kubectl("delete", "namespace", stack.agent_namespace, "--wait=false")
            for operation in operations:
                for document in roles(stack, operation, described):
                    name = document["metadata"]["name"]
                    stack.kubectl("delete", "clusterrole,clusterrolebinding", name, "--ignore-not-found")


def roles(
    stack: LiveStack, operation: Operation, described: Described = usual, *, first: bool = True
) -> list[dict[str, Any]]:
    """The page's Roles with the namespaces of this test and names of their own."""
    found = security_page.documents(described(stack), operation, first=first)
    for document in found:
        document["metadata"]["name"] += f"-{stack.name}"
    return found


def grant(
    stack: LiveStack, operation: Operation, described: Described = usual, *, without: str = "", first: bool = True
) -> None:
    """Binds the Roles to the operation's ServiceAccount, without the permission `without`, VERB RESOURCE."""
    bound_to = (operation, DRIFT) if operation in ("preview", "verify") else (operation,)
    for document in roles(stack, operation, described, first=first):
        verb, _, resource = without.partition(" ")
        document["rules"] = [one for rule in document["rules"] for one in _without(rule, verb, resource)]
        metadata = document["metadata"]
        stack.apply(document)
        stack.apply(
            {
                "apiVersion": document["apiVersion"],
                "kind": f"{document['kind']}Binding",
                "metadata": metadata,
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": document["kind"],
                    "name": metadata["name"],
                },
                "subjects": [
                    {"kind": "ServiceAccount", "name": name, "namespace": stack.kong_namespace} for name in bound_to
                ],
            }
        )


def _without(rule: dict[str, Any], verb: str, resource: str) -> Iterator[dict[str, Any]]:
    """A rule for each resource, without the verb for that resource."""
    for one in rule["resources"]:
        verbs = [item for item in rule["verbs"] if (item, one) != (verb, resource)]
        if verbs:
            yield {**rule, "resources": [one], "verbs": verbs}


@contextmanager
def running_as(stack: LiveStack, account: str) -> Iterator[None]:
    """Every command of the stack uses the token of this ServiceAccount meanwhile: that of an operation, or DRIFT."""
    token = stack.kubectl("create", "token", account, "--namespace", stack.kong_namespace).strip()
    config = yaml.safe_load(stack.platform.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path = stack.directory.parent / f"kubeconfig-{account}"
    path.write_text(yaml.safe_dump(config))
    administrator = stack.platform
    stack.platform = dataclasses.replace(administrator, env={**administrator.env, "KUBECONFIG": str(path)})
    try:
        yield
    finally:
        stack.platform = administrator


def wait_for_permission(stack: LiveStack, operation: Operation, verb: str, resource: str, *, allowed: bool) -> None:
    """Waits until a changed Role is effective."""
    account = f"system:serviceaccount:{stack.kong_namespace}:{operation}"

    def is_effective() -> bool:
        answers = set()
        for namespace in (stack.kong_namespace, stack.agent_namespace):
            command = ("auth", "can-i", verb, resource, "--namespace", namespace, "--as", account)
            try:
                answers.add(stack.kubectl(*command).split()[-1])
            except CommandFailed:
                answers.add("no")
        return ("yes" in answers) == allowed

    wait_until(is_effective, f"{verb} {resource}")


def created_objects(stack: LiveStack) -> set[str]:
    """The objects in the two namespaces, or cluster-wide, that have the stack's name in their metadata."""
    kinds = "configmaps,secrets,services,deployments"
    found = [
        *stack.objects(kinds, "--namespace", stack.kong_namespace),
        *stack.objects(kinds, "--namespace", stack.agent_namespace),
        *stack.objects("validatingadmissionpolicies,mutatingwebhookconfigurations"),
    ]
    return {
        f"{item['kind']} {item['metadata']['name']}"
        for item in found
        if stack.name in json.dumps(item["metadata"]) and item["metadata"]["name"] != "kube-root-ca.crt"
    }


def test_every_operation_works_with_its_roles_and_a_missing_permission_is_named_before_any_change(
    stack: LiveStack,
) -> None:
    with running_as(stack, "preview"):
        shown = stack.preview()
    assert "traceable-gateway-release" in shown

    for verb, resource in (
        ("create", "horizontalpodautoscalers"),
        ("create", "customresourcedefinitions"),
        ("delete", "ingressclasses"),
        ("escalate", "clusterroles"),
    ):
        grant(stack, "up", without=f"{verb} {resource}")
        wait_for_permission(stack, "up", verb, resource, allowed=False)
        with running_as(stack, "up"):
            output = stack.failed("up", "--yes", "--skip-preview")
        assert f"{verb} {resource}" in output and "needs permissions that you do not have" in output
        assert created_objects(stack) == set()
        grant(stack, "up")
        wait_for_permission(stack, "up", verb, resource, allowed=True)

    with running_as(stack, "up"):
        stack.up()
        stack.preview(NO_CHANGES)
    assert tme_count(stack) == len(gateway_pods(stack)) == 1
    with running_as(stack, DRIFT):
        assert preview_reading.read(stack.preview("--json", "--show-sames", *NO_DRIFT)).changes == ()
    with running_as(stack, "verify"):
        done = stack.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "could not" not in done.stdout and "permission" not in done.stdout

    # After the first `up` the permissions to change roles are not needed. Kong's release changes while its pods request
    # the TME, so the program creates a pod as a dry run.
    stack.set(mode="async")
    stack.update("kongValues", podAnnotations={"example.com/a": "b"})
    with running_as(stack, "preview"):
        assert "traceable-plugin-kong-cluster-plugin" in stack.preview("--diff")
    grant(stack, "verify", in_async)
    grant(stack, "up", in_async, first=False)
    wait_for_permission(stack, "up", "escalate", "clusterroles", allowed=False)
    with running_as(stack, "up"):
        stack.up()
        stack.refresh()
        stack.preview(NO_CHANGES)
    with running_as(stack, "verify"):
        done = stack.verify()
    assert done.returncode == 0, done.stdout + done.stderr

    stack.set(enabled=False)
    with running_as(stack, "up"):
        output = stack.up()
    assert "Helm needs them only if this update changes the chart's roles" in output
    assert [item.get("disabled") for item in plugins(stack)] == [True]

    with running_as(stack, "destroy"):
        stack.destroy()
    assert created_objects(stack) == set() and plugins(stack) == []


def test_an_agent_only_stack_works_with_its_roles(agent_only_stack: LiveStack) -> None:
    stack = agent_only_stack
    with running_as(stack, "preview"):
        stack.preview()
    with running_as(stack, "up"):
        output = stack.up()
        stack.preview(NO_CHANGES)
    assert f"{stack.agent_namespace}/agent: ready." in output
    with running_as(stack, DRIFT):
        stack.preview(*NO_DRIFT)
    with running_as(stack, "destroy"):
        stack.destroy()
    assert created_objects(stack) == set()


def test_a_stack_with_an_existing_kong_works_with_its_roles(existing_kong_stack: LiveStack) -> None:
    stack = existing_kong_stack
    with running_as(stack, "preview"):
        stack.preview()
    with running_as(stack, "up"):
        stack.up()
        stack.preview(NO_CHANGES)
    with running_as(stack, DRIFT):
        assert preview_reading.read(stack.preview("--json", "--show-sames", *NO_DRIFT)).changes == ()
    with running_as(stack, "verify"):
        done = stack.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    with running_as(stack, "destroy"):
        stack.destroy()
    assert plugins(stack) == [] and tme_count(stack) == 0
