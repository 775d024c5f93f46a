"""PluginFiles: the ConfigMaps with the plugin's files."""

from tests.fakes.plans import gateway, plan
from tests.fakes.recording import record
from traceable_kong.components import KongNamespace, PluginFiles


def test_every_config_map_is_immutable_with_its_digest_in_both_names() -> None:
    def program() -> None:
        namespace = KongNamespace("kong", plan=plan(), kong=gateway().kong)
        PluginFiles("files", plan=plan(), gateway=gateway(), namespace=namespace)

    registered = record(program)
    (config_map,) = gateway().config_maps
    made = registered[f"files-{config_map.name}"]
    assert made.inputs["immutable"] is True
    assert made.inputs["metadata"]["name"] == config_map.name
    assert made.inputs["metadata"]["namespace"] == "kong"
    assert made.inputs["metadata"]["labels"] == {**plan().labels, "app.kubernetes.io/name": "traceable"}
    assert (made.parent, made.deleted_with) == ("files", "kong-namespace")
