"""no-plain-secrets: what looks like a secret, what is none, and that no message has a value."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from policy.rules.plain_secrets import PROVIDER, plain_secrets
from policy.rules.registered_resource import RELEASE, SECRET, Hidden, Resource

VALUE = "planted-credential"
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nplanted-credential\n-----END RSA PRIVATE KEY-----\n"
ENCODED = base64.b64encode(PRIVATE_KEY.encode()).decode()
URN = "urn:pulumi:prod::own::own:index:Parent$traceable-kong:index:KongGateway$kubernetes:helm.sh/v3:Release::x"
AGENT_URN = URN.replace("KongGateway", "TraceableAgent")


def found(kind: str, props: Mapping[str, Any], urn: str = URN) -> list[str]:
    messages = list(plain_secrets(Resource(urn=urn, type=kind, props=props)))
    assert VALUE not in str(messages) and ENCODED not in str(messages)
    return messages


def values(**given: Any) -> list[str]:
    return found(RELEASE, {"name": "gateway", "namespace": "kong", "values": given})


@pytest.mark.parametrize(
    "given",
    [
        {"env": {"pg_password": VALUE}},
        {"env": {"PG_PASSWORD": VALUE}},
        {"env": {"PGPASSWORD": VALUE}},
        {"token": VALUE},
        {"license": {"apiKey": VALUE}},
        {"customEnv": {"clientSecret": VALUE}},
        {"extra": [{"name": "OWN_TOKEN", "value": VALUE}]},
        {"anything": PRIVATE_KEY},
        {"keyB64": ENCODED},
        {"chain": base64.b64encode(f"-----BEGIN CERTIFICATE-----\nx\n{PRIVATE_KEY}".encode()).decode()},
        {"url": f"postgres://kong:{VALUE}@db/kong"},
    ],
)
def test_a_plain_secret(given: dict[str, Any]) -> None:
    assert len(values(**given)) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"env": {"pg_password": Hidden(SECRET)}},
        {"env": {"pg_password": {"valueFrom": {"secretKeyRef": {"name": "kong", "key": "password"}}}}},
        {"env": {"pg_password": "{vault://env/pg-password}"}},
        {"env": {"pg_password": ""}},
        {"externalTokenSecret": {"name": "traceable-token", "key": "token"}},
        {"extra": [{"name": "OWN_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]},
        {"serviceAccount": {"automountToken": False, "mountToken": "true"}},
        {"image": {"pullSecrets": ["registry"]}, "secret": "the-name-of-one"},
        {"certificate": "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"},
        {"url": "https://example.com/a:b@c"},
        {"tokenizer": VALUE},
    ],
)
def test_no_plain_secret(given: dict[str, Any]) -> None:
    assert values(**given) == []


def test_the_message_names_the_place_and_has_the_command() -> None:
    (text,) = values(env={"pg.password": VALUE})
    assert text.startswith('Release kong/gateway: values.env["pg.password"] is not secret, and ')
    assert "Everyone who can read the stack's state or this preview can read it." in text
    command = """-> pulumi config set --secret --path 'traceable-kong:kongValues.env["pg.password"]', or refer"""
    assert command in text
    (text,) = found(RELEASE, {"values": {"token": VALUE}}, AGENT_URN)
    assert "--path traceable-kong:agentValues.token, or refer" in text
    (text,) = found(RELEASE, {"values": {"token": VALUE}}, "urn:pulumi:prod::own::kubernetes:helm.sh/v3:Release::x")
    assert "pulumi.Output.secret(...)" in text and "traceable-kong" not in text


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_every_entry_of_a_secret(field: str) -> None:
    kind = "kubernetes:core/v1:Secret"
    assert len(found(kind, {"metadata": {"name": "a"}, field: {"anything": VALUE, "more": VALUE}})) == 2
    assert found(kind, {"metadata": {"name": "a"}, field: {"anything": Hidden(SECRET)}}) == []
    assert found(kind, {"metadata": {"name": "a"}, field: Hidden(SECRET)}) == []


def test_entries_of_a_config_map() -> None:
    kind = "kubernetes:core/v1:ConfigMap"
    assert len(found(kind, {"data": {"password": VALUE, "key.pem": PRIVATE_KEY}})) == 2
    lua = "-- see https://user:password@example.com\nlocal token = conf.token\n"
    assert found(kind, {"data": {"handler.lua": lua, "token": lua}}) == []


def test_options_of_the_plugin() -> None:
    assert len(found("kubernetes:configuration.konghq.com/v1:KongClusterPlugin", {"config": {"api_key": VALUE}})) == 1
    assert len(found("pulumi-python:dynamic/traceable:PluginEntity", {"config": {"api_key": VALUE}})) == 1
    assert found("pulumi-python:dynamic/traceable:PluginEntity", {"endpoint": {"tokenSecret": "name-of-one"}}) == []


def test_the_kubeconfig_of_the_provider() -> None:
    login = f"apiVersion: v1\nusers:\n- name: a\n  user:\n    token: {VALUE}\n"
    assert len(found(PROVIDER, {"kubeconfig": login})) == 1
    for other in ("", "~/.kube/config", "apiVersion: v1\nusers: []\n", Hidden(SECRET)):
        assert found(PROVIDER, {"kubeconfig": other}) == []


def test_resources_of_other_providers_are_not_judged() -> None:
    assert found("random:index/randomPassword:RandomPassword", {"password": VALUE}) == []
