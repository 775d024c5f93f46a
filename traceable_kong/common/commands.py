"""Commands in messages: their values are quoted, so that they can be pasted whatever the values are."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence

from traceable_kong.common.safe_text import printable

_LOOKS_SECRET = re.compile(r"(?i)passwd|pass|password|pwd|secret|token")
"""Keys of which `pulumi config set` refuses a value that could be a secret (`keyPattern` in
https://github.com/pulumi/pulumi/blob/v3.259.0/pkg/cmd/pulumi/config/config.go)."""

_QUOTED = re.compile(r'\["(?:\\"|[^"])*+"\]')
"""A quoted name in a path, as Pulumi reads it: the only escape is that of a quotation mark
(https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/go/common/resource/properties_path.go)."""


def config_set(key: str, value: str) -> str:
    """The command that sets a key of the stack config, such as `kong.release` or `kubernetes:context`."""
    options = _option(key) + (" --plaintext" if _LOOKS_SECRET.search(key) else "")
    if printable(value) != value:
        # A message is one line, and so are the words in it.
        return _command(key, f"printf {shlex.quote(octal(value))} | pulumi config set{options} --raw {_argument(key)}")
    # After `--` nothing is an option.
    end = "-- " if value.startswith("-") else ""
    return _command(key, f"pulumi config set{options} {end}{_argument(key)} {shlex.quote(value)}")


def config_set_secret(key: str) -> str:
    """The command that sets a key to a secret, which it asks for."""
    return _command(key, f"pulumi config set --secret{_option(key)} {_argument(key)}")


def config_remove(key: str) -> str:
    """The command that removes a key."""
    return _command(key, f"pulumi config rm{_option(key)} {_argument(key)}")


def _command(key: str, command: str) -> str:
    """The command, or what to do where the key cannot be written into one: a name that ends in a backslash, or that
    cannot be printed."""
    if '"' not in _QUOTED.sub("", key) and printable(command) == command:
        return command
    return "edit it in Pulumi.<stack>.yaml (no command can name this key)"


def octal(value: str) -> str:
    """The value as printf takes it: what is special to it or cannot be printed has an octal escape."""
    return "".join(_octal(char) if char in "%-\\" or not char.isprintable() else char for char in value)


def _octal(char: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", errors="replace"))


_CLUSTER_COMMAND = re.compile(
    r"\b(kubectl|helm) (?=(?:"
    "annotate|apply|auth|create|delete|describe|get|label|patch|rollout|scale|wait|--namespace|"
    r"history|list|rollback|uninstall|upgrade)\b)"
)
"""The beginning of a command for a cluster, with the subcommands that this program uses."""


_STACK_COMMAND = re.compile(r"`(pulumi up(?: --refresh)?)`")


def cluster_options(*, kubeconfig: str | None, context: str | None) -> str:
    """The options of kubectl that name a cluster, each after a space; `kubeconfig` is a path."""
    named = (("--kubeconfig", kubeconfig), ("--context", context))
    return "".join(f" {option} {shlex.quote(value)}" for option, value in named if value)


def on_cluster(text: str, options: str) -> str:
    """The text with `options`, from `cluster_options()`, in every kubectl and helm command.

    Without them, a command that is pasted into a shell with another current context would change another cluster.
    """

    def with_options(found: re.Match[str]) -> str:
        own = options.replace(" --context ", " --kube-context ") if found[1] == "helm" else options
        return f"{found[1]}{own} "

    return _CLUSTER_COMMAND.sub(with_options, text) if options else text


def on_stack(text: str, stack: str | None) -> str:
    """The text with the stack in every command that updates one: without, it would update the selected one."""
    if stack is None:
        return text
    return _STACK_COMMAND.sub(lambda found: f"`{found[1]} --stack {shlex.quote(stack)}`", text)


def helm_restore(release: str, namespace: str) -> str:
    """The commands that restore a Helm release, whose objects a refresh does not see: it reads Helm's own records.

    Without a revision Helm would roll back to the previous one, whose files may be deleted; it rejects the word
    REVISION.
    """
    where = f"{shlex.quote(release)} --namespace {shlex.quote(namespace)}"
    return (
        f"`helm history {where}`, then `helm rollback {shlex.quote(release)} REVISION --namespace "
        f"{shlex.quote(namespace)}` with the revision that it shows as deployed in place of REVISION"
    )


def kubectl_remove(kind: str, name: str, operations: Sequence[Mapping[str, str]]) -> str:
    """The command that removes fields which this stack does not manage, by the JSON patch `operations`."""
    patch = shlex.quote(json.dumps(list(operations)))
    return f"`kubectl patch {kind} {shlex.quote(name)} --type json --patch {patch}`"


def _option(key: str) -> str:
    return " --path" if "." in key or "[" in key else ""


def _argument(key: str) -> str:
    name = key if key.startswith("kubernetes:") else f"traceable-kong:{key}"
    return name if re.fullmatch(r"[-_.:A-Za-z0-9]+", name) else shlex.quote(name)
