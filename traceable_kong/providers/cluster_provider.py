"""What the dynamic providers have in common: the cluster of the stack config, and which changes replace a resource.

Pulumi pickles a provider into the state, by the name of its class alone: it has no fields, and imports what it needs
when it runs, in the process of the plugin (https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/).
"""

from typing import Any, ClassVar

from pulumi import dynamic


class ClusterProvider(dynamic.ResourceProvider):
    """`kubeconfig`, `context` and `request_seconds` are set in the process of the plugin only.

    A change of one of the properties `IDENTITY` replaces the resource, a change of one in `CONTENT` updates it. The old
    one is deleted first: it may use a TME that is removed in the same update.
    """

    IDENTITY: ClassVar[tuple[str, ...]]
    CONTENT: ClassVar[tuple[str, ...]]

    kubeconfig: str | None = None
    context: str | None = None
    request_seconds: float = 0

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        import sys

        from traceable_kong.cluster.target import request_seconds
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
        changed = any(_olds.get(key) != _news.get(key) for key in self.CONTENT)
        return dynamic.DiffResult(changes=changed or bool(replaces), replaces=replaces, delete_before_replace=True)

    def _api(self) -> Any:
        from traceable_kong.cluster.kubeconfig import connect

        return connect(
            kubeconfig=self.kubeconfig,
            context=self.context,
            request_seconds=self.request_seconds,
            as_provider=True,
            named_by="kubernetes:kubeconfig",
            secret=True,  # Perhaps: the config of a plugin does not say.
        )
