"""The rules between keys: each with what is wrong, what it would have meant, and the command that mends it.

A rule sees settings that are well-typed. Leaves out single values (settings_model.py).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from plugin_options import FURTHER_OPTIONS, MODE_SINCE, NEWEST_KNOWN, OWN_SETTINGS, plugin_version, text
from settings_model import ChartSettings, Settings


@dataclass(frozen=True)
class Problem:
    """`key` is the path below the namespace, such as `agent.url`; `mend` is a command or what to write."""

    key: str
    wrong: str
    mend: str


Rule = Callable[[Settings], Iterator[Problem]]

RULES: dict[str, Rule] = {}


def _rule(rule: Rule) -> Rule:
    RULES[rule.__name__] = rule
    return rule


def config_set(key: str, value: str) -> str:
    """The command that sets a key, with `--path` where it is inside an object."""
    option = " --path" if "." in key else ""
    return f"pulumi config set{option} traceable-kong:{key} {value}"


def config_remove(key: str) -> str:
    """The command that takes a key out."""
    option = " --path" if "." in key else ""
    return f"pulumi config rm{option} traceable-kong:{key}"


@_rule
def one_token(settings: Settings) -> Iterator[Problem]:
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
            "pulumi config set --secret traceable-kong:agentToken (it asks for the value), or name a Secret that exists: "
            + config_set("agentTokenSecret.name", "NAME"),
        )


@_rule
def token_is_not_empty(settings: Settings) -> Iterator[Problem]:
    """A token of nothing is no token."""
    if settings.agent_token is not None and not settings.agent_token.get_secret_value().strip():
        yield Problem(
            "agentToken",
            "is empty: the agent could not report to the Traceable platform",
            "pulumi config set --secret traceable-kong:agentToken (it asks for the value)",
        )


@_rule
def async_needs_a_rock_that_knows_it(settings: Settings) -> Iterator[Problem]:
    """async came with 2.1.0."""
    if settings.mode == "async" and plugin_version(settings.plugin.version) < MODE_SINCE:
        yield Problem(
            "mode",
            f"is async, which the plugin knows since {text(MODE_SINCE)}; {settings.plugin.version} would go on asking "
            "for every request",
            f"{config_set('mode', 'sync')}, or a newer plugin.version",
        )


@_rule
def further_options_are_known(settings: Settings) -> Iterator[Problem]:
    """Every option of pluginConfig against the version that brought it, and its range."""
    version = plugin_version(settings.plugin.version)
    for name, value in settings.plugin_config.items():
        key = f"pluginConfig.{name}"
        option = FURTHER_OPTIONS.get(name)
        if name in OWN_SETTINGS:
            own = OWN_SETTINGS[name]
            yield Problem(key, f"follows from {own}, so this would be ignored", f"set traceable-kong:{own} instead")
        elif option is None:
            if version <= NEWEST_KNOWN:
                yield Problem(
                    key,
                    f"is no option of the plugin {settings.plugin.version}: Kong would refuse the whole configuration",
                    config_remove(key),
                )
        elif version < option.since:
            yield Problem(
                key,
                f"is known to the plugin since {text(option.since)}; with {settings.plugin.version} Kong would refuse "
                "the whole configuration",
                f"{config_remove(key)}, or a newer plugin.version",
            )
        elif isinstance(value, SecretStr):
            continue
        elif (
            isinstance(value, bool) or not isinstance(value, int) or not _within(value, option.lowest, option.highest)
        ):
            most = f" to {option.highest}" if option.highest is not None else " or more"
            yield Problem(
                key,
                f"is {value!r}, and must be a whole number, {option.lowest}{most}: Kong would refuse the whole "
                "configuration",
                config_set(key, str(option.lowest)),
            )


def _within(value: int, lowest: int, highest: int | None) -> bool:
    return value >= lowest and (highest is None or value <= highest)


@_rule
def rock_digest(settings: Settings) -> Iterator[Problem]:
    """A rock from the network needs its digest; a placeholder is none."""
    given = settings.plugin.sha256
    mend = "curl -fsSL -o traceable.rock ROCK_URL && sha256sum traceable.rock, then " + config_set(
        "plugin.sha256", "DIGEST"
    )
    if given is None:
        if settings.plugin.rock is None or "://" in settings.plugin.rock:
            yield Problem(
                "plugin.sha256",
                "is missing: whatever the network gave would run inside Kong",
                mend,
            )
    elif not re.fullmatch(r"[0-9a-f]{64}", given):
        yield Problem("plugin.sha256", f"is {given!r}, which is not a SHA-256 digest (64 digits 0-9 a-f)", mend)


@_rule
def rock_address(settings: Settings) -> Iterator[Problem]:
    """Only https from the network."""
    rock = settings.plugin.rock
    if rock is not None and "://" in rock and not rock.startswith("https://"):
        yield Problem(
            "plugin.rock",
            f"is {rock!r}: only https and local files are read, because anybody on the way could change the plugin",
            config_set("plugin.rock", "https://..."),
        )


@_rule
def agent_chart(settings: Settings) -> Iterator[Problem]:
    """A chart is a path, or a name with a version."""
    yield from _chart("agent.chart", settings.agent.chart)


@_rule
def kong_chart(settings: Settings) -> Iterator[Problem]:
    """A chart is a path, or a name with a version."""
    yield from _chart("kong.chart", settings.kong.chart)


def _chart(key: str, chart: ChartSettings) -> Iterator[Problem]:
    if chart.path is not None:
        beside = [name for name in ("repository", "name", "version") if getattr(chart, name) is not None]
        if beside:
            yield Problem(
                f"{key}.path",
                f"stands beside {', '.join(beside)}, so it cannot be told which chart is meant",
                f"keep one: {config_remove(f'{key}.path')}",
            )
        return
    if chart.name is None:
        yield Problem(
            f"{key}.name", "is missing, and so is a path: there is no chart", config_set(f"{key}.name", "NAME")
        )
    elif chart.repository is None and not chart.name.startswith("oci://"):
        yield Problem(
            f"{key}.repository",
            f"is missing: {chart.name!r} would be looked up in whatever repositories this machine happens to know",
            config_set(f"{key}.repository", "URL"),
        )
    if chart.version is None or not re.fullmatch(r"v?\d+\.\d+\.\d+([-+.].*)?", chart.version):
        said = "is missing" if chart.version is None else f"is {chart.version!r}, which is not a version"
        yield Problem(
            f"{key}.version",
            f"{said}: the next run could install another chart than the one that was reviewed",
            f"helm search repo --versions, then {config_set(f'{key}.version', 'VERSION')}",
        )


@_rule
def namespaces_differ(settings: Settings) -> Iterator[Problem]:
    """One namespace cannot be made twice."""
    same = settings.agent.namespace == settings.kong.namespace
    if same and settings.agent.create_namespace and settings.kong.create_namespace:
        yield Problem(
            "kong.namespace",
            f"is {settings.kong.namespace!r}, as agent.namespace is: it would be made twice, and the second would fail",
            config_set("kong.namespace", "kong"),
        )


@_rule
def outside_agent(settings: Settings) -> Iterator[Problem]:
    """An agent's URL: async only, and not beside an agent of ours."""
    url = settings.agent.url
    if url is None:
        return
    if not re.fullmatch(r"https?://[^\s/]+(:\d+)?(/\S*)?", url):
        yield Problem(
            "agent.url", f"is {url!r}, which is not an http(s) URL", config_set("agent.url", "https://HOST:5442")
        )
    if settings.mode == "sync":
        yield Problem(
            "agent.url",
            "is set with mode sync: in sync every request asks the TME in its own pod, and this address would be ignored",
            config_set("mode", "async"),
        )
    if settings.agent.install:
        yield Problem(
            "agent.url",
            "is set while agent.install is true: a second agent would be installed, and nothing would report to it",
            config_set("agent.install", "false"),
        )


@_rule
def foreign_agent(settings: Settings) -> Iterator[Problem]:
    """Keys that belong to an agent of ours, where it is not."""
    if settings.agent.install:
        if settings.agent.tme_image is not None:
            yield Problem(
                "agent.tmeImage",
                "is for an agent that is not ours; our agent's chart names the image itself",
                f"{config_remove('agent.tmeImage')}, or agentValues.injector.tme.imageName",
            )
        return
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


@_rule
def foreign_kong(settings: Settings) -> Iterator[Problem]:
    """Keys that belong to a Kong of ours, or to one that is not."""
    if settings.kong.install:
        for key, value in (
            ("kong.deployment", settings.kong.deployment),
            ("kong.container", settings.kong.container),
        ):
            if value is not None:
                yield Problem(
                    key,
                    "is for a Kong that somebody else installed; with kong.install true it would be ignored",
                    f"{config_remove(key)}, or {config_set('kong.install', 'false')}",
                )
    elif settings.kong_values:
        yield Problem(
            "kongValues",
            "are for a Kong of ours, and kong.install is false: they would be ignored",
            config_remove("kongValues"),
        )


@_rule
def database_keys(settings: Settings) -> Iterator[Problem]:
    """postgres and admin belong to DB mode."""
    if settings.kong.database == "off":
        for key, value in (("kong.postgres", settings.kong.postgres), ("kong.admin", settings.kong.admin)):
            if value is not None:
                yield Problem(
                    key, "is for kong.database postgres; without a database it would be ignored", config_remove(key)
                )
    elif settings.kong.install:
        postgres = settings.kong.postgres
        if postgres is None or not (postgres.managed or postgres.host):
            yield Problem(
                "kong.postgres",
                "names no database, and kong.database is postgres: Kong would not start",
                config_set("kong.postgres.host", "HOST"),
            )


@_rule
def leaving_asks_for_disabled_first(settings: Settings) -> Iterator[Problem]:
    """installed: false comes after enabled: false."""
    if not settings.installed and settings.enabled:
        yield Problem(
            "installed",
            "is false while enabled is true: the files would go while the plugin still needs them",
            f"{config_set('enabled', 'false')}, pulumi up, and then this",
        )


@_rule
def values_do_not_force(settings: Settings) -> Iterator[Problem]:
    """The token has a key of its own."""
    for name in ("token", "externalTokenSecret"):
        if name in settings.agent_values:
            yield Problem(
                f"agentValues.{name}",
                "would stand in the Release's values, in the state and in Helm's history",
                f"{config_remove(f'agentValues.{name}')}, and pulumi config set --secret traceable-kong:agentToken",
            )
