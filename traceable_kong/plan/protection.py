"""What a stack protects against deletion: as the record keeps it for the next run, and as the stack's output says it.

Pure. The protection itself is Pulumi's (`protect` of the resources, components/deletion_protection.py).
"""

from collections.abc import Sequence

from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.config.stack_config import GatewayStack, StackConfig

RECORD_KEY = "protected"
"""In the record: the parts that the state has as protected, by their config keys, with commas."""


def protected_parts(config: StackConfig) -> tuple[str, ...]:
    """`agent`, `kong`, both or neither."""
    parts: dict[str, object] = {"agent": config.agent}
    if isinstance(config, GatewayStack):
        parts = {"agent": config.agent if config.installed else None, "kong": config.kong}
    managed = (ManagedAgentConfig, ManagedKongConfig)
    return tuple(name for name, part in parts.items() if isinstance(part, managed) and part.protected)


def protection_record(parts: Sequence[str]) -> dict[str, str]:
    """What the record says of it; nothing where nothing is protected."""
    return {RECORD_KEY: ",".join(parts)} if parts else {}


def protection_output(parts: Sequence[str]) -> dict[str, str]:
    """The stack's output, for the person who wants to destroy it."""
    if not parts:
        return {}
    lifted = " && ".join(f"pulumi config set --path traceable-kong:{part}.protect false" for part in parts)
    return {
        "deletionProtection": f"on for {' and '.join(parts)}: `pulumi destroy` is refused. To lift it: `{lifted} && "
        "pulumi up`"
    }
