"""The parts of a deployment, one component a file."""

from traceable_kong.components.deletion_protection import NAME as DELETION_PROTECTION
from traceable_kong.components.deletion_protection import DeletionProtection
from traceable_kong.components.deployment_step import DeploymentStep, resources_of
from traceable_kong.components.existing_kong import ExistingKong
from traceable_kong.components.installation import Installation
from traceable_kong.components.kong_gateway import KongGateway
from traceable_kong.components.kong_namespace import KongNamespace
from traceable_kong.components.kubernetes_provider import kubernetes_provider
from traceable_kong.components.managed_postgres import ManagedPostgresDatabase
from traceable_kong.components.plugin_files import PluginFiles
from traceable_kong.components.stack_id import kept_identity
from traceable_kong.components.tme_guard import TmeGuard
from traceable_kong.components.tme_injection import TmeInjection
from traceable_kong.components.traceable_admin_plugin import TraceableAdminPlugin
from traceable_kong.components.traceable_agent import TraceableAgent
from traceable_kong.components.traceable_plugin import TraceablePlugin

__all__ = [
    "DELETION_PROTECTION",
    "DeletionProtection",
    "DeploymentStep",
    "ExistingKong",
    "Installation",
    "KongGateway",
    "KongNamespace",
    "ManagedPostgresDatabase",
    "PluginFiles",
    "TmeGuard",
    "TmeInjection",
    "TraceableAdminPlugin",
    "TraceableAgent",
    "TraceablePlugin",
    "kept_identity",
    "kubernetes_provider",
    "resources_of",
]
