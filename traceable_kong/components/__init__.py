"""What `__main__.py` deploys, one component a file."""

from traceable_kong.components.deletion_protection import DeletionProtection
from traceable_kong.components.deployment_step import DeploymentStep, resources_of
from traceable_kong.components.existing_kong import ExistingKong
from traceable_kong.components.installation import Installation, Outputs
from traceable_kong.components.kong_gateway import KongGateway
from traceable_kong.components.kong_namespace import KongNamespace
from traceable_kong.components.kubernetes_provider import kubernetes_provider
from traceable_kong.components.managed_postgres import ManagedPostgresDatabase
from traceable_kong.components.plugin_files import PluginFiles
from traceable_kong.components.stack_id import fresh_identity, kept_identity
from traceable_kong.components.tme_guard import TmeGuard
from traceable_kong.components.tme_injection import TmeInjection
from traceable_kong.components.traceable_admin_plugin import TraceableAdminPlugin
from traceable_kong.components.traceable_agent import TraceableAgent
from traceable_kong.components.traceable_plugin import TraceablePlugin

__all__ = [
    "DeletionProtection",
    "DeploymentStep",
    "ExistingKong",
    "Installation",
    "KongGateway",
    "KongNamespace",
    "ManagedPostgresDatabase",
    "Outputs",
    "PluginFiles",
    "TmeGuard",
    "TmeInjection",
    "TraceableAdminPlugin",
    "TraceableAgent",
    "TraceablePlugin",
    "fresh_identity",
    "kept_identity",
    "kubernetes_provider",
    "resources_of",
]
