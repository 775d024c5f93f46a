"""Which records are trusted, and what a record alone may lead to."""

import dataclasses
import json
from typing import Any

import pytest

from tests.fakes.admin_api_cluster import NAMESPACE, add_secret
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.protected_gateway import DEPLOYMENT, IN_DATABASE, TARGET, desired
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.plugin_model import PluginEntity
from traceable_kong.plan.state_record import UnreadableRecord, record_digest, state_data, state_of
from traceable_kong.verification.trusted_record import (
    AdminOptions,
    RecordRefused,
    read_record,
    trusted_alone,
    trusted_note,
    written_by,
)

PATH = f"{NAMESPACE}/configmaps/traceable-installation"
OWNER = "traceable-kong.dev-0a1b2c3d"


def in_database(**changes: Any) -> DesiredState:
    endpoint = AdminEndpoint(deployment=DEPLOYMENT, **changes)
    return desired(backend=PluginEntity(target=TARGET, endpoint=endpoint))


def recorded(data: dict[str, str], *, owner: str | None = OWNER) -> FakeKubernetes:
    fake = FakeKubernetes()
    fake.put(PATH, {"data": data, "metadata": {"labels": {STACK_LABEL: owner} if owner else {}}})
    return fake


def secret(fake: FakeKubernetes, name: str = "kong-admin", owner: str | None = OWNER) -> None:
    add_secret(fake, name, token="t")
    if owner:
        fake.objects[f"{NAMESPACE}/secrets/{name}"]["metadata"]["labels"] = {STACK_LABEL: owner}


def alone(fake: FakeKubernetes, *, deployment: str | None = None, **admin: Any) -> DesiredState:
    return trusted_alone(fake, read_record(fake, "gw"), deployment=deployment, admin=AdminOptions(**admin))


def endpoint_of(found: DesiredState) -> AdminEndpoint:
    assert found.plugin.entity is not None
    return found.plugin.entity.endpoint


def test_the_record_that_the_stack_wrote_is_trusted() -> None:
    expected = in_database(url="https://kong.example.com:8444", token_secret=SecretKey(name="any", key="token"))
    fake = recorded({**state_data(expected), "mode": "sync"})
    outputs = {"stackId": OWNER, "recordDigest": record_digest({"mode": "sync", **state_data(expected)})}
    assert written_by(read_record(fake, "gw"), "dev", outputs) == expected


@pytest.mark.parametrize("key", state_data(desired(**IN_DATABASE)))
def test_a_changed_record_is_refused(key: str) -> None:
    data = state_data(desired(**IN_DATABASE))
    outputs = {"stackId": OWNER, "recordDigest": record_digest(data)}
    for changed in ({**data, key: f"{data[key]} "}, {k: v for k, v in data.items() if k != key}, {**data, "x": ""}):
        with pytest.raises(RecordRefused, match="it was changed"):
            written_by(read_record(recorded(changed), "gw"), "dev", outputs)


def test_a_stack_without_a_digest_trusts_no_record() -> None:
    with pytest.raises(RecordRefused, match="pulumi up --refresh --stack 'org/a stack'"):
        written_by(read_record(recorded(state_data(desired())), "gw"), "org/a stack", {"stackId": OWNER})


@pytest.mark.parametrize("owner", ["traceable-kong.dev-ffffffff", None])
@pytest.mark.parametrize("stack_id", [OWNER, None])
def test_a_record_with_another_stacks_label_is_refused(owner: str | None, stack_id: str | None) -> None:
    data = state_data(desired())
    outputs = {"stackId": stack_id, "recordDigest": record_digest(data)}
    with pytest.raises(RecordRefused, match=r"in the cluster at https://fake:6443 carries .* --context NAME"):
        written_by(read_record(recorded(data, owner=owner), "gw"), "dev", outputs)


def test_alone_a_record_without_address_and_secret_is_trusted() -> None:
    assert alone(recorded(state_data(desired()))) == desired()
    assert alone(recorded(state_data(desired())), deployment="edge-kong") == desired()
    assert alone(recorded(state_data(in_database()))) == in_database()


def test_alone_a_record_of_another_deployment_is_refused() -> None:
    with pytest.raises(RecordRefused, match="is about deployment edge-kong, not about other"):
        alone(recorded(state_data(desired())), deployment="other")


def test_alone_an_address_in_the_record_is_not_used() -> None:
    fake = recorded(state_data(in_database(url="https://evil.example", insecure=True)))
    with pytest.raises(RecordRefused, match=r"names the address https://evil\.example"):
        alone(fake, deployment="edge-kong")
    found = endpoint_of(alone(fake, url="https://kong.example.com:8444"))
    assert (found.url, found.insecure) == ("https://kong.example.com:8444", False)


@pytest.mark.parametrize(
    ("named", "option"),
    [
        ({"token_secret": SecretKey(name="kong-admin", key="token")}, "--admin-token-secret"),
        ({"client_certificate_secret": "kong-admin"}, "--admin-client-certificate-secret"),
    ],
)
@pytest.mark.parametrize(("owner", "label"), [(OWNER, None), (OWNER, "another.stack"), (None, None), (None, OWNER)])
def test_alone_a_secret_without_the_stacks_label_is_not_used(
    named: dict[str, Any], option: str, owner: str | None, label: str | None
) -> None:
    fake = recorded(state_data(in_database(**named)), owner=owner)
    with pytest.raises(RecordRefused, match=option):
        alone(fake, deployment="edge-kong")
    secret(fake, owner=label)
    with pytest.raises(RecordRefused, match=f"Secret kong-admin.*{option}"):
        alone(fake, deployment="edge-kong")


@pytest.mark.parametrize(
    "named", [{"token_secret": SecretKey(name="kong-admin", key="token")}, {"client_certificate_secret": "kong-admin"}]
)
def test_alone_a_labelled_secret_needs_the_deployment_on_the_command_line(named: dict[str, Any]) -> None:
    fake = recorded(state_data(in_database(**named)))
    secret(fake)
    with pytest.raises(RecordRefused, match="--deployment NAME"):
        alone(fake)
    assert alone(fake, deployment="edge-kong") == in_database(**named)


def test_the_options_of_the_command_line_are_used() -> None:
    mine: dict[str, Any] = {
        "url": "https://kong.example.com:8444",
        "token_secret": SecretKey(name="mine", key="token"),
        "ca_secret": SecretKey(name="ca", key="ca.crt"),
        "client_certificate_secret": "certificate",
    }
    theirs = in_database(
        url="https://evil.example",
        token_secret=SecretKey(name="any", key="password"),
        ca_secret=SecretKey(name="evil", key="ca.crt"),
        client_certificate_secret="any",
        insecure=True,
    )
    found = endpoint_of(alone(recorded(state_data(theirs)), **mine))
    assert found == dataclasses.replace(endpoint_of(in_database()), **mine)


def test_alone_a_ca_in_the_record_is_not_used() -> None:
    fake = recorded(state_data(in_database(ca_secret=SecretKey(name="evil", key="ca.crt"))))
    assert endpoint_of(alone(fake)).ca_secret is None


def test_admin_options_need_a_kong_with_a_database() -> None:
    with pytest.raises(RecordRefused, match="without a database"):
        alone(recorded(state_data(desired())), url="https://kong.example.com:8444")


def test_the_note_says_what_the_record_says() -> None:
    fake = recorded(state_data(desired()))
    text = trusted_note(read_record(fake, "gw"), alone(fake))
    for part in ("the record gw/traceable-installation alone", "--stack", "traceable 2.1.2 enabled for all routes"):
        assert part in text


INJECTED = ("../secrets/x", "a/b", "a?b", "A", "x; reboot", "x\n", "", 5, None, ["x"])


@pytest.mark.parametrize("key", ["release", "deployment", "container", "pluginObject", "agentNamespace"])
@pytest.mark.parametrize("text", [item for item in INJECTED if isinstance(item, str) and item])
def test_a_name_with_other_characters_is_refused(key: str, text: str) -> None:
    with pytest.raises(UnreadableRecord):
        state_of("gw", {**state_data(desired()), key: text})


@pytest.mark.parametrize("text", INJECTED)
def test_a_config_map_name_with_other_characters_is_refused(text: object) -> None:
    with pytest.raises(UnreadableRecord):
        state_of("gw", {**state_data(desired()), "files": json.dumps({"/opt/kong/plugins/traceable": text})})


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("pluginEntity", {"workspace": "../x"}),
        ("pluginEntity", {"route": "../../secrets"}),
        ("pluginEntity", {"service": "a?b"}),
        ("pluginEntity", {"workspace": 5}),
        ("adminApi", {"namespace": "elsewhere"}),
        ("adminApi", {"deployment": "other"}),
        ("adminApi", {"container": "other"}),
        ("adminApi", {"workspace": "other"}),
        ("adminApi", {"tokenSecret": "../x/token"}),
        ("adminApi", {"tokenSecret": "A/token"}),
        ("adminApi", {"caSecret": "x?/ca"}),
        ("adminApi", {"clientCertificateSecret": "../../x"}),
    ],
)
def test_an_entity_of_another_gateway_or_with_a_bad_name_is_refused(key: str, change: dict[str, Any]) -> None:
    data = state_data(desired(**IN_DATABASE))
    with pytest.raises(UnreadableRecord):
        state_of("gw", {**data, key: json.dumps({**json.loads(data[key]), **change})})


def test_an_error_shows_nothing_of_the_record() -> None:
    for change in (
        {"pluginConfig": '{"password": hunter2'},
        {"pluginEntity": '{"hunter2": 1}'},
        {"files": '["hunter2"]'},
    ):
        with pytest.raises(UnreadableRecord) as refused:
            state_of("gw", {**state_data(desired(**IN_DATABASE)), **change})
        assert "hunter2" not in str(refused.value)
