"""Decides how far verify.py trusts the record that it found in the cluster.

The record is a ConfigMap, and a user who may write ConfigMaps in Kong's namespace can change it. With `--stack`, the
digest in the stack's outputs tells whether it was changed. Without, it is trusted for what must hold, and the report
says so; but it leads no request out of the cluster or into another namespace, and no Secret to a destination that the
Secret's owner did not choose.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from traceable_kong.cluster.api_objects import config_maps, secrets
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.ownership import RECORD_NAME, STACK_LABEL
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.safe_text import PlainError
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.state_record import UnreadableRecord, record_digest, state_of


class RecordRefused(PlainError):
    """The record was changed, or points where it must not; the text says what, and what to do."""


@dataclass(frozen=True, kw_only=True)
class AdminOptions:
    """The options of the command line for Kong's Admin API; None for those that were not given."""

    url: str | None = None
    token_secret: SecretKey | None = None
    ca_secret: SecretKey | None = None
    client_certificate_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """The record's ConfigMap.

    `server` is the address of the API server that it was read from, `owner` the stack id of its label, "" without one.
    """

    server: str
    namespace: str
    data: Mapping[str, str]
    owner: str

    @property
    def name(self) -> str:
        return f"{self.namespace}/{RECORD_NAME}"


def read_record(api: KubernetesClient, namespace: str, *, stack: str | None = None) -> Record:
    """`stack` is the one whose outputs say that it wrote a record. Raises UnreadableRecord, ApiError or Unreachable."""
    found = api.get(f"{config_maps(namespace)}/{RECORD_NAME}")
    if found is None:
        missing = f"ConfigMap {namespace}/{RECORD_NAME} does not exist in the cluster at {api.server_url}: "
        if stack is not None:
            raise UnreadableRecord(
                f"{missing}this is not the cluster of stack {stack}, or the ConfigMap was deleted. Nothing was "
                f"verified. {_other_cluster(stack, 'writes it again')}"
            )
        raise UnreadableRecord(
            f"{missing}no `pulumi up` of a gateway in this namespace has succeeded, Traceable was uninstalled, or the "
            "ConfigMap was deleted. Nothing was verified. Check the namespace (`pulumi stack output` shows it) and the "
            "cluster (--context NAME)."
        )
    labels = found["metadata"].get("labels") or {}
    return Record(
        server=api.server_url,
        namespace=namespace,
        data=found.get("data") or {},
        owner=str(labels.get(STACK_LABEL, "")),
    )


def written_by(record: Record, stack: str, outputs: Mapping[str, Any]) -> DesiredState:
    """The desired state, if the record is the one that the stack wrote. Raises RecordRefused or UnreadableRecord."""
    # The label first: in another cluster, another stack can have written a record with the same content.
    if not record.owner or record.owner != outputs.get("stackId"):
        carried = f"the id {record.owner}" if record.owner else "no stack id"
        raise RecordRefused(
            f"The record {record.name} in the cluster at {record.server} carries {carried}, and stack {stack} has the "
            f"id {outputs.get('stackId')}: this is not the stack's cluster, or the label {STACK_LABEL} was changed. "
            f"Nothing was verified. {_other_cluster(stack, 'restores the label')}"
        )
    if record_digest(record.data) != outputs.get("recordDigest"):
        raise RecordRefused(
            f"The record {record.name} in the cluster at {record.server} is not what stack {stack} wrote: it was "
            "changed. Nothing was verified, because the record says what must hold. "
            f"`pulumi up --refresh --stack {shlex.quote(stack)}` writes it again."
        )
    return state_of(record.namespace, record.data)


def _other_cluster(stack: str, effect: str) -> str:
    return (
        "`kubectl config get-contexts` lists the clusters, and --context NAME selects one. If this is the right "
        f"cluster, `pulumi up --refresh --stack {shlex.quote(stack)}` {effect}."
    )


def trusted_alone(
    api: KubernetesClient, record: Record, *, deployment: str | None, admin: AdminOptions
) -> DesiredState:
    """The desired state by the record alone, with Kong's Admin API as the command line names it.

    Raises RecordRefused, UnreadableRecord, ApiError or Unreachable.
    """
    desired = state_of(record.namespace, record.data)
    if deployment not in (None, desired.deployment.name):
        raise RecordRefused(
            f"The record {record.name} is about deployment {desired.deployment.name}, not about {deployment}. "
            "Nothing was verified. Run without --deployment if the record is right; --stack NAME says whether it is."
        )
    entity = desired.plugin.entity
    if entity is None:
        if admin != AdminOptions():
            raise RecordRefused(
                f"The record {record.name} is about a Kong without a database, whose Admin API is reached in its "
                "pods. Nothing was verified. Run without the options --admin-*."
            )
        return desired
    endpoint = _endpoint(api, record, entity.endpoint, named=deployment is not None, admin=admin)
    return replace(desired, plugin=replace(desired.plugin, backend=replace(entity, endpoint=endpoint)))


def _endpoint(
    api: KubernetesClient, record: Record, recorded: AdminEndpoint, *, named: bool, admin: AdminOptions
) -> AdminEndpoint:
    """`named` says whether the command line names the Deployment."""
    if recorded.url and not admin.url:
        raise RecordRefused(
            f"The record {record.name} names the address {recorded.url} for Kong's Admin API. A user who can change "
            f"the record could have a token sent there, so the address is not used. {_instead('--admin-url URL')}"
        )
    token, ca, certificate = admin.token_secret, admin.ca_secret, admin.client_certificate_secret
    if recorded.token_secret and not token:
        token = recorded.token_secret
        _require_own_secret(api, record, token.name, "--admin-token-secret NAME/KEY", named=named)
    if recorded.client_certificate_secret and not certificate:
        certificate = recorded.client_certificate_secret
        _require_own_secret(api, record, certificate, "--admin-client-certificate-secret NAME", named=named)
    # A recorded CA is not used: an address that the command line names has its CA named there too.
    return replace(
        recorded,
        url=admin.url,
        token_secret=token,
        ca_secret=ca,
        client_certificate_secret=certificate,
        insecure=False,
    )


def _require_own_secret(api: KubernetesClient, record: Record, name: str, option: str, *, named: bool) -> None:
    """A Secret that only the record names must carry its stack's label, and the command line name the Deployment."""
    found = api.get(f"{secrets(record.namespace)}/{name}")
    label = (found["metadata"].get("labels") or {}).get(STACK_LABEL) if found else None
    if record.owner and label == record.owner:
        if named:
            return
        raise RecordRefused(
            f"Only the record {record.name} says which deployment the Secret {name} is sent to. A user who can change "
            f"the record could name another deployment, so the Secret is not used. {_instead('--deployment NAME')}"
        )
    raise RecordRefused(
        f"The record {record.name} names the Secret {name}, which does not carry the label of the record's stack. A "
        "user who can change the record could have any Secret of the namespace sent, so it is not used. "
        f"{_instead(option)}"
    )


def _instead(option: str) -> str:
    return f"Nothing was verified. Run with --stack NAME, or with {option}."


def trusted_note(record: Record, desired: DesiredState) -> str:
    """The note of a report that only the record says what must hold, and what it says."""
    scope = "for all routes" if desired.plugin.everywhere else "for selected routes"
    switch = "enabled" if desired.plugin.enabled else "disabled"
    plugin = f"{desired.plugin.name} {desired.plugin.version} {switch} {scope}, {desired.plugin.mode}"
    agent = f"the agent in {desired.agent_namespace}" if desired.agent_namespace else "an agent outside the cluster"
    return (
        f"what must hold was read from the record {record.name} alone, and not compared with what the stack wrote "
        f"(--stack NAME does that). It says: {plugin}, on deployment {desired.deployment.name}, with {agent}"
    )
