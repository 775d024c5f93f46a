"""What the dynamic providers have in common: the cluster, and the words of their errors."""

import sys
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi import dynamic

from tests.fakes.recording import Secret, record
from traceable_kong.cluster.kubernetes_client import REQUEST_SECONDS
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.wording import Wording
from traceable_kong.config.python_spelling import python_spelling
from traceable_kong.deployment_patch.patching import PatchFailed
from traceable_kong.deployment_patch.pod_template import OWNER_MOUNTS_FILES
from traceable_kong.providers.cluster_provider import own_program_inputs
from traceable_kong.providers.deployment_patch_provider import DeploymentFilesProvider, PatchFinalizerProvider
from traceable_kong.providers.plugin_entity_provider import PluginEntityProvider

PROPS: dict[str, Any] = {
    "namespace": "gw",
    "deployment": "edge",
    "container": "proxy",
    "files": {},
    "plugins": [],
    "owner": "o",
    "timeoutSeconds": 0.0,
}

OWN = {"kubeconfig": "own text\n", "secret": True, "context": "edge", "requestSeconds": 7.0}

PROVIDERS = (DeploymentFilesProvider, PatchFinalizerProvider, PluginEntityProvider)


@pytest.fixture(autouse=True)
def traceback_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    yield


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Any:
    made = request.param()
    settings = {"kubernetes:kubeconfig": "text\n", "kubernetes:context": "prod"}
    settings["kubernetes:kubeClientSettings"] = '{"timeout": 60}'
    made.configure(dynamic.ConfigureRequest(config=dynamic.Config(settings, "traceable-kong")))
    return made


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        pytest.param({}, {"kubeconfig": "text\n", "context": "prod", "request_seconds": 60}, id="the stack's config"),
        pytest.param(
            {"cluster": OWN}, {"kubeconfig": "own text\n", "context": "edge", "request_seconds": 7}, id="arguments"
        ),
        pytest.param(
            {"cluster": {**OWN, "kubeconfig": "", "context": ""}},
            {"kubeconfig": None, "context": None, "request_seconds": 7},
            id="arguments without a cluster",
        ),
        pytest.param(
            {"cluster": {key: value for key, value in OWN.items() if key != "requestSeconds"}},
            {"kubeconfig": "own text\n", "context": "edge", "request_seconds": REQUEST_SECONDS},
            id="arguments without a timeout",
        ),
    ],
)
def test_the_cluster(
    provider: Any, props: dict[str, Any], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("traceable_kong.cluster.target.connect", lambda **given: asked.append(given))
    provider._api(props)
    (given,) = asked
    assert sys.tracebacklimit == 0
    assert {key: given[key] for key in expected} == expected and given["secret"]


def test_another_cluster_is_an_update(provider: Any) -> None:
    """What a refresh and a deletion use is what the last update has written."""
    assert provider.diff("", {"cluster": OWN}, {"cluster": OWN}).changes is False
    assert provider.diff("", {"cluster": OWN}, {"cluster": {**OWN, "kubeconfig": "new"}}).changes is True
    assert provider.diff("", {"cluster": OWN}, {"cluster": OWN, "arguments": {"component": "x"}}).changes is False


@pytest.mark.parametrize("provider", PROVIDERS[:1], indirect=True)
@pytest.mark.parametrize(
    ("props", "expected"),
    [
        pytest.param({}, "`pulumi config set --path traceable-kong:kong.filesMountedBy owner`", id="stack"),
        pytest.param(
            {"arguments": {"component": "edge", "python": True}},
            "set the argument kong.files_mounted_by to owner",
            id="Python",
        ),
        pytest.param(
            {"arguments": {"component": "edge", "python": False}},
            "set the argument kong.filesMountedBy to owner",
            id="another language",
        ),
    ],
)
@pytest.mark.parametrize("operation", ["create", "update", "read", "delete"])
def test_an_error_names_keys_or_arguments(
    provider: Any, operation: str, props: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PatchFailed(f"It does not fit: {OWNER_MOUNTS_FILES}. `kubectl describe pod x` shows it.")

    monkeypatch.setattr("traceable_kong.cluster.target.connect", fail)
    given = {**PROPS, **props, "cluster": {**OWN, "kubeconfig": "/a", "secret": False}}
    before: dict[str, list[Any]] = {"create": [], "update": ["", given], "read": [""], "delete": [""]}
    with pytest.raises(PatchFailed) as failed:
        getattr(provider, operation)(*before[operation], given)
    shown = "`kubectl --kubeconfig /a --context edge describe pod x` shows it."
    assert str(failed.value) == f"It does not fit: let the owner's Helm values mount the files: {expected}. {shown}"


def test_what_a_resource_knows_of_its_program() -> None:
    cluster = ClusterTarget(kubeconfig="text\n", context=None, secret=True)
    assert own_program_inputs(cluster, Wording(options="")) == {}

    def program() -> None:
        for name, spelled in (("python", python_spelling), ("other", str)):
            wording = Wording(options="", component="edge", spelled=spelled)
            pulumi.Stash(name, input=own_program_inputs(cluster, wording))

    made = record(program)
    found = made["python"].inputs["input"]
    assert isinstance(found["cluster"]["kubeconfig"], Secret) and found["cluster"]["secret"] is True
    assert found["arguments"] == {"component": "edge", "python": True}
    assert made["other"].inputs["input"]["arguments"]["python"] is False


def test_only_a_timeout_that_is_given_is_in_the_state() -> None:
    """With the program's own one, a later version with another one would update the resources."""
    wording, given = Wording(options="", component="edge"), {"kube_client_settings": {"timeout": 7}}
    for provider, expected in (({}, None), (given, 7)):
        cluster = ClusterTarget(kubeconfig="/a", context=None, provider=provider)
        assert own_program_inputs(cluster, wording)["cluster"].get("requestSeconds") == expected
