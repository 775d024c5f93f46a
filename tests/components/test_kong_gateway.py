"""KongNamespace and KongGateway."""

from typing import Any

from tests.fakes.plans import plan
from tests.fakes.recording import Recording, record
from traceable_kong.components import KongGateway, KongNamespace
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Plan


def managed_kong(made: Plan) -> ManagedKong:
    assert made.gateway is not None and isinstance(made.gateway.kong, ManagedKong)
    return made.gateway.kong


def test_a_secret_leaf_of_the_values_is_the_only_secret_of_the_release() -> None:
    values = {"env": {"own": "hidden", "log_level": "info"}}
    kong = managed_kong(plan(kong={"timeoutSeconds": 300}, kongValues=values, secrets=[("kongValues", "env", "own")]))
    registered = record(lambda: KongGateway("gateway", kong=kong))
    assert list(registered.secrets()) == [("gateway-release", ("values", "env", "own"), "hidden")]
    inputs = registered["gateway-release"].inputs
    assert (inputs["atomic"], inputs["timeout"], inputs["maxHistory"]) == (True, 300, 10)
    assert registered["gateway-release"].parent == "gateway"


def test_only_a_release_that_is_to_be_imported_is_imported() -> None:
    kong = managed_kong(plan())
    assert record(lambda: KongGateway("gateway", kong=kong))["gateway-release"].import_id == ""
    imported = record(lambda: KongGateway("gateway", kong=kong, imports=frozenset({"kong"})))
    assert imported["gateway-release"].import_id == "kong/quickstart"


def test_the_namespace_is_created_or_read_as_the_config_says() -> None:
    def namespace(**kong: Any) -> Recording:
        made = plan(kong={"namespace": "gw", **kong})
        return record(lambda: KongNamespace("kong", plan=made, kong=managed_kong(made)))

    assert namespace()["kong-namespace"].inputs["metadata"] == {"name": "gw", "labels": plan().labels}
    existing = namespace(createNamespace=False)["kong-namespace"]
    assert existing.read and existing.inputs == {"id": "gw"}
