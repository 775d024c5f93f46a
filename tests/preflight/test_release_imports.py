"""Which Helm releases an update imports, and what the program registers for them."""

from typing import Any

import pytest

from tests.fakes.plans import OWNER, plan
from tests.fakes.preflight_cluster import FakeKubernetes
from tests.fakes.program import Program
from traceable_kong.cluster.kubernetes_client import ApiError, Document, Unreachable
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.examination import examine
from traceable_kong.preflight.release_imports import ReleaseUnreadable, releases_to_import

ADOPT = {"adopt": True}
PLACES = {"kong": ("kong", "quickstart"), "agent": ("traceable", "traceable-agent")}


def wanted(api: FakeKubernetes, *, preview: bool = False, **config: Any) -> frozenset[str]:
    return frozenset(releases_to_import(plan(**config), api, preview=preview))


def exists(api: FakeKubernetes, *, owner: str | None, status: str = "deployed", ready: int = 1) -> FakeKubernetes:
    """Both releases, each with a Deployment of its own."""
    for namespace, name in PLACES.values():
        api.release(namespace, name, [status], owner=owner)
        api.put(
            f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
            {"metadata": {"annotations": {"meta.helm.sh/release-name": name}}, "status": {"readyReplicas": ready}},
        )
    return api


def test_an_unmanaged_release_is_imported_if_the_config_adopts_it() -> None:
    api = exists(FakeKubernetes(), owner=None)
    assert wanted(api) == set()
    assert wanted(api, kong=ADOPT) == {"kong"}
    assert wanted(api, kong=ADOPT, agent=ADOPT) == {"kong", "agent"}
    off = {"enabled": False, "installed": False}
    assert wanted(api, kong=ADOPT, agent=ADOPT, **off) == {"kong"}, "an uninstalled Traceable has no agent"


def test_an_agent_only_stack_reads_no_kong_release() -> None:
    api = exists(FakeKubernetes(), owner=OWNER)
    api.denied["/api/v1/namespaces/kong"] = 403
    assert wanted(api, gateway=False, plugin=None) == {"agent"}


def test_a_missing_release_and_one_of_another_stack_are_not_imported() -> None:
    assert wanted(FakeKubernetes(), kong=ADOPT, agent=ADOPT) == set()
    others = exists(FakeKubernetes(), owner="traceable-kong.dev-ffffffff")
    assert wanted(others, kong=ADOPT, agent=ADOPT) == set()


def test_a_serving_release_of_an_interrupted_update_is_imported() -> None:
    assert wanted(exists(FakeKubernetes(), owner=OWNER)) == {"kong", "agent"}
    assert wanted(exists(FakeKubernetes(), owner=OWNER, ready=0)) == set(), "it is removed instead"
    assert wanted(exists(FakeKubernetes(), owner=OWNER, status="pending-install")) == set()


def test_a_release_whose_values_have_secrets_is_not_imported() -> None:
    api = exists(FakeKubernetes(), owner=OWNER)
    made = plan(kongValues={"env": {"secret": "s3cret"}}, secrets=[("kongValues", "env", "secret")])
    assert releases_to_import(made, api, preview=False) == {"agent"}


@pytest.mark.parametrize("problem", [ApiError(500, "", "etcd is away"), Unreachable("nobody there")])
def test_an_error_stops_the_update(problem: Exception) -> None:
    class Fails(FakeKubernetes):
        def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
            raise problem

    configs: list[dict[str, Any]] = [{}, {"kong": ADOPT}]
    for config in configs:
        with pytest.raises(ReleaseUnreadable, match=r"release quickstart .*could not be read.*Nothing was changed"):
            wanted(Fails(), **config)
    with pytest.raises(ReleaseUnreadable, match="could not be read"):
        wanted(Fails(), preview=True, kong=ADOPT)
    assert wanted(Fails(), preview=True) == set(), "it changes nothing, and preflight reports the error"


@pytest.mark.parametrize("imports", [set(), {"kong"}, {"agent"}, {"kong", "agent"}])
def test_the_program_imports_only_these(program: Program, imports: set[str]) -> None:
    program.imports = frozenset(imports)
    made = program.up()
    assert made["traceable-gateway-release"].import_id == ("kong/quickstart" if "kong" in imports else "")
    assert made["traceable-agent-release"].import_id == ("traceable/traceable-agent" if "agent" in imports else "")
    assert made["traceable-gateway-release"].parent == "traceable-gateway" and made["traceable-gateway-release"].hooks
    assert {item.name for item in made.registrations if item.import_id} <= {
        "traceable-gateway-release",
        "traceable-agent-release",
    }


def test_preflight_gets_what_will_be_applied(program: Program) -> None:
    program.up()
    assert [release.adopt for release in program.plans[-1].releases] == [False, False]
    program.up(kong=ADOPT, agent=ADOPT, kongValues={"replicaCount": 3})
    kong, agent = program.plans[-1].releases
    assert (kong.adopt, agent.adopt, kong.values["replicaCount"]) == (True, True, 3)
    assert (kong.chart.version, agent.chart.version) == ("3.4.1", "1.58.0")


def test_what_preflight_has_read_is_not_read_again() -> None:
    api = FakeKubernetes()
    api.release("kong", "quickstart", ["deployed"], owner=OWNER, serves=True)
    api.release("traceable", "traceable-agent", ["deployed"], owner=OWNER, serves=True)
    reader = CachedReader(api)
    examine(reader, plan(), live_change=True)
    asked = len(api.asked)
    assert releases_to_import(plan(), reader, preview=False) == {"kong", "agent"}
    assert api.asked[asked:] == []
