"""Holds a write to the cluster open for as long as a test needs it: a kill in between does not have to be quick.

The API server asks a webhook before it writes; ours takes the connection and never answers.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.live.stack import LiveStack

LONGEST_SECONDS = 30
"""What an API server waits for a webhook at most, and then refuses the write."""


@contextmanager
def helm_held_before_it_ends(stack: LiveStack) -> Iterator[None]:
    """A Helm that upgrades Kong is held in `pending-upgrade`.

    It makes the record of the new revision, does its work, and only then changes the records; that change waits here.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = f"{stack.name}-held"
        stack.apply(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": name},
                "webhooks": [
                    {
                        "name": "held.live-tests.example.com",
                        "clientConfig": {"url": f"https://127.0.0.1:{silent.getsockname()[1]}/"},
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stack.kong_namespace}},
                        "objectSelector": {"matchLabels": {"owner": "helm"}},
                        "rules": [
                            {
                                "apiGroups": [""],
                                "apiVersions": ["v1"],
                                "resources": ["secrets"],
                                "operations": ["UPDATE"],
                            }
                        ],
                        "failurePolicy": "Fail",
                        "timeoutSeconds": LONGEST_SECONDS,
                        "sideEffects": "None",
                        "admissionReviewVersions": ["v1"],
                    }
                ],
            }
        )
        try:
            yield
        finally:
            stack.kubectl("delete", "validatingwebhookconfiguration", name)
