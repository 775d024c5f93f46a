"""protected-in-production: Pulumi refuses to delete namespaces, releases and databases."""

from collections.abc import Iterator

from .registered_resource import RELEASE, Resource, message

CONSEQUENCES = {
    RELEASE: "A pulumi destroy, or a change that replaces or removes it, uninstalls what serves",
    "kubernetes:core/v1:Namespace": "A pulumi destroy, or a change that removes it, deletes everything in it",
    "kubernetes:apps/v1:StatefulSet": "A pulumi destroy, or a change that replaces or removes it, deletes its data",
}


def unprotected(resource: Resource) -> Iterator[str]:
    """A message if Pulumi would delete this resource of this project."""
    if resource.installs_traceable and resource.type in CONSEQUENCES and not resource.protect:
        key = "agent" if resource.of_agent else "kong"
        yield message(
            f"{resource} is not protected against deletion",
            CONSEQUENCES[resource.type],
            f"pulumi config set --path traceable-kong:{key}.protect true",
        )
