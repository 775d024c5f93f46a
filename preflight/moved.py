"""Whether the gateway is the one that this stack already has: another would be a second one beside it.

Leaves out what the record says of the plugin (versions.py).
"""

from collections.abc import Iterator

from ownership import STACK_LABEL
from preflight.finding import Finding
from preflight.intent import GatewayIntent, Intent
from preflight.looks import Looks

EVERY_CONFIG_MAP = "/api/v1/configmaps"


def gateway_is_the_one_that_stands(looks: Looks, intent: Intent) -> Iterator[Finding]:
    """The stack's record is where the stack says, and names the same gateway."""
    gateway = intent.gateway
    records = looks.list(
        EVERY_CONFIG_MAP,
        labelSelector=f"{STACK_LABEL}={intent.owner}",
        fieldSelector=f"metadata.name={intent.record}",
    )
    for record in records:
        namespace, data = str(record["metadata"]["namespace"]), record.get("data") or {}
        there = {
            "kong.namespace": (namespace, gateway.namespace),
            "kong.release": (data.get("release"), gateway.release),
            "kong.deployment": (data.get("deployment"), gateway.deployment),
        }
        for key, (stands, wanted) in there.items():
            if stands and wanted and stands != wanted:
                yield Finding(
                    subject=f"traceable-kong:{key}",
                    wrong=f"is {wanted}, and this stack stands with {stands}: that would be a second gateway, without "
                    "the first one's protection while it comes up and with all its clients still at the first",
                    mend=_way_back(key, stands, gateway)
                    + "; or `pulumi destroy` with the old value first, then `pulumi up` with the new one; or a second "
                    "stack beside this one",
                )
                break


def _way_back(key: str, stands: str, gateway: GatewayIntent) -> str:
    if key == "kong.deployment" and gateway.ours:
        return f"take out what names it in kongValues (nameOverride, fullnameOverride), so that it is {stands} again"
    return f"`pulumi config set --path traceable-kong:{key} {stands}`"
