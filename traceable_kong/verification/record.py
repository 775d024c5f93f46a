"""The record as a verification from the command line finds it: whom it can be believed, and where it may lead.

The record is a ConfigMap, and whoever may write ConfigMaps in Kong's namespace can change it. With the digest that the
stack's own output has, it is believed as a whole or not at all. Alone it says what must hold, and the report says so;
but it leads no request out of the cluster, into no other namespace, and hands no Secret to anybody that its owner did
not mean it for.
"""

import dataclasses
import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.ownership import RECORD_NAME, STACK_LABEL
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.safe_text import PlainError
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.verification.desired_state import Database, DesiredState, UnreadableRecord, from_record


class RecordRefused(PlainError):
    """The record was changed, or leads where it must not; the text says what, and what to do."""


@dataclass(frozen=True, kw_only=True)
class AdminOptions:
    """Kong's Admin API as the command line names it; None for what it does not name."""

    url: str | None = None
    token_secret: SecretKey | None = None
    ca_secret: SecretKey | None = None
    client_certificate_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """The ConfigMap in a namespace: its data, and the label that says which stack wrote it ("" for none).

    `server` is the address of the API server that it was read from.
    """

    server: str
    namespace: str
    data: Mapping[str, str]
    owner: str

    @property
    def name(self) -> str:
        return f"{self.namespace}/{RECORD_NAME}"


def record_digest(data: Mapping[str, str]) -> str:
    """What the stack's output `recordDigest` says of the record that it wrote."""
    return hashlib.sha256(json.dumps(dict(data), sort_keys=True).encode()).hexdigest()


def read_record(api: KubernetesClient, namespace: str) -> Record:
    """Raises UnreadableRecord, kube.ApiError or kube.Unreachable."""
    found = api.get(f"/api/v1/namespaces/{namespace}/configmaps/{RECORD_NAME}")
    if found is None:
        raise UnreadableRecord(
            f"There is no ConfigMap {namespace}/{RECORD_NAME} in the cluster at {api.server_url}: Traceable was never "
            "put on a gateway there to the end, or was taken away. The output `namespace` of the stack names the right "
            "namespace, and --context another cluster."
        )
    labels = found["metadata"].get("labels") or {}
    return Record(
        server=api.server_url,
        namespace=namespace,
        data=found.get("data") or {},
        owner=str(labels.get(STACK_LABEL, "")),
    )


def written_by(record: Record, stack: str, outputs: Mapping[str, Any]) -> DesiredState:
    """What must hold, where the record is the one that the stack wrote. Raises RecordRefused or UnreadableRecord.

    Its label first: in another cluster, another stack can have written a record with the same content.
    """
    if not record.owner or record.owner != outputs.get("stackId"):
        says = f"carries the id {record.owner}" if record.owner else "carries no stack's id"
        raise RecordRefused(
            f"The record {record.name} in the cluster at {record.server} {says}, and the stack {stack} has the id "
            f"{outputs.get('stackId')}: this is not the stack's cluster, or somebody changed the label {STACK_LABEL}. "
            "Nothing was verified. `kubectl config get-contexts` lists the clusters, and --context NAME chooses one. "
            f"If this is the right one, `pulumi up --refresh --stack {shlex.quote(stack)}` restores the label."
        )
    if record_digest(record.data) != outputs.get("recordDigest"):
        raise RecordRefused(
            f"The record {record.name} in the cluster at {record.server} is not what the stack {stack} wrote: somebody "
            "changed it. Nothing was verified, because what must hold is read from it. "
            f"`pulumi up --refresh --stack {shlex.quote(stack)}` writes it again."
        )
    return from_record(record.namespace, record.data)


def believed_alone(
    api: KubernetesClient, record: Record, *, deployment: str | None, admin: AdminOptions
) -> DesiredState:
    """What must hold by the record alone, with the Admin API as the command line names it.

    Raises RecordRefused, UnreadableRecord, kube.ApiError or kube.Unreachable.
    """
    expected = from_record(record.namespace, record.data)
    if deployment not in (None, expected.deployment):
        raise RecordRefused(
            f"The record {record.name} is about the Deployment {expected.deployment}, and {deployment} was asked for: "
            "somebody changed it, or another gateway is meant. Nothing was verified."
        )
    if expected.database is None:
        if admin != AdminOptions():
            raise RecordRefused(
                f"The record {record.name} is of a Kong without a database, whose Admin API is asked in its pods: "
                "leave the options --admin-... out. Nothing was verified."
            )
        return expected
    return dataclasses.replace(
        expected,
        database=Database(
            place=expected.database.place,
            access=_access(api, record, expected.database.access, named=deployment is not None, admin=admin),
        ),
    )


def _access(
    api: KubernetesClient, record: Record, recorded: AdminEndpoint, *, named: bool, admin: AdminOptions
) -> AdminEndpoint:
    if recorded.url and not admin.url:
        raise RecordRefused(
            f"The record {record.name} names the address {recorded.url} for Kong's Admin API, and alone it is followed "
            f"nowhere: whoever can change it could have a token sent there. {_instead('--admin-url URL')}"
        )
    token, ca, certificate = admin.token_secret, admin.ca_secret, admin.client_certificate_secret
    if recorded.token_secret and not token:
        token = recorded.token_secret
        _require_meant_for_it(api, record, token.name, "--admin-token-secret NAME/KEY", named=named)
    if recorded.client_certificate_secret and not certificate:
        certificate = recorded.client_certificate_secret
        _require_meant_for_it(api, record, certificate, "--admin-client-certificate-secret NAME", named=named)
    # An authority goes nowhere: it is believed, and for the address that the command line names it is named there too.
    return dataclasses.replace(
        recorded,
        url=admin.url,
        token_secret=token,
        ca_secret=ca,
        client_certificate_secret=certificate,
        insecure=False,
    )


def _require_meant_for_it(api: KubernetesClient, record: Record, name: str, option: str, *, named: bool) -> None:
    """A Secret that only the record names carries its stack's label, and goes to the Deployment of the command line."""
    found = api.get(f"/api/v1/namespaces/{record.namespace}/secrets/{name}")
    label = (found["metadata"].get("labels") or {}).get(STACK_LABEL) if found else None
    if record.owner and label == record.owner:
        if named:
            return
        raise RecordRefused(
            f"The record {record.name} alone says to which Deployment the Secret {name} is shown, and whoever can "
            f"change it could name another. {_instead('--deployment NAME')}"
        )
    raise RecordRefused(
        f"The record {record.name} names the Secret {name}, which does not carry the label of its stack: whoever can "
        f"change the record could have any Secret of the namespace read and sent. {_instead(option)}"
    )


def _instead(option: str) -> str:
    return f"Nothing was verified. Run with --stack NAME, which asks the stack, or with {option}."


def trusted_note(record: Record, expected: DesiredState) -> str:
    """That only the record says what must hold, and what it says."""
    where = "for all routes" if expected.everywhere else "for selected routes"
    mode = expected.config.get("mode", "sync")
    switch = "enabled" if expected.enabled else "disabled"
    says = f"{expected.plugin} {expected.plugin_version} {switch} {where}, {mode}"
    if not expected.installed:
        says = "no Traceable"
    agent = f"the agent in {expected.agent_namespace}" if expected.agent_namespace else "an agent outside the cluster"
    return (
        f"what must hold was read from the record {record.name} alone, and not compared with what the stack wrote "
        f"(--stack NAME does that). It says: {says}, on the Deployment {expected.deployment}, with {agent}"
    )
