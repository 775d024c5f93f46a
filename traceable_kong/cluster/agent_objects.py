"""Names and addresses of what the Traceable agent's chart creates (traceable-agent 1.58.0)."""


def agent_endpoint(namespace: str) -> str:
    """The agent's address in the cluster: its Service is always `agent`, REST on 5442 (traceable-agent 1.58.0)."""
    return f"http://agent.{namespace}:5442"


SERVICE = "agent"


CONFIG_MAP = "traceable-agent-config-map"
"""What a TME is given at its injection stands there; another content rolls the gateway."""


AGENT_RECORD = "traceable-agent-installation"
"""The ConfigMap beside an agent that is a stack of its own: it says what stands."""


def injector_webhook(namespace: str) -> str:
    return f"traceable-agent-injector-{namespace}"


AGENT_DEPLOYMENT = "traceable-agent"
"""The agent's Deployment (traceable-agent chart 1.58.0)."""


AGENT_RELEASE = "traceable-agent"
