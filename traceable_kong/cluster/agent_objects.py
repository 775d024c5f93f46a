"""Names and addresses of the objects that the Traceable agent's chart creates (traceable-agent 1.58.0)."""

from traceable_kong.cluster.tme import TME_PORT

AGENT_RELEASE = "traceable-agent"
"""The Helm release, where this stack installs the agent."""

AGENT_DEPLOYMENT = "traceable-agent"

AGENT_CHART = "traceable-agent"
"""The chart's name, which also labels the agent's pods."""

AGENT_SERVICE = "agent"

CONFIG_MAP = "traceable-agent-config-map"
"""What the injector gives a TME; the gateway rolls when it changes."""


def agent_endpoint(namespace: str) -> str:
    """The agent's address in the cluster, with the REST port of its Service."""
    return f"http://{AGENT_SERVICE}.{namespace}:{TME_PORT}"


def injector_webhook(namespace: str) -> str:
    """The name of the injector's MutatingWebhookConfiguration."""
    return f"traceable-agent-injector-{namespace}"
