"""kubectl, the provider and this program are logged in, and go to the server, alike with the same kubeconfig.

First with a server that reports each request (the program's part of that is in tests/cluster/test_kubeconfig_table.py),
then with the embedded API server, which says as whom it has authenticated the client.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.platform import Platform
from tests.cluster.test_kubeconfig_table import assert_seen, assert_way
from tests.fakes import kubeconfig_table
from tests.fakes.authority import Authority
from tests.fakes.kubeconfig_table import ADDED, CASES, TOKEN, Case, Place
from tests.fakes.proxy_servers import http_proxy, socks_proxy
from tests.live.kubeconfig_clients import (
    Client,
    Refused,
    kubectl_review,
    kubectl_who,
    program_review,
    program_who,
    provider_review,
    provider_who,
)
from traceable_kong.cluster.kubeconfig import connect

NAMESPACE = "kubeconfigs"
TOKENS = (TOKEN, "of-a-file", "of-a-plugin")

ON_THE_API_SERVER = (
    *("token", "token_file", "token_file_before_token", "token_and_password"),
    *("client_certificate", "client_certificate_in_files", "client_certificate_that_has_expired"),
    *("impersonation", "impersonation_of_nobody"),
    *("login_plugin", "login_plugin_with_a_certificate", "login_plugin_beside_a_token"),
    *("login_plugin_and_impersonation", "login_plugin_in_the_folder_of_the_kubeconfig", "login_plugin_that_fails"),
    *("proxy_by_http", "proxy_by_socks", "socks_login", "proxy_by_socks_resolves_names", "proxy_of_the_environment"),
    *("tls_server_name", "tls_server_name_of_another", "an_expired_server_that_is_not_verified"),
    *("an_unknown_authority", "the_authorities_of_the_system"),
    *("several_files", "the_current_context_of_a_later_file", "relative_paths_of_several_files"),
)
"""Cases of the table that the embedded API server can judge. It has no other certificate: "expired" is the same one."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with kubeconfig_table.place(tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.fixture(scope="module")
def api_server(platform: Platform) -> Iterator[Place]:
    """The embedded API server, with ServiceAccounts that may do everything, and certificates of its authority."""
    kubeconfig = yaml.safe_load(platform.kubeconfig.read_text())
    cluster = kubeconfig["clusters"][0]["cluster"]
    api = connect(kubeconfig=str(platform.kubeconfig))
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": f"system:serviceaccounts:{NAMESPACE}"}],
    }
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    api.request("POST", "/api/v1/namespaces", body={"metadata": {"name": NAMESPACE}})
    api.request("POST", bindings, body=binding)
    for name in TOKENS:
        api.request("POST", accounts, body={"metadata": {"name": name}})
    tokens = {name: api.request("POST", f"{accounts}/{name}/token", body={})["status"]["token"] for name in TOKENS}
    port = int(cluster["server"].rpartition(":")[2])
    with http_proxy() as http, socks_proxy() as socks:
        yield Place(
            authority=Authority(Path(cluster["certificate-authority"]).parent),
            port=port,
            expired_port=port,
            http=http,
            socks=socks,
            server_name="kubernetes.default.svc",
            tokens=tokens,
        )
    api.request("DELETE", f"{bindings}/{NAMESPACE}")
    api.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


Prepare = Callable[[str, Place], Case]


@pytest.fixture
def prepare(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """Makes a case and sets its environment, which is the platform's apart from the kubeconfig and proxies."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def made(name: str, place: Place) -> Case:
        case = kubeconfig_table.case(name, place, tmp_path)
        for variable in [each for each in os.environ if each.upper() in ADDED]:
            monkeypatch.delenv(variable)
        for variable, value in {**platform.env, **case.variables, "HOME": str(tmp_path)}.items():
            if variable in case.variables or variable.upper() not in ADDED:
                monkeypatch.setenv(variable, value)
        return case

    return made


@pytest.mark.parametrize("who", [kubectl_who, provider_who])
@pytest.mark.parametrize("name", CASES)
def test_what_the_server_sees(
    name: str, who: Client, place: Place, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = prepare(name, place)
    if case.works:
        assert_seen(case, who()["who"])
    else:
        # The provider's client asks ten times, a second apart, if the server closes the connection.
        monkeypatch.setenv("PULUMI_K8S_CLIENT_TIMEOUT", "2")
        with pytest.raises(Refused):
            who()


@pytest.mark.parametrize("review", [kubectl_review, provider_review, program_review])
@pytest.mark.parametrize("name", ON_THE_API_SERVER)
def test_whom_the_api_server_authenticates(name: str, review: Client, api_server: Place, prepare: Prepare) -> None:
    case = prepare(name, api_server)
    if not case.works:
        with pytest.raises(Refused):
            review()
        return
    found = review()["status"]["userInfo"]
    assert expected(case).items() <= found.items()
    assert_way(case)


def _there(case: Case) -> dict[str, str]:
    case.document["contexts"].append({"name": "there", "context": {"cluster": "c", "user": "another"}})
    case.document["users"].append({"name": "another", "user": {"token": "there"}})
    case.sends("there")
    return {"context": "there"}


def _file(case: Case, *, folder: str) -> dict[str, str]:
    """The case's folder is `a`, and `b` is the working directory. The token must come from one of them."""
    case.only(tokenFile="token")
    case.write("token", "a")
    case.write("b/token", "b")
    case.sends(folder)
    os.chdir(case.folder / "b")
    return {}


GIVEN: dict[str, Callable[[Case], dict[str, str]]] = {
    "a path": lambda case: {"kubeconfig": str(case.folder / "config")},
    "YAML": lambda case: {"kubeconfig": yaml.safe_dump(case.document)},
    "JSON": lambda case: {"kubeconfig": json.dumps(case.document)},
    "a context": _there,
    "a context of a path": lambda case: {"kubeconfig": str(case.folder / "config"), **_there(case)},
    "relative paths of KUBECONFIG": lambda case: _file(case, folder="a"),
    "relative paths of a path": lambda case: {**_file(case, folder="b"), "kubeconfig": str(case.folder / "config")},
    "relative paths of a text": lambda case: {**_file(case, folder="b"), "kubeconfig": yaml.safe_dump(case.document)},
}
"""What a stack config can say: kubernetes:kubeconfig and kubernetes:context."""


@pytest.mark.parametrize("who", [provider_who, program_who])
@pytest.mark.parametrize("given", GIVEN)
def test_what_the_stack_config_says(
    given: str, who: Client, place: Place, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = prepare("token", place)
    monkeypatch.chdir(case.folder)
    arguments = GIVEN[given](case)
    case.save()
    if "kubeconfig" in arguments:
        monkeypatch.setenv("KUBECONFIG", "/nowhere")
    assert_seen(case, who(**arguments)["who"])


def expected(case: Case) -> dict[str, Any]:
    if "as" in case.user:
        wanted = {"username": case.user["as"], "uid": case.user.get("as-uid")}
        groups = [*case.user.get("as-groups", []), "system:authenticated"]
        extra = {name.lower(): values for name, values in case.user.get("as-user-extra", {}).items()}
        return {name: value for name, value in {**wanted, "groups": groups, "extra": extra}.items() if value}
    if case.certificate:
        return {"username": case.certificate, "groups": ["system:authenticated"]}
    names = {f"Bearer {token}": name for name, token in case.place.tokens.items()}
    return {"username": f"system:serviceaccount:{NAMESPACE}:{names[case.authorization]}"}
