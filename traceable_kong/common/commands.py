"""Commands that messages tell a person to run: whatever is in them, they do what they say when they are pasted."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence


def config_set(key: str, value: str) -> str:
    """Sets a key of the stack's config, such as `kong.release`; with `--path` where it is inside an object."""
    # Behind `--` nothing is an option.
    end = "-- " if value.startswith("-") else ""
    return f"pulumi config set{_option(key)} {end}{_argument(key)} {shlex.quote(value)}"


def config_set_secret(key: str) -> str:
    """Sets a key to a secret, for which the command asks."""
    return f"pulumi config set --secret{_option(key)} {_argument(key)}"


def config_remove(key: str) -> str:
    """Takes a key out."""
    return f"pulumi config rm{_option(key)} {_argument(key)}"


_ASKS_THE_CLUSTER = re.compile(
    r"\b(kubectl|helm) (?=(?:"
    "annotate|apply|auth|create|delete|describe|get|label|patch|rollout|scale|wait|--namespace|"
    r"history|list|rollback|uninstall|upgrade)\b)"
)
"""The beginning of a command that asks or changes a cluster, by the subcommands that this program names."""


def cluster_options(*, kubeconfig: str | None, context: str | None) -> str:
    """The options of kubectl that name a cluster, each with a space before it; `kubeconfig` is a path."""
    named = (("--kubeconfig", kubeconfig), ("--context", context))
    return "".join(f" {option} {shlex.quote(value)}" for option, value in named if value)


def on_cluster(text: str, options: str) -> str:
    """`text` with every kubectl and helm command in it pointed at the cluster that `options` names.

    `options` are what `cluster_options()` gave, "" where the usual ones name it: pasted in a
    shell that is on another cluster, a command without them would change that one.
    """

    def pointed(found: re.Match[str]) -> str:
        own = options.replace(" --context ", " --kube-context ") if found[1] == "helm" else options
        return f"{found[1]}{own} "

    return _ASKS_THE_CLUSTER.sub(pointed, text) if options else text


def helm_restore(release: str, namespace: str) -> str:
    """Restores what a Helm release made, which a refresh does not see: it reads Helm's own records.

    Without a revision Helm goes back to the one before, whose files may be deleted; the word REVISION it refuses.
    """
    where = f"{shlex.quote(release)} --namespace {shlex.quote(namespace)}"
    return (
        f"`helm history {where}`, then `helm rollback {shlex.quote(release)} REVISION --namespace "
        f"{shlex.quote(namespace)}` with the revision that it shows as deployed in place of REVISION"
    )


def kubectl_remove(kind: str, name: str, operations: Sequence[Mapping[str, str]]) -> str:
    """Removes fields that are not managed by this stack, in one change: a JSON patch of `operations`."""
    patch = shlex.quote(json.dumps(list(operations)))
    return f"`kubectl patch {kind} {shlex.quote(name)} --type json --patch {patch}`"


def _option(key: str) -> str:
    return " --path" if "." in key or "[" in key else ""


def _argument(key: str) -> str:
    name = f"traceable-kong:{key}"
    return name if re.fullmatch(r"[-_.:A-Za-z0-9]+", name) else shlex.quote(name)
