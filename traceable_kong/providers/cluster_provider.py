"""What the dynamic providers have in common: the cluster, the words of their errors, and which changes replace a
resource.

Pulumi pickles a provider into the state, by the name of its class alone: it has no fields, and imports what it needs
when it runs, in the process of the plugin (https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/).
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast

import pulumi
from pulumi import dynamic

from traceable_kong.cluster.target import ClusterTarget, request_seconds
from traceable_kong.common.wording import Wording

Operation = TypeVar("Operation", bound=Callable[..., Any])


def own_program_inputs(cluster: ClusterTarget, wording: Wording) -> dict[str, Any]:
    """The properties by which a resource of a dynamic provider knows a program whose arguments are the config.

    `cluster` is what the arguments name, and `arguments` is for messages. Both are absent where the stack's config is
    the config: a provider reads that itself, and the state has no kubeconfig.
    """
    from traceable_kong.config.python_spelling import python_spelling

    if wording.component is None:
        return {}
    kubeconfig: pulumi.Input[str] = cluster.kubeconfig or ""
    named: dict[str, Any] = {
        "kubeconfig": pulumi.Output.secret(kubeconfig) if cluster.secret else kubeconfig,
        "secret": cluster.secret,
        "context": cluster.context or "",
    }
    if "kube_client_settings" in cluster.provider:
        # Without the option it is absent: another default of a later version then updates nothing.
        named["requestSeconds"] = request_seconds(cluster.provider)
    return {
        "cluster": named,
        "arguments": {"component": wording.component, "python": wording.spelled is python_spelling},
    }


def worded(operation: Operation) -> Operation:
    """An operation of a provider, whose last argument are properties; its errors name keys, or arguments if the
    properties have `arguments`, and the cluster in commands."""

    @functools.wraps(operation)
    def run(provider: "ClusterProvider", *given: Any) -> Any:
        from traceable_kong.common.safe_text import PlainError

        try:
            return operation(provider, *given)
        except PlainError as problem:
            problem.args = (provider.wording(given[-1]).shown(str(problem)),)
            raise

    return cast(Operation, run)


class ClusterProvider(dynamic.ResourceProvider):
    """`kubeconfig`, `context` and `request_seconds` are those of the stack's config, and set in the process of the
    plugin only.

    A change of one of the properties `IDENTITY` replaces the resource, a change of one in `CONTENT`, or of `cluster`,
    updates it. The old one is deleted first: it may use a TME that is removed in the same update.
    """

    IDENTITY: ClassVar[tuple[str, ...]]
    CONTENT: ClassVar[tuple[str, ...]]

    kubeconfig: str | None = None
    context: str | None = None
    request_seconds: float = 0

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        import sys

        from traceable_kong.common.quick_exit import skip_last_collection
        from traceable_kong.config.provider_options import provider_arguments

        self.kubeconfig = req.config.get("kubernetes:kubeconfig")
        self.context = req.config.get("kubernetes:context")
        settings = req.config.get("kubernetes:kubeClientSettings")
        self.request_seconds = request_seconds(provider_arguments({"kubeClientSettings": settings} if settings else {}))
        # The engine waits until the plugin has ended, and the plugin runs nothing but this program's providers.
        skip_last_collection()
        # The plugin prints the traceback of every error; the errors of this program are one line for people.
        sys.tracebacklimit = 0

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        replaces = [key for key in self.IDENTITY if _olds.get(key) != _news.get(key)]
        # Refreshing and deleting use what the last update has written.
        changed = any(_olds.get(key) != _news.get(key) for key in (*self.CONTENT, "cluster"))
        return dynamic.DiffResult(changes=changed or bool(replaces), replaces=replaces, delete_before_replace=True)

    def wording(self, props: Mapping[str, Any]) -> Wording:
        from traceable_kong.config.python_spelling import python_spelling

        arguments, options = props.get("arguments") or {}, self._cluster(props).command_options
        spelled = python_spelling if arguments.get("python") else str
        return Wording(options=options, component=arguments.get("component"), spelled=spelled)

    def _cluster(self, props: Mapping[str, Any]) -> ClusterTarget:
        own = props.get("cluster")
        seconds = own.get("requestSeconds") if own else self.request_seconds
        return ClusterTarget(
            kubeconfig=(own["kubeconfig"] if own else self.kubeconfig) or None,
            context=(own["context"] if own else self.context) or None,
            # The stack's config does not tell a plugin whether it is encrypted.
            secret=bool(own["secret"]) if own else True,
            provider={"kube_client_settings": {"timeout": seconds}},
        )

    def _api(self, props: Mapping[str, Any]) -> Any:
        return self._cluster(props).api
