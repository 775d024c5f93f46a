"""The rules about the agent: its token, its chart values, its address and its TME's image."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from traceable_kong.common.commands import config_remove, config_set, config_set_secret
from traceable_kong.common.image_references import DOCKER_HUB, ImageReferenceError, parse_image
from traceable_kong.common.urls import is_host, is_own_host
from traceable_kong.config.agent_config import ExistingAgentConfig, ExternalAgentConfig, ManagedAgentConfig
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.config.rule_registry import rule

_IMAGES_OF_KONG = ("kong", "kong-gateway", "kubernetes-ingress-controller")

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
    if agent.endpoint is None or is_host(agent.endpoint):
        return
    if "@" in agent.endpoint:
        yield Problem(
            "agent.endpoint",
            "has a user or a password in it, and everyone who can read the stack file or the agent's configuration "
            "would see it",
            config_set("agent.endpoint", "HOST"),
        )
        return
    yield Problem(
        "agent.endpoint",
        f"is {shown(agent.endpoint)}, which is not a host: the agent could not report to the Traceable platform",
        _set_endpoint(agent.endpoint),
    )


def _set_endpoint(url: str) -> str:
    """The commands that set host and port of what is not only a host."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    host = host if is_host(host) else "HOST"
    own_port = "" if port is None else f", and {config_set('agentValues.endpointPort', str(port))}"
    return (
        f"{config_set('agent.endpoint', host)}{own_port}, or {config_remove('agent.endpoint')} for the chart's default"
    )


@rule
def token_has_its_own_key(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """The token is not in agentValues."""
    for name in ("token", "externalTokenSecret"):
        if name in agent.values:
            has_token = agent.token is not None or agent.token_secret is not None
            yield Problem(
                f"agentValues.{name}",
                "would be stored in the values of the Release, in the state and in Helm's history",
                config_remove(f"agentValues.{name}")
                + ("" if has_token else f", and {config_set_secret('agentToken')}"),
            )


@rule
def platform_has_its_own_keys(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """The agent's namespace, and environment and host of the Traceable platform, are not in agentValues."""
    for name in ("environment", "endpoint", "namespace"):
        if name in agent.values:
            value = agent.values[name]
            own = config_set(f"agent.{name}", value if isinstance(value, str) and is_host(value) else "VALUE")
            problem = f"would override agent.{name} without validation"
            if name == "namespace":
                problem = "is not a value of the chart, which installs the agent where its Helm release is"
            yield Problem(
                f"agentValues.{name}",
                problem,
                f"{config_remove(f'agentValues.{name}')}, and {own}",
            )


@rule
def sync_needs_the_injector(agent: ManagedAgentConfig, mode: str, enabled: bool, installed: bool) -> Iterator[Problem]:
    """In sync the agent injects the TME, so its injector is on."""
    # Helm takes a value that is null, 0 or empty as false.
    off = "injectorEnabled" in agent.values and not agent.values["injectorEnabled"]
    if off and mode == "sync" and enabled and installed:
        yield Problem(
            "agentValues.injectorEnabled",
            "is off, and mode is sync: nothing would inject the TME into the gateway's pods",
            f"{config_remove('agentValues.injectorEnabled')}, or {config_set('mode', 'async')}",
        )


@rule
def blocking_has_its_own_keys(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """Status and message of a blocked request are not in agentValues."""
    injector = agent.values.get("injector", {})
    if injector is None:
        yield Problem(
            "agentValues.injector",
            "is null, which would remove the chart's settings of the injector, and blockingStatusCode and "
            "blockingMessage with them",
            config_remove("agentValues.injector"),
        )
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
    elif is_own_host(urlsplit(agent.url).hostname or ""):
        yield Problem(
            "agent.url",
            f"is {shown(agent.url)}, which in Kong's pod is the pod itself: there is no agent, and nothing would be "
            "reported",
            fix,
        )


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
    """The TME's image is named with its registry and repository, and is none of Kong's or Docker's own."""
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
    if image.repository.startswith("library/") and image.registry == DOCKER_HUB:
        problem = f"is {shown(agent.tme_image)}. It resolves to {image}, an official Docker image: {consequence}"
        yield Problem("agent.tmeImage", problem, fix)
    elif image.name in _IMAGES_OF_KONG:
        problem = f"is {shown(agent.tme_image)}, an image of Kong: a gateway pod without a TME would count as protected"
        yield Problem("agent.tmeImage", problem, fix)
