"""The gRPC service of the kubernetes plugin.

The logic is in `objects`, `object_read`, `object_write`, `helm_release` and `helm_template`. The SDK's own servicer
(`pulumi.provider.experimental`) supports neither unknown values nor partial failures nor autonaming by the engine.
Blocking work runs in threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2

from local.provider.engine_log import EngineLog
from local.provider.kubernetes import api_discovery, helm_release, helm_template, object_read, object_write, objects
from local.provider.kubernetes.api_client import ApiClient, ApiError, Unreachable
from local.provider.kubernetes.api_discovery import ResourceKinds
from local.provider.kubernetes.diff import Change, Changes
from local.provider.kubernetes.provider_config import ProviderConfig, ProviderConfigError
from local.provider.kubernetes.provider_config import read as read_config
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import PartialError, ProviderError
from local.provider.plugin_server import PluginServicer
from local.provider.property_values import decode, encode
from local.provider.sdk_protocol import provider_pb2, status_pb2

WORKERS = 64
"""Concurrent operations. Most of them wait."""

_KINDS = {
    (Change.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Change.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Change.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Change.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Change.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Change.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}

_UNREACHABLE_READ = (
    "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove this "
    "resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable "
    'set to "true"'
)
_UNREACHABLE_DELETE = (
    "configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove this resource from "
    'Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
_DELETED_UNREACHABLE = (
    "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. Deleting the "
    "unreachable resource from Pulumi state"
)


class KubernetesServicer(PluginServicer):
    """One configured provider. The engine calls it concurrently."""

    def __init__(self, engine_address: str, version: str) -> None:
        super().__init__(version)
        self._engine_log = EngineLog(engine_address, "kubernetes")
        self._workers = ThreadPoolExecutor(WORKERS)
        self.context = Context(ProviderConfig(), self._engine_log.log)

    async def _run(self, servicer_context: Any, work: Callable[[], Any]) -> Any:
        """Runs blocking work in a thread and converts its errors to gRPC errors."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, work)
        except PartialError as problem:
            await self._fail_partially(servicer_context, problem)
        except (ProviderError, ProviderConfigError, ApiError, api_discovery.NoMatch, Unreachable) as problem:
            await servicer_context.abort(grpc.StatusCode.UNKNOWN, str(problem))

    async def _fail_partially(self, servicer_context: Any, problem: PartialError) -> None:
        detail = provider_pb2.ErrorResourceInitFailed(
            id=problem.resource_id,
            properties=encode(problem.state),
            reasons=problem.reasons,
            inputs=None if problem.inputs is None else encode(problem.inputs),
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(problem))
        status.details.add().Pack(detail)
        servicer_context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        await servicer_context.abort(grpc.StatusCode.UNKNOWN, str(problem))

    async def Configure(self, request: Any, context: Any) -> Any:
        return await self._run(context, lambda: self._configure(request))

    def _configure(self, request: Any) -> Any:
        settings = read_config(dict(request.variables))
        self.context.settings = settings
        self._engine_log.notice()
        try:
            self.context.api = ApiClient(settings)
        except Unreachable as problem:
            self.context.unreachable = str(problem)
        else:
            self._look_at_server(self.context.api)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def _look_at_server(self, api: ApiClient) -> None:
        try:
            version = api.request("GET", "/version")
        except (Unreachable, ApiError) as problem:
            self.context.unreachable = f"unable to load schema information from the API server: {problem}"
        else:
            self.context.found_kinds = ResourceKinds(api)
            numbers = [str(version.get(name, "0")).rstrip("+") for name in ("major", "minor")]
            self.context.version = (int(numbers[0]), int(numbers[1]))

    async def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = decode(request.olds), decode(request.news)
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some, diffs=changed)

    async def Check(self, request: Any, context: Any) -> Any:
        return await self._run(context, lambda: self._check(request))

    def _check(self, request: Any) -> Any:
        old, new = decode(request.olds), decode(request.news)
        if self.context.unreachable and self.context.settings.skip_update_unreachable:
            self.context.log(
                "warning",
                request.urn,
                "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...",
            )
            return provider_pb2.CheckResponse(inputs=request.olds)
        if api_discovery.urn_type(request.urn) == api_discovery.RELEASE:
            inputs, failure = helm_release.check(self.context, request.urn, old, new)
            failures = [provider_pb2.CheckFailure(property="chart", reason=failure)] if failure else []
            return provider_pb2.CheckResponse(inputs=encode(inputs), failures=failures)
        naming = request.autonaming if request.HasField("autonaming") else None
        disabled = naming is not None and naming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
        inputs = objects.check(
            self.context,
            request.urn,
            old,
            new,
            seed=request.randomSeed,
            proposed_name=naming.proposed_name if naming is not None and not disabled else "",
            naming_disabled=disabled,
        )
        return provider_pb2.CheckResponse(inputs=encode(inputs))

    async def Diff(self, request: Any, context: Any) -> Any:
        return await self._run(context, lambda: self._diff(request))

    def _diff(self, request: Any) -> Any:
        state, new = decode(request.olds), decode(request.news)
        ignored = list(request.ignoreChanges)
        if api_discovery.urn_type(request.urn) == api_discovery.RELEASE:
            changes = helm_release.difference(state, new, ignored)
            replaces = [path for path, change in changes.items() if change.replace]
            return _diff_response(changes, replaces, delete_first=False, changed=bool(changes))
        found = objects.difference(self.context, request.urn, state, new, ignored)
        return _diff_response(
            found.changes, found.replaces, delete_first=found.delete_before_replace, changed=found.has_changes
        )

    async def Create(self, request: Any, context: Any) -> Any:
        return await self._run(context, lambda: self._create(request))

    def _create(self, request: Any) -> Any:
        given = decode(request.properties)
        if api_discovery.urn_type(request.urn) == api_discovery.RELEASE:
            resource_id, state = helm_release.create(self.context, request.urn, given, preview=request.preview)
        else:
            self._need_cluster(preview=request.preview)
            resource_id, state = object_write.create(
                self.context, request.urn, given, preview=request.preview, timeout_seconds=request.timeout
            )
        return provider_pb2.CreateResponse(id=resource_id, properties=encode(state))

    async def Update(self, request: Any, context: Any) -> Any:
        return await self._run(context, lambda: self._update(request))

    def _update(self, request: Any) -> Any:
        state, given = decode(request.olds), decode(request.news)
        if api_discovery.urn_type(request.urn) == api_discovery.RELEASE:
            updated = helm_release.update(self.context, request.urn, state, given, preview=request.preview)
        else:
            self._need_cluster(preview=request.preview)
            updated = object_write.update(
                self.context,
                request.urn,
                state,
                given,
                ignored=list(request.ignoreChanges),
                preview=request.preview,
                timeout_seconds=request.timeout,
            )
        return provider_pb2.UpdateResponse(properties=encode(updated))

    def _need_cluster(self, *, preview: bool) -> None:
        if self.context.unreachable and not preview:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.context.unreachable}")

    async def Read(self, request: Any, context: Any) -> Any:
        return await self._run(context, lambda: self._read(request))

    def _read(self, request: Any) -> Any:
        settings, log = self.context.settings, self.context.log
        if self.context.unreachable:
            log("warning", request.urn, f"configured Kubernetes cluster is unreachable: {self.context.unreachable}")
            if settings.delete_unreachable:
                log("info", request.urn, _DELETED_UNREACHABLE)
                return provider_pb2.ReadResponse()
            if settings.skip_update_unreachable:
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
            raise ProviderError(_UNREACHABLE_READ)
        state, given = decode(request.properties), decode(request.inputs)
        if api_discovery.urn_type(request.urn) == api_discovery.RELEASE:
            resource_id, known, inputs = helm_release.read(self.context, request.urn, request.id, state)
        else:
            resource_id, known, inputs = object_read.read(self.context, request.urn, request.id, state, given)
        if not resource_id:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=resource_id, properties=encode(known), inputs=encode(inputs))

    async def Delete(self, request: Any, context: Any) -> Any:
        return await self._run(context, lambda: self._delete(request))

    def _delete(self, request: Any) -> Any:
        state = decode(request.properties)
        is_release = api_discovery.urn_type(request.urn) == api_discovery.RELEASE
        if self.context.unreachable:
            if is_release:
                raise ProviderError(
                    f'can\'t delete Helm Release with unreachable cluster. Reason: "{self.context.unreachable}"'
                )
            self.context.log(
                "warning", request.urn, f"configured Kubernetes cluster is unreachable: {self.context.unreachable}"
            )
            if not self.context.settings.delete_unreachable:
                raise ProviderError(_UNREACHABLE_DELETE)
            self.context.log("info", request.urn, _DELETED_UNREACHABLE)
        elif is_release:
            helm_release.delete(self.context, request.urn, state)
        else:
            objects.delete(self.context, request.urn, request.id, state, request.timeout)
        return empty_pb2.Empty()

    async def Cancel(self, request: Any, context: Any) -> Any:
        self.context.cancelled.set()
        return empty_pb2.Empty()

    async def GetSchema(self, request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the stand-in kubernetes plugin has no schema")

    async def Invoke(self, request: Any, context: Any) -> Any:
        if request.tok == helm_template.TOKEN:
            return await self._run(context, lambda: self._template(request))
        message = f"the stand-in kubernetes plugin has no function {request.tok}; use the official plugin"
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, message)

    def _template(self, request: Any) -> Any:
        return provider_pb2.InvokeResponse(
            **{"return": encode(helm_template.invoke(self.context, decode(request.args)))}
        )


def _diff_response(changes: Changes, replaces: list[str], *, delete_first: bool, changed: bool) -> Any:
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=replaces,
        deleteBeforeReplace=delete_first,
        detailedDiff={
            path: provider_pb2.PropertyDiff(
                kind=_KINDS[change.change, change.replace], inputDiff=change.change is Change.DELETE
            )
            for path, change in changes.items()
        },
        hasDetailedDiff=True,
    )
