"""Every operation under exactly the Roles of docs/security.md, and an `up` that lacks one right of them."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from tests.live.owner import Owner
from tests.live.setups import AGENT_STACK, follow
from tests.live.stack import CommandFailed, LiveStack
from tests.live.standing import gateway_pods, plugins, tme_count
from tests.preflight import security_page
from traceable_kong.preflight.permission_table import Operation

NewStack = Callable[..., LiveStack]
SECONDS_TO_FOLLOW = 20


@pytest.fixture
def stack(new_stack: NewStack) -> Iterator[LiveStack]:
    """A stack in two namespaces that exist, with a ServiceAccount for each operation."""
    made = new_stack()
    for key, namespace in (("kong", made.kong_namespace), ("agent", made.agent_namespace)):
        made.kubectl("create", "namespace", namespace)
        made.set(**{key: {**made.configured(key), "createNamespace": False}})
    with accounts(made):
        yield made


@pytest.fixture
def existing(new_stack: NewStack) -> Iterator[LiveStack]:
    """The same with a Kong that an administrator installed."""
    owner = Owner(new_stack())
    made = owner.stack
    owner.install()
    made.kubectl("create", "namespace", made.agent_namespace)
    made.set(agent={**made.configured("agent"), "createNamespace": False})
    with accounts(made, **EXISTING):
        yield made


@pytest.fixture
def agent_alone(new_stack: NewStack) -> Iterator[LiveStack]:
    """A stack with `gateway: false`; the ServiceAccounts are in another namespace, where it may do nothing."""
    made = new_stack()
    follow(made, AGENT_STACK, agent__namespace=made.agent_namespace)
    for namespace in (made.kong_namespace, made.agent_namespace):
        made.kubectl("create", "namespace", namespace)
    made.set(agent={**made.configured("agent"), "createNamespace": False})
    with accounts(made, alone=True):
        yield made


EXISTING: dict[str, Any] = {"gateway__ours": False, "gateway__release": None}


@contextmanager
def accounts(stack: LiveStack, **changes: Any) -> Iterator[None]:
    """A ServiceAccount for each operation, with its Roles; everything is gone afterwards."""
    operations = security_page.AGENT_OPERATIONS if changes.get("alone") else security_page.OPERATIONS
    for operation in operations:
        stack.kubectl("create", "serviceaccount", operation, "--namespace", stack.kong_namespace)
        grant(stack, operation, **changes)
    try:
        yield
    finally:
        try:
            stack.pulumi("cancel", "--yes", stack.name)
            stack.destroy()
        finally:
            Owner(stack).remove()
            stack.kubectl("delete", "namespace", stack.agent_namespace, "--wait=false")
            for operation in operations:
                for document in roles(stack, operation, **changes):
                    name = document["metadata"]["name"]
                    stack.kubectl("delete", "clusterrole,clusterrolebinding", name, "--ignore-not-found")


def roles(
    stack: LiveStack, operation: Operation, *, alone: bool = False, first: bool = True, **changes: Any
) -> list[dict[str, Any]]:
    """The page's Roles with this test's namespaces, and under names of its own."""
    changes = {"gateway__namespace": stack.kong_namespace, "agent__namespace": stack.agent_namespace, **changes}
    wanted = security_page.agent_alone(**changes) if alone else security_page.usual(**changes)
    found = security_page.documents(wanted, operation, first=first)
    for document in found:
        document["metadata"]["name"] += f"-{stack.name}"
    return found


def grant(stack: LiveStack, operation: Operation, *, without: str = "", **changes: Any) -> None:
    """Binds the Roles to the operation's ServiceAccount; `without` VERB RESOURCE is taken out everywhere."""
    for document in roles(stack, operation, **changes):
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
                "subjects": [{"kind": "ServiceAccount", "name": operation, "namespace": stack.kong_namespace}],
            }
        )


def _without(rule: dict[str, Any], verb: str, resource: str) -> Iterator[dict[str, Any]]:
    """The rule, split where it grants what is to be taken out."""
    for one in rule["resources"]:
        verbs = [item for item in rule["verbs"] if (item, one) != (verb, resource)]
        if verbs:
            yield {**rule, "resources": [one], "verbs": verbs}


@contextmanager
def running_as(stack: LiveStack, operation: Operation) -> Iterator[None]:
    """Meanwhile every command of the stack uses the ServiceAccount's own token."""
    token = stack.kubectl("create", "token", operation, "--namespace", stack.kong_namespace).strip()
    config = yaml.safe_load(stack.platform.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path = stack.directory.parent / f"kubeconfig-{operation}"
    path.write_text(yaml.safe_dump(config))
    administrator = stack.platform
    stack.platform = dataclasses.replace(administrator, env={**administrator.env, "KUBECONFIG": str(path)})
    try:
        yield
    finally:
        stack.platform = administrator


def wait_until(stack: LiveStack, operation: Operation, verb: str, resource: str, *, allowed: bool) -> None:
    """A changed Role takes a moment to be in force."""
    account = f"system:serviceaccount:{stack.kong_namespace}:{operation}"
    deadline = time.monotonic() + SECONDS_TO_FOLLOW
    while True:
        answers = set()
        for namespace in (stack.kong_namespace, stack.agent_namespace):
            command = ("auth", "can-i", verb, resource, "--namespace", namespace, "--as", account)
            try:
                answers.add(stack.kubectl(*command).split()[-1])
            except CommandFailed:
                answers.add("no")
        if ("yes" in answers) == allowed:
            return
        assert time.monotonic() < deadline, (verb, resource)
        time.sleep(0.3)


def made_of(stack: LiveStack) -> set[str]:
    """What is in the two namespaces, or carries the stack's name."""
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


def test_every_operation_runs_under_its_roles_and_a_missing_right_is_named_before_anything_is_made(
    stack: LiveStack,
) -> None:
    with running_as(stack, "preview"):
        shown = stack.preview()
    assert "gateway-release" in shown

    for verb, resource in (
        ("create", "horizontalpodautoscalers"),
        ("create", "customresourcedefinitions"),
        ("delete", "ingressclasses"),
        ("escalate", "clusterroles"),
    ):
        grant(stack, "up", without=f"{verb} {resource}")
        wait_until(stack, "up", verb, resource, allowed=False)
        with running_as(stack, "up"), pytest.raises(CommandFailed) as refused:
            stack.up()
        said = str(refused.value)
        assert f"{verb} {resource}" in said and "needs permissions that you do not have" in said
        assert made_of(stack) == set()
        grant(stack, "up")
        wait_until(stack, "up", verb, resource, allowed=True)

    with running_as(stack, "up"):
        stack.up()
        stack.preview("--expect-no-changes")
    assert tme_count(stack) == len(gateway_pods(stack)) == 1
    with running_as(stack, "verify"):
        done = stack.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "could not" not in done.stdout and "permission" not in done.stdout

    # Not the first `up` any more, so without the permissions to change roles. Kong's release changes while its pods ask
    # for the TME, so a pod is tried.
    stack.set(mode="async", kongValues={**stack.configured("kongValues"), "podAnnotations": {"example.com/a": "b"}})
    with running_as(stack, "preview"):
        assert "plugin-kong-cluster-plugin" in stack.preview("--diff")
    grant(stack, "verify", sync=False)
    grant(stack, "up", sync=False, first=False)
    wait_until(stack, "up", "escalate", "clusterroles", allowed=False)
    with running_as(stack, "up"):
        stack.up()
        stack.pulumi("refresh", "--yes", "--skip-preview")
        stack.preview("--expect-no-changes")
    with running_as(stack, "verify"):
        done = stack.verify()
    assert done.returncode == 0, done.stdout + done.stderr

    stack.set(enabled=False)
    with running_as(stack, "up"):
        said = stack.up()
    assert "Helm needs them only if this update changes the chart's roles" in said
    assert [item.get("disabled") for item in plugins(stack)] == [True]

    with running_as(stack, "destroy"):
        stack.destroy()
    assert made_of(stack) == set() and plugins(stack) == []


def test_an_agent_alone_takes_no_more_than_its_roles(agent_alone: LiveStack) -> None:
    stack = agent_alone
    with running_as(stack, "preview"):
        stack.preview()
    with running_as(stack, "up"):
        said = stack.up()
        stack.preview("--expect-no-changes")
    assert f"{stack.agent_namespace}/agent: ready." in said
    with running_as(stack, "destroy"):
        stack.destroy()
    assert made_of(stack) == set()


def test_an_existing_kong_takes_no_more_than_its_roles(existing: LiveStack) -> None:
    stack = existing
    with running_as(stack, "preview"):
        stack.preview()
    with running_as(stack, "up"):
        stack.up()
        stack.preview("--expect-no-changes")
    with running_as(stack, "verify"):
        done = stack.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    with running_as(stack, "destroy"):
        stack.destroy()
    assert plugins(stack) == [] and tme_count(stack) == 0
