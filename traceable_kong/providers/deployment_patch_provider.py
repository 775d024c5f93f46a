"""The dynamic provider for this stack's entries in the Deployment of an existing Kong.

Which cluster: cluster_provider.py.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

from traceable_kong.providers.cluster_provider import ClusterProvider, worded


class _DeploymentProvider(ClusterProvider):
    """What both resources have in common."""

    IDENTITY = ("namespace", "deployment")
    CONTENT = ("container", "files", "plugins", "owner", "timeoutSeconds")

    @worded
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        from traceable_kong.deployment_patch import patching

        patching.revert(self._api(_props), self._target(_props), config_maps=_props.get("files", {}).values())

    def _target(self, props: Mapping[str, Any]) -> Any:
        from traceable_kong.cluster.kong_deployment import KongDeployment
        from traceable_kong.deployment_patch.patching import PatchTarget

        return PatchTarget(
            deployment=KongDeployment(
                namespace=props["namespace"], name=props["deployment"], container=props["container"]
            ),
            owner=props["owner"],
            timeout_seconds=float(props["timeoutSeconds"]),
        )

    def _id(self, props: Mapping[str, Any]) -> str:
        return f"{props['namespace']}/{props['deployment']}"


class PatchFinalizerProvider(_DeploymentProvider):
    """Exists before the Deployment is patched and is deleted last: it reverts what an interrupted update left.

    `files` (`{mount path: ConfigMap}`) are those that the owner's values mount: the finalizer is not deleted before
    they are unmounted. Its output `mounted` has the names of these ConfigMaps.
    """

    @worded
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(self._id(props), self._outputs(props))

    @worded
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(self._outputs(_news))

    def _outputs(self, props: Mapping[str, Any]) -> dict[str, Any]:
        return {**props, "mounted": sorted(props.get("files", {}).values())}


class DeploymentFilesProvider(_DeploymentProvider):
    """The plugin's files and variables in a Deployment. Its output `generation` is that of their last change."""

    @worded
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(self._id(props), self._apply(props))

    @worded
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        state = self._apply(_news)
        if _spec(_olds) == _spec(_news):
            # Another kubeconfig or timeout. The injection of the TME has increased the generation since the last change
            # of the files, and a new value would update the plugin.
            state["generation"] = _olds["generation"]
        return dynamic.UpdateResult(state)

    @worded
    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        from traceable_kong.deployment_patch import pod_template

        live = self._api(props).get(self._target(props).path)
        if live is None:
            return dynamic.ReadResult("", {})
        found = pod_template.current(live["spec"]["template"], _spec(props))
        state = {
            "container": props["container"] if found else "",
            "files": dict(found.files) if found else {},
            "plugins": list(found.plugins) if found else [],
        }
        return dynamic.ReadResult(id_, {**props, **state})

    def _apply(self, props: Mapping[str, Any]) -> dict[str, Any]:
        from traceable_kong.deployment_patch import patching

        generation = patching.apply(self._api(props), self._target(props), _spec(props))
        return {**props, "generation": str(generation)}


def _spec(props: Mapping[str, Any]) -> Any:
    from traceable_kong.deployment_patch.pod_template import PatchSpec

    return PatchSpec(container=props["container"], files=dict(props["files"]), plugins=tuple(props["plugins"]))


class PatchFinalizer(dynamic.Resource, module="traceable", name="PatchFinalizer"):
    """Reverts the patch of a Deployment after everything else is gone, where an interrupted update left it.

    `mounted` is unknown in a preview exactly when the resource changes.
    """

    mounted: pulumi.Output[list[str]]

    def __init__(self, name: str, *, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PatchFinalizerProvider(), name, {**props, "mounted": None}, opts)


class DeploymentFiles(dynamic.Resource, module="traceable", name="DeploymentFiles"):
    """The plugin's files in a Deployment. `generation` (str) is unknown in a preview exactly when it changes."""

    generation: pulumi.Output[str]

    def __init__(self, name: str, *, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(DeploymentFilesProvider(), name, {**props, "generation": None}, opts)
