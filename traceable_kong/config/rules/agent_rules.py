"""The rules about the agent: its token, and what can be said of one that somebody else installed."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from traceable_kong.common.image_references import ImageReferenceError, parse_image
from traceable_kong.config.config_problem import Problem, config_remove, config_set, rule, shown
from traceable_kong.config.stack_config import AgentConfig, StackConfig


@rule
def one_token(settings: StackConfig) -> Iterator[Problem]:
    """Exactly one of agentToken and agentTokenSecret, where the agent is ours."""
    both = settings.agent_token is not None and settings.agent_token_secret is not None
    if both:
        yield Problem(
            "agentTokenSecret",
            "stands beside agentToken, so it cannot be told which of them the agent should use",
            f"keep one: {config_remove('agentToken')}, or {config_remove('agentTokenSecret')}",
        )
    elif settings.agent.install and settings.agent_token is None and settings.agent_token_secret is None:
        yield Problem(
            "agentToken",
            "is missing: the agent could not report to the Traceable platform, and nothing would be protected",
            "pulumi config set --secret traceable-kong:agentToken (it asks for the value), or name a Secret that "
            "exists: " + config_set("agentTokenSecret.name", "NAME"),
        )


@rule
def platform_address(settings: StackConfig) -> Iterator[Problem]:
    """The Traceable platform is named by its host; the token is its password."""
    if settings.agent.endpoint is not None and "@" in settings.agent.endpoint:
        yield Problem(
            "agent.endpoint",
            "has a user or a password in it, which everybody sees who may read the stack file or the agent's settings",
            config_set("agent.endpoint", "HOST"),
        )


@rule
def token_is_not_empty(settings: StackConfig) -> Iterator[Problem]:
    """A token of nothing is no token."""
    if settings.agent_token is not None and not settings.agent_token.get_secret_value().strip():
        yield Problem(
            "agentToken",
            "is empty: the agent could not report to the Traceable platform",
            "pulumi config set --secret traceable-kong:agentToken (it asks for the value)",
        )


@rule
def token_has_its_own_key(settings: StackConfig) -> Iterator[Problem]:
    """The token has a key of its own."""
    for name in ("token", "externalTokenSecret"):
        if name in settings.agent_values:
            yield Problem(
                f"agentValues.{name}",
                "would stand in the Release's values, in the state and in Helm's history",
                f"{config_remove(f'agentValues.{name}')}, and pulumi config set --secret traceable-kong:agentToken",
            )


@rule
def blocking_has_its_own_keys(settings: StackConfig) -> Iterator[Problem]:
    """What a blocked request gets is said in one place, for the agent and the TME."""
    injector = settings.agent_values.get("injector")
    for name, key, own in (
        ("blockingStatusCode", "agentValues.blockingStatusCode", "blockingStatusCode"),
        ("blockingMessage", "agentValues.blockingMessage", "blockingMessage"),
        ("blockingConfig", "agentValues.injector.blockingConfig", "blockingStatusCode and blockingMessage"),
    ):
        values = injector if name == "blockingConfig" else settings.agent_values
        if isinstance(values, dict) and name in values:
            yield Problem(
                key,
                f"would take the place of {own} in one of the two places where the chart wants it, unchecked",
                f"{config_remove(key)}, and set traceable-kong:{own.split()[0]}",
            )


@rule
def outside_agent(settings: StackConfig) -> Iterator[Problem]:
    """An agent's URL: async only, and not beside an agent of ours."""
    url = settings.agent.url
    if url is None or not settings.gateway:
        return
    if "@" in url:
        yield Problem(
            "agent.url",
            "has a user or a password in it, which everybody sees who may read the plugin, the record or the outputs",
            config_set("agent.url", "https://HOST:5442"),
        )
    elif not _is_address(url):
        yield Problem(
            "agent.url",
            f"is {shown(url)}, which is not an http(s) URL: Kong would have nobody to ask",
            config_set("agent.url", "https://HOST:5442"),
        )
    if settings.mode == "sync":
        yield Problem(
            "agent.url",
            "is set with mode sync: every request asks the TME in its own pod then, and this would be ignored",
            config_set("mode", "async"),
        )
    if settings.agent.install:
        yield Problem(
            "agent.url",
            "is set while agent.install is true: a second agent would be installed, and nothing would report to it",
            config_set("agent.install", "false"),
        )
    for name in ("namespace", "tmeImage"):
        if _is_given(settings.agent, name):
            key = f"agent.{name}"
            yield Problem(
                key,
                "is about an agent in the cluster, and agent.url is outside: it would be ignored",
                config_remove(key),
            )
    if settings.tme_guard in ("warn", "deny"):
        yield Problem(
            "tmeGuard",
            f"is {settings.tme_guard}, and with agent.url no gateway pod gets a TME: there would be nothing to guard",
            config_remove("tmeGuard"),
        )


@rule
def tme_image_is_an_image(settings: StackConfig) -> Iterator[Problem]:
    """The TME's image is named with its registry and repository."""
    image = settings.agent.tme_image
    if image is None:
        return
    example = config_set("agent.tmeImage", "docker.io/traceableai/traceable-agent")
    try:
        found = parse_image(image)
    except ImageReferenceError:
        yield Problem(
            "agent.tmeImage",
            f"is {shown(image)}, which is no image: every gateway pod would count as one without the TME",
            example,
        )
        return
    if "/" not in image:
        yield Problem(
            "agent.tmeImage",
            f"is {shown(image)}, without registry and repository: that is {found}, an image of Docker's own, and every "
            "gateway pod would count as one without the TME",
            example,
        )


def _is_address(url: str) -> bool:
    """An address such as Kong can be given: a scheme, a host, and nothing that only a browser would make sense of."""
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return (
        plain
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port_is_one
        and not (parts.query or parts.fragment)
    )


def _is_given(part: AgentConfig, alias: str) -> bool:
    return any(type(part).model_fields[name].alias == alias for name in part.model_fields_set)


@rule
def foreign_agent(settings: StackConfig) -> Iterator[Problem]:
    """Keys that belong to an agent of ours, where it is not."""
    if settings.agent.install:
        if settings.agent.tme_image is not None:
            yield Problem(
                "agent.tmeImage",
                "is for an agent that is not ours; our agent's chart values name the image",
                f"{config_remove('agent.tmeImage')}; another registry is agentValues.imageCredentials.registry and "
                ".registrySuffix",
            )
        return
    if not settings.gateway:
        return  # Not meant: a stack without a gateway is its agent (rules_alone.py).
    for name in ("adopt", "chart", "createNamespace", "environment", "endpoint", "protect", "timeoutSeconds"):
        if _is_given(settings.agent, name):
            key = f"agent.{name}"
            yield Problem(
                key, "belongs to an agent of ours, and agent.install is false: it would be ignored", config_remove(key)
            )
    for name in ("agent_token", "agent_token_secret"):
        if getattr(settings, name) is not None:
            key = "agentToken" if name == "agent_token" else "agentTokenSecret"
            yield Problem(key, "belongs to the agent, which is not ours (agent.install false)", config_remove(key))
    if settings.agent_values:
        yield Problem(
            "agentValues",
            "belong to the agent, which is not ours (agent.install false)",
            config_remove("agentValues"),
        )
    for field in ("blocking_status_code", "blocking_message"):
        if field in settings.model_fields_set:
            key = str(StackConfig.model_fields[field].alias)
            yield Problem(
                key,
                "belongs to the owner of the agent, which is not ours (agent.install false): it would be ignored",
                f"{config_remove(key)}, and ask the agent's owner to set it",
            )
