"""The rules about the agent: its token, its chart values, its address and its TME's image."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from traceable_kong.common.commands import config_remove, config_set, config_set_secret
from traceable_kong.common.image_references import ImageReferenceError, parse_image
from traceable_kong.config.agent_config import ExistingAgentConfig, ExternalAgentConfig, ManagedAgentConfig
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.config.rule_registry import rule

_SET_TOKEN = f"{config_set_secret('agentToken')} (it asks for the value)"


@rule
def one_token(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """A managed agent has exactly one of agentToken and agentTokenSecret."""
    if agent.token is not None and agent.token_secret is not None:
        yield Problem(
            "agentTokenSecret",
            "conflicts with agentToken: it cannot be determined which of them the agent should use",
            f"keep one: {config_remove('agentToken')}, or {config_remove('agentTokenSecret')}",
        )
    elif agent.token is None and agent.token_secret is None:
        yield Problem(
            "agentToken",
            "is missing: the agent could not report to the Traceable platform, and nothing would be protected",
            f"{_SET_TOKEN}, or name an existing Secret: {config_set('agentTokenSecret.name', 'NAME')} and "
            f"{config_set('agentTokenSecret.key', 'KEY')}",
        )


@rule
def token_is_not_empty(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """The token is not empty."""
    if agent.token is not None and not agent.token.get_secret_value().strip():
        yield Problem("agentToken", "is empty: the agent could not report to the Traceable platform", _SET_TOKEN)


@rule
def platform_host(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """The Traceable platform is named by its host, without credentials."""
    if agent.endpoint is not None and "@" in agent.endpoint:
        yield Problem(
            "agent.endpoint",
            "has a user or a password in it, and everyone who can read the stack file or the agent's configuration "
            "would see it",
            config_set("agent.endpoint", "HOST"),
        )


@rule
def token_has_its_own_key(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """The token is not in agentValues."""
    for name in ("token", "externalTokenSecret"):
        if name in agent.values:
            yield Problem(
                f"agentValues.{name}",
                "would be stored in the values of the Release, in the state and in Helm's history",
                f"{config_remove(f'agentValues.{name}')}, and {config_set_secret('agentToken')}",
            )


@rule
def blocking_has_its_own_keys(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """Status and message of a blocked request are not in agentValues."""
    injector = agent.values.get("injector")
    for values, path, own in (
        (agent.values, "agentValues.blockingStatusCode", "blockingStatusCode"),
        (agent.values, "agentValues.blockingMessage", "blockingMessage"),
        (injector, "agentValues.injector.blockingConfig", "blockingStatusCode and blockingMessage"),
    ):
        if isinstance(values, dict) and path.split(".")[-1] in values:
            yield Problem(
                path,
                f"would override {own} in only one of the two places where the chart needs it, without validation",
                f"{config_remove(path)}, and set traceable-kong:{own.split()[0]}",
            )


@rule
def external_agent_address(agent: ExternalAgentConfig) -> Iterator[Problem]:
    """The URL of an external agent is one that Kong can use, without credentials."""
    fix = config_set("agent.url", "https://HOST:5442")
    if "@" in agent.url:
        yield Problem(
            "agent.url",
            "has a user or a password in it, and everyone who can read the plugin, the record or the outputs would "
            "see it",
            fix,
        )
    elif not _is_address(agent.url):
        yield Problem("agent.url", f"is {shown(agent.url)}, which is not an http(s) URL: Kong could not use it", fix)


def _is_address(url: str) -> bool:
    """Whether Kong can use it: a scheme and a host, and nothing that only a browser would understand."""
    try:
        parts = urlsplit(url)
        valid_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return (
        plain
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and valid_port
        and not (parts.query or parts.fragment)
    )


@rule
def external_agent_needs_async(agent: ExternalAgentConfig, mode: str) -> Iterator[Problem]:
    """Only async uses an external agent."""
    if mode == "sync":
        yield Problem(
            "agent.url",
            "does not apply to mode sync: Kong would ask the TME in its own pod, and the URL would be ignored",
            config_set("mode", "async"),
        )


@rule
def external_agent_has_no_guard(agent: ExternalAgentConfig, tme_guard: str | None) -> Iterator[Problem]:
    """tmeGuard is for gateway pods with a TME."""
    if tme_guard in ("warn", "deny"):
        yield Problem(
            "tmeGuard",
            f"is {tme_guard}, but with agent.url no gateway pod gets a TME: there would be nothing to guard",
            config_remove("tmeGuard"),
        )


@rule
def tme_image_is_an_image(agent: ExistingAgentConfig) -> Iterator[Problem]:
    """The TME's image is named with its registry and repository."""
    if agent.tme_image is None:
        return
    consequence = "every gateway pod would be reported as having no TME"
    fix = config_set("agent.tmeImage", "docker.io/traceableai/traceable-agent")
    try:
        image = parse_image(agent.tme_image)
    except ImageReferenceError:
        problem = f"is {shown(agent.tme_image)}, which is not an image reference: {consequence}"
        yield Problem("agent.tmeImage", problem, fix)
        return
    if "/" not in agent.tme_image:
        problem = (
            f"is {shown(agent.tme_image)}, without registry and repository. It resolves to {image}, an official Docker "
            f"image: {consequence}"
        )
        yield Problem("agent.tmeImage", problem, fix)
