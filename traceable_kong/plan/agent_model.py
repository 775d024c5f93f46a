"""The Traceable agent: managed by this stack, existing in the cluster, or external."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from traceable_kong.cluster.agent_objects import agent_endpoint, injector_webhook
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.image_references import ImageReference
from traceable_kong.helm_values.agent_values import tme_image_of
from traceable_kong.plan.release_model import HelmRelease


@dataclass(frozen=True, kw_only=True)
class ManagedAgent:
    """An agent that this stack installs.

    `token` is what the stack writes to `token_secret`; None where that Secret exists and is not managed by this stack.
    """

    release: HelmRelease
    create_namespace: bool
    token: SecretStr | None = field(repr=False)
    token_secret: SecretKey

    @property
    def namespace(self) -> str:
        return self.release.namespace

    @property
    def endpoint(self) -> str:
        return agent_endpoint(self.namespace)

    @property
    def tme_image(self) -> ImageReference:
        return tme_image_of(self.release.values)

    @property
    def injector_webhook(self) -> str | None:
        """The injector's MutatingWebhookConfiguration, None where the injector is off."""
        return (
            injector_webhook(self.namespace) if self.release.values.get("injectorEnabled", True) is not False else None
        )

    @property
    def webhook_domain(self) -> str | None:
        """The chart value `injectorWebhookDomain`; None where this stack does not decide it."""
        domain = self.release.values.get("injectorWebhookDomain")
        if not domain:
            return None if self.release.chart.path else ""  # a chart in a folder may have a default of its own
        return str(domain)


@dataclass(frozen=True, kw_only=True)
class ExistingAgent:
    """An agent in the cluster that is not managed by this stack."""

    namespace: str
    tme_image_configured: bool

    @property
    def endpoint(self) -> str:
        return agent_endpoint(self.namespace)

    @property
    def injector_webhook(self) -> str:
        return injector_webhook(self.namespace)


@dataclass(frozen=True, kw_only=True)
class ExternalAgent:
    """An agent outside the cluster; `endpoint` is its URL."""

    endpoint: str


ClusterAgent = ManagedAgent | ExistingAgent


Agent = ClusterAgent | ExternalAgent
