"""What the engine does with our part in somebody else's Deployment: a dynamic provider's two resources.

An instance is pickled into the state, by its class's name alone: it holds nothing, and what it needs is imported when
it is used, in the plugin's own process (https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/). Which
cluster it is, `configure` reads from the stack's config, where a kubeconfig stays the secret that it is.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

PLACE = ("namespace", "deployment")
CONTENT = ("container", "files", "plugins", "owner", "timeoutSeconds")


class _OfDeployment(dynamic.ResourceProvider):
    """What both resources share; `kubeconfig` and `context` are known in the plugin's process only."""

    kubeconfig: str | None = None
    context: str | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        import sys

        self.kubeconfig = req.config.get("kubernetes:kubeconfig")
        self.context = req.config.get("kubernetes:context")
        # The plugin hands the traceback of every error to the terminal; ours are for people, in one line.
        sys.tracebacklimit = 0

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        place = [key for key in PLACE if _olds.get(key) != _news.get(key)]
        changed = any(_olds.get(key) != _news.get(key) for key in CONTENT)
        return dynamic.DiffResult(changes=changed or bool(place), replaces=place, delete_before_replace=True)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        from traceable_kong.deployment_patch import patching

        patching.take_out(self._api(), self._target(_props), held=_props.get("files", {}).values())

    def _api(self) -> Any:
        from traceable_kong.cluster.kubeconfig import connect

        return connect(kubeconfig=self.kubeconfig, context=self.context)

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


class ClaimProvider(_OfDeployment):
    """Stands before our part goes in: a run that is killed meanwhile has somebody who takes it out on the way back.

    With `files` (`{mount path: ConfigMap}`), which the owner's values mount: it does not go before they are let go of.
    Its output `held` is the ConfigMaps' names.
    """

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(self._id(props), self._held(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(self._held(_news))

    def _held(self, props: Mapping[str, Any]) -> dict[str, Any]:
        return {**props, "held": sorted(props.get("files", {}).values())}


class PartProvider(_OfDeployment):
    """Our part. Its output `generation` is the Deployment's, of our last change."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(self._id(props), self._put(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(self._put(_news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        from traceable_kong.deployment_patch import pod_template

        live = self._api().get(self._target(props).path)
        if live is None:
            return dynamic.ReadResult("", {})
        found = pod_template.standing(live["spec"]["template"], _part(props))
        stands = {
            "container": props["container"] if found else "",
            "files": dict(found.files) if found else {},
            "plugins": list(found.plugins) if found else [],
        }
        return dynamic.ReadResult(id_, {**props, **stands})

    def _put(self, props: Mapping[str, Any]) -> dict[str, Any]:
        from traceable_kong.deployment_patch import patching

        generation = patching.put(self._api(), self._target(props), _part(props))
        return {**props, "generation": str(generation)}


def _part(props: Mapping[str, Any]) -> Any:
    from traceable_kong.deployment_patch.pod_template import PatchSpec

    return PatchSpec(container=props["container"], files=dict(props["files"]), plugins=tuple(props["plugins"]))


class PatchFinalizer(dynamic.Resource, module="traceable", name="GatewayClaim"):
    """A Deployment that our part will be in. Goes after it, and takes it out where it is still there.

    `held` is unknown in a preview exactly when the claim changes.
    """

    held: pulumi.Output[list[str]]

    def __init__(self, name: str, *, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ClaimProvider(), name, {**props, "held": None}, opts)


class DeploymentFiles(dynamic.Resource, module="traceable", name="PluginFilesInDeployment"):
    """Our part in a Deployment. `generation` (str) is unknown in a preview exactly when it changes."""

    generation: pulumi.Output[str]

    def __init__(self, name: str, *, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PartProvider(), name, {**props, "generation": None}, opts)
