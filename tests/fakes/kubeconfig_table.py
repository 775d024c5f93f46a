"""A table of kubeconfigs, and what the API server sees of each, whether kubectl, the provider or this program asks."""

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.authority import SERVER_NAME, Authority
from tests.fakes.proxy_servers import Proxy, http_proxy, socks_proxy
from tests.fakes.who_server import who_server

TOKEN = "a-token"
ADDED = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY")
"""Variables that a case may set, and that no case has from its surroundings, in whatever case."""


@dataclass(frozen=True)
class Place:
    """The servers that all cases share; both have certificates of `authority`, and `expired` one that has expired.

    `server_name` is a name in the certificates. `tokens` has the server's text for the names of tokens; a server that
    accepts every token needs none.
    """

    authority: Authority
    port: int
    expired_port: int
    http: Proxy
    socks: Proxy
    server_name: str = SERVER_NAME
    tokens: Mapping[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        return self.tokens.get(name, name)


@dataclass
class Case:
    """One kubeconfig, and what must be seen; `works` False for an error.

    `via` is a proxy, and the host that it is asked for.
    """

    place: Place
    folder: Path
    cluster: dict[str, Any] = field(default_factory=dict)
    user: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    works: bool = True
    via: tuple[str, str] | None = None
    authorization: str = ""
    certificate: str = ""
    impersonated: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cluster.update(
            {
                "server": f"https://127.0.0.1:{self.place.port}",
                "certificate-authority-data": data(self.place.authority.pem),
            }
        )
        self.user.update({"token": self.place.token(TOKEN)})
        self.sends(TOKEN)
        self.document.update(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": self.cluster}],
                "users": [{"name": "u", "user": self.user}],
            }
        )
        self.variables["KUBECONFIG"] = str(self.folder / "config")

    def write(self, path: str, text: str) -> Path:
        found = self.folder / path
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(text)
        return found

    def save(self) -> None:
        self.write("config", yaml.safe_dump(self.document))

    def only(self, **user: Any) -> None:
        """The user has this, and no token."""
        self.user.clear()
        self.user.update({name.replace("_", "-"): value for name, value in user.items()})

    def sends(self, token: str) -> None:
        """The server sees the token of this name."""
        self.authorization = f"Bearer {self.place.token(token)}"

    def login_plugin(self, status: dict[str, Any], **options: Any) -> dict[str, Any]:
        document = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
        return {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": ["-c", f"print({json.dumps(document)!r})"],
            "interactiveMode": "Never",
            **options,
        }


def data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CASES: dict[str, Callable[[Case], None]] = {}


def _case(function: Callable[[Case], None]) -> Callable[[Case], None]:
    CASES[function.__name__] = function
    return function


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    authority = Authority()
    with (
        who_server(authority, folder) as port,
        who_server(authority, folder, days=-1) as expired,
        http_proxy() as http,
        socks_proxy() as socks,
    ):
        yield Place(authority=authority, port=port, expired_port=expired, http=http, socks=socks)


def case(name: str, place: Place, folder: Path) -> Case:
    made = Case(place, folder)
    CASES[name](made)
    made.save()
    place.http.targets.clear()
    place.socks.targets.clear()
    place.socks.login = "a user:a password" if name == "socks_login" else ""
    return made


# --- users ---


@_case
def token(case: Case) -> None: ...


@_case
def token_file(case: Case) -> None:
    case.write("secrets/token", f"{case.place.token('of-a-file')}\n")
    case.only(tokenFile="secrets/token")
    case.sends("of-a-file")


@_case
def token_file_before_token(case: Case) -> None:
    case.write("token", case.place.token("of-a-file"))
    case.user["tokenFile"] = "token"
    case.sends("of-a-file")


@_case
def token_file_missing(case: Case) -> None:
    case.only(tokenFile="nowhere")
    case.works = False


@_case
def password(case: Case) -> None:
    case.only(username="ann", password="größe:x")
    case.authorization = f"Basic {data('ann:größe:x')}"


@_case
def token_and_password(case: Case) -> None:
    case.user.update(username="ann", password="b")
    case.works = False


@_case
def client_certificate(case: Case) -> None:
    certificate, key = case.place.authority.issue("ann")
    case.only(client_certificate_data=data(certificate), client_key_data=data(key))
    case.authorization, case.certificate = "", "ann"


@_case
def client_certificate_in_files(case: Case) -> None:
    certificate, key = case.place.authority.issue("ben")
    case.write("pki/c.pem", certificate)
    case.write("pki/k.pem", key)
    case.write("pki/ca.pem", f"# größe\n{case.place.authority.pem}")
    case.only(client_certificate="pki/c.pem", client_key="pki/k.pem")
    case.cluster.pop("certificate-authority-data")
    case.cluster["certificate-authority"] = "pki/ca.pem"
    case.authorization, case.certificate = "", "ben"


@_case
def client_certificate_without_a_key(case: Case) -> None:
    case.user["client-certificate-data"] = data(case.place.authority.issue("ann")[0])
    case.works = False


@_case
def client_certificate_with_the_key_of_another(case: Case) -> None:
    case.user["client-certificate-data"] = data(case.place.authority.issue("ann")[0])
    case.user["client-key-data"] = data(case.place.authority.issue("ann")[1])
    case.works = False


@_case
def client_certificate_that_has_expired(case: Case) -> None:
    certificate, key = case.place.authority.issue("ann", days=-1)
    case.only(client_certificate_data=data(certificate), client_key_data=data(key))
    case.works = False


@_case
def impersonation(case: Case) -> None:
    case.user.update(
        {
            "as": "jane",
            "as-uid": "42",
            "as-groups": ["devs", "a group"],
            "as-user-extra": {"scopes": ["view", "edit"], "example.com/Reason": ["100%"]},
        }
    )
    case.impersonated = [
        ["impersonate-extra-example.com%2freason", "100%"],
        ["impersonate-extra-scopes", "edit"],
        ["impersonate-extra-scopes", "view"],
        ["impersonate-group", "a group"],
        ["impersonate-group", "devs"],
        ["impersonate-uid", "42"],
        ["impersonate-user", "jane"],
    ]


@_case
def impersonation_of_nobody(case: Case) -> None:
    case.user["as-groups"] = ["devs"]
    case.works = False


@_case
def a_user_that_does_not_exist(case: Case) -> None:
    case.document["users"] = None
    case.works = False


@_case
def gcp_auth_provider(case: Case) -> None:
    case.only(auth_provider={"name": "gcp", "config": {"access-token": "x"}})
    case.works = False


# --- login plugins ---


@_case
def login_plugin(case: Case) -> None:
    case.only(
        exec=case.login_plugin(
            {"token": case.place.token("of-a-plugin"), "expirationTimestamp": "2099-01-01T00:00:00Z"}
        )
    )
    case.sends("of-a-plugin")


@_case
def login_plugin_with_a_certificate(case: Case) -> None:
    certificate, key = case.place.authority.issue("plugin")
    case.only(exec=case.login_plugin({"clientCertificateData": certificate, "clientKeyData": key}))
    case.authorization, case.certificate = "", "plugin"


@_case
def login_plugin_beside_a_token(case: Case) -> None:
    case.user["exec"] = case.login_plugin({"token": case.place.token("of-a-plugin")})


@_case
def login_plugin_and_impersonation(case: Case) -> None:
    case.only(exec=case.login_plugin({"token": case.place.token("of-a-plugin")}))
    case.user["as"] = "jane"
    case.sends("of-a-plugin")
    case.impersonated = [["impersonate-user", "jane"]]


@_case
def login_plugin_if_a_terminal_is_available(case: Case) -> None:
    case.only(exec=case.login_plugin({"token": case.place.token("of-a-plugin")}, interactiveMode="IfAvailable"))
    case.sends("of-a-plugin")


@_case
def login_plugin_that_needs_a_terminal(case: Case) -> None:
    case.only(exec=case.login_plugin({"token": case.place.token("of-a-plugin")}, interactiveMode="Always"))
    case.works = False


@_case
def login_plugin_without_a_mode(case: Case) -> None:
    case.only(exec=case.login_plugin({"token": case.place.token("of-a-plugin")}, interactiveMode=None))
    case.works = False


@_case
def login_plugin_of_another_mode(case: Case) -> None:
    case.only(exec=case.login_plugin({"token": case.place.token("of-a-plugin")}, interactiveMode="Sometimes"))
    case.works = False


@_case
def login_plugin_in_the_beta_without_a_mode(case: Case) -> None:
    code = (
        "import json, os; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']); "
        "print(json.dumps({'apiVersion': info['apiVersion'], 'kind': info['kind'], 'status': {'token': "
        "os.environ['WORD'] + '-' + str(info['spec']['interactive'])}}))"
    )
    options = {"apiVersion": "client.authentication.k8s.io/v1beta1", "interactiveMode": None, "args": ["-c", code]}
    case.only(exec=case.login_plugin({}, **options, env=[{"name": "WORD", "value": "said"}]))
    case.authorization = "Bearer said-False"


@_case
def login_plugin_that_is_told_of_the_cluster(case: Case) -> None:
    code = (
        "import json, os; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']); told = info['spec']['cluster']; "
        "print(json.dumps({'apiVersion': info['apiVersion'], 'kind': info['kind'], 'status': {'token': "
        "told['server'] + ' ' + str(told['config']['a']) + ' ' + str(len(told['certificate-authority-data']))}}))"
    )
    case.only(exec=case.login_plugin({}, args=["-c", code], provideClusterInfo=True))
    case.cluster["extensions"] = [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}]
    length = len(data(case.place.authority.pem))
    case.authorization = f"Bearer https://127.0.0.1:{case.place.port} 1 {length}"


@_case
def login_plugin_in_the_folder_of_the_kubeconfig(case: Case) -> None:
    status = {"token": case.place.token("of-a-plugin")}
    document = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    script = case.write("bin/login", f"#!/bin/sh\necho '{json.dumps(document)}'\n")
    script.chmod(0o755)
    case.only(exec=case.login_plugin({}, command="bin/login", args=None))
    case.sends("of-a-plugin")


@_case
def login_plugin_that_fails(case: Case) -> None:
    case.only(exec=case.login_plugin({}, args=["-c", "raise SystemExit(3)"]))
    case.works = False


@_case
def login_plugin_that_does_not_exist(case: Case) -> None:
    case.only(exec=case.login_plugin({}, command="no-such-login-plugin"))
    case.works = False


@_case
def login_plugin_of_another_version(case: Case) -> None:
    case.only(exec=case.login_plugin({"token": "x"}, apiVersion="client.authentication.k8s.io/v1beta1"))
    case.works = False


@_case
def login_plugin_without_credentials(case: Case) -> None:
    case.only(exec=case.login_plugin({}))
    case.works = False


# --- the way to the server ---


@_case
def proxy_by_http(case: Case) -> None:
    case.cluster["proxy-url"] = f"http://{case.place.http.address}"
    case.via = ("http", f"127.0.0.1:{case.place.port}")


@_case
def proxy_by_socks(case: Case) -> None:
    case.cluster["proxy-url"] = f"socks5://{case.place.socks.address}"
    case.via = ("socks", f"127.0.0.1:{case.place.port}")


@_case
def socks_login(case: Case) -> None:
    case.cluster["proxy-url"] = f"socks5://a%20user:a%20password@{case.place.socks.address}"
    case.via = ("socks", f"127.0.0.1:{case.place.port}")


@_case
def proxy_by_socks_resolves_names(case: Case) -> None:
    case.cluster["server"] = f"https://{case.place.server_name}:{case.place.port}"
    case.cluster["proxy-url"] = f"socks5://{case.place.socks.address}"
    case.via = ("socks", f"{case.place.server_name}:{case.place.port}")


@_case
def proxy_of_another_kind(case: Case) -> None:
    case.cluster["proxy-url"] = f"ftp://{case.place.http.address}"
    case.works = False


@_case
def proxy_that_is_away(case: Case) -> None:
    case.cluster["proxy-url"] = "http://127.0.0.1:9"
    case.works = False


@_case
def proxy_of_the_environment(case: Case) -> None:
    case.cluster["server"] = f"https://{case.place.server_name}:{case.place.port}"
    case.variables["HTTPS_PROXY"] = case.place.http.address
    case.via = ("http", f"{case.place.server_name}:{case.place.port}")


@_case
def socks_proxy_of_the_environment(case: Case) -> None:
    case.cluster["server"] = f"https://{case.place.server_name}:{case.place.port}"
    case.variables["https_proxy"] = f"socks5://{case.place.socks.address}"
    case.via = ("socks", f"{case.place.server_name}:{case.place.port}")


@_case
def proxy_of_the_environment_is_not_for_loopback(case: Case) -> None:
    case.variables["HTTPS_PROXY"] = f"http://{case.place.http.address}"


@_case
def proxy_of_the_environment_is_not_for_localhost(case: Case) -> None:
    case.cluster["server"] = f"https://localhost:{case.place.port}"
    case.cluster["tls-server-name"] = case.place.server_name
    case.variables["HTTPS_PROXY"] = f"http://{case.place.http.address}"


@_case
def proxy_for_http_is_not_for_https(case: Case) -> None:
    case.cluster["server"] = f"https://{case.place.server_name}:{case.place.port}"
    case.variables["HTTP_PROXY"] = f"http://{case.place.http.address}"
    case.works = False


@_case
def no_proxy(case: Case) -> None:
    case.cluster["server"] = f"https://{case.place.server_name}:{case.place.port}"
    case.variables["HTTPS_PROXY"] = f"http://{case.place.http.address}"
    case.variables["NO_PROXY"] = "example.com, .TEST"
    case.works = False


@_case
def no_proxy_for_other_ports(case: Case) -> None:
    case.cluster["server"] = f"https://{case.place.server_name}:{case.place.port}"
    case.variables["HTTPS_PROXY"] = f"http://{case.place.http.address}"
    case.variables["NO_PROXY"] = f"{case.place.server_name}:1,pi.test,*.{case.place.server_name}"
    case.via = ("http", f"{case.place.server_name}:{case.place.port}")


@_case
def proxy_url_before_no_proxy(case: Case) -> None:
    case.cluster["proxy-url"] = f"http://{case.place.http.address}"
    case.variables["NO_PROXY"] = "*"
    case.via = ("http", f"127.0.0.1:{case.place.port}")


@_case
def tls_server_name(case: Case) -> None:
    case.cluster["tls-server-name"] = case.place.server_name


@_case
def tls_server_name_of_another(case: Case) -> None:
    case.cluster["tls-server-name"] = "other.test"
    case.works = False


@_case
def a_server_name_that_the_certificate_lacks(case: Case) -> None:
    case.cluster["server"] = f"https://localhost:{case.place.port}"
    case.works = False


@_case
def an_expired_server(case: Case) -> None:
    case.cluster["server"] = f"https://127.0.0.1:{case.place.expired_port}"
    case.works = False


@_case
def an_expired_server_that_is_not_verified(case: Case) -> None:
    case.cluster["server"] = f"https://127.0.0.1:{case.place.expired_port}"
    case.cluster.pop("certificate-authority-data")
    case.cluster["insecure-skip-tls-verify"] = True


@_case
def not_verified_with_an_authority(case: Case) -> None:
    case.cluster["insecure-skip-tls-verify"] = True
    case.works = False


@_case
def an_unknown_authority(case: Case) -> None:
    case.cluster["certificate-authority-data"] = data(Authority().pem)
    case.works = False


@_case
def an_authority_that_is_none(case: Case) -> None:
    case.cluster["certificate-authority-data"] = data("no certificate")
    case.works = False


@_case
def the_authorities_of_the_system(case: Case) -> None:
    case.cluster.pop("certificate-authority-data")
    case.works = False


@_case
def a_server_without_a_scheme_is_http(case: Case) -> None:
    case.cluster["server"] = f"127.0.0.1:{case.place.port}/"
    case.works = False


@_case
def a_server_with_a_user(case: Case) -> None:
    case.cluster["server"] = f"https://ann:b@127.0.0.1:{case.place.port}/"
    case.authorization = f"Basic {data('ann:b')}"


@_case
def a_server_below_a_path(case: Case) -> None:
    case.cluster["server"] = f"https://127.0.0.1:{case.place.port}/clusters/one/"


@_case
def no_server(case: Case) -> None:
    case.cluster.pop("server")
    case.works = False


# --- files ---


@_case
def nulls(case: Case) -> None:
    case.cluster.update({"proxy-url": None, "tls-server-name": None, "extensions": None})
    case.user.update({"exec": None, "as-groups": None})


@_case
def several_files(case: Case) -> None:
    """The first current-context counts, and the first of two entries with one name, as a whole."""
    other = {"name": "u", "user": {"token": case.place.token("of-a-file"), "as": "jane"}}
    second = {"current-context": "there", "users": [other], "clusters": case.document.pop("clusters")}
    case.write("second", yaml.safe_dump(second))
    case.variables["KUBECONFIG"] = f":{case.folder / 'missing'}:{case.folder / 'config'}::{case.folder / 'second'}"


@_case
def the_current_context_of_a_later_file(case: Case) -> None:
    case.write("second", yaml.safe_dump({"current-context": case.document.pop("current-context")}))
    case.variables["KUBECONFIG"] = f"{case.folder / 'config'}:{case.folder / 'second'}"


@_case
def relative_paths_of_several_files(case: Case) -> None:
    case.write("b/token", case.place.token("of-a-file"))
    case.write("b/config", yaml.safe_dump({"users": [{"name": "u", "user": {"tokenFile": "token"}}]}))
    case.write("token", "of-the-other-folder")
    case.document["users"] = []
    case.variables["KUBECONFIG"] = f"{case.folder / 'config'}:{case.folder / 'b/config'}"
    case.sends("of-a-file")


@_case
def a_broken_file_among_several(case: Case) -> None:
    case.write("second", "users: [")
    case.variables["KUBECONFIG"] = f"{case.folder / 'config'}:{case.folder / 'second'}"
    case.works = False


@_case
def an_empty_file_among_several(case: Case) -> None:
    case.write("second", "")
    case.variables["KUBECONFIG"] = f"{case.folder / 'second'}:{case.folder / 'config'}"


@_case
def a_name_twice(case: Case) -> None:
    case.document["users"] *= 2
    case.works = False


@_case
def a_context_that_does_not_exist(case: Case) -> None:
    case.document["current-context"] = "gone"
    case.works = False


@_case
def a_cluster_that_does_not_exist(case: Case) -> None:
    case.document["contexts"][0]["context"]["cluster"] = "gone"
    case.works = False


@_case
def a_text_in_place_of_a_boolean(case: Case) -> None:
    case.cluster["insecure-skip-tls-verify"] = "false"
    case.works = False


@_case
def a_number_in_place_of_a_text(case: Case) -> None:
    case.user["token"] = 12345
    case.works = False
