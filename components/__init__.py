"""What `__main__.py` deploys, one component a file."""

from components.deletion_protection import DeletionProtection
from components.deployment_step import DeploymentStep, resources_of
from components.existing_kong import ExistingKong
from components.installation import Installation, Outputs
from components.kong_gateway import KongGateway
from components.kong_namespace import KongNamespace
from components.kubernetes_provider import kubernetes_provider
from components.managed_postgres import ManagedPostgresDatabase
from components.plugin_files import PluginFiles
from components.stack_id import fresh_identity, kept_identity
from components.tme_guard import TmeGuard
from components.tme_injection import TmeInjection
from components.traceable_admin_plugin import TraceableAdminPlugin
from components.traceable_agent import TraceableAgent
from components.traceable_plugin import TraceablePlugin

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
