"""Stand-ins for the agent's and Kong's charts, and the copies of them that the platform's stack installs.

Leaves out Helm: the charts are ordinary charts. What each of them honours, and what not, is in local/README.md.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).parent
NAMES = ("kong", "traceable-agent")


WEBHOOK_ROUTER = "webhook-router.json"
"""A file of published copies of the kong chart only: where admission webhooks are called in place of a Service."""

CONTROLLER_WAITS = {"init_cache_sync_duration": "1s", "proxy_sync_seconds": "0.5"}
"""Defaults of the published copy for `ingressController.env`; the controller's own are 5s and 3."""


def publish(destination: Path, *, injector_domain: str, injector_ca: str, router: str, router_ca: str) -> None:
    """Copies both charts into `destination`, with what this machine has in place of Services and long waits.

    So the tracked stack file needs no value that differs from machine to machine. `injector_domain` is HOST:PORT of
    the agent's webhook, `router` the URL for those of the ingress controllers; the certificates are PEM in base64.
    Files that hold the same already are left alone.
    """
    changes: dict[Path, dict[str, Any]] = {
        SOURCE / "traceable-agent" / "values.yaml": {
            "injectorWebhookDomain": injector_domain,
            "injector": {"caBundle": injector_ca},
        },
        SOURCE / "kong" / "values.yaml": {"ingressController": {"env": CONTROLLER_WAITS}},
    }
    for name in NAMES:
        for source in sorted((SOURCE / name).rglob("*")):
            if source.is_file():
                content = source.read_text(encoding="utf-8")
                if source in changes:
                    content = yaml.safe_dump(_merged(yaml.safe_load(content), changes[source]), sort_keys=False)
                _write(destination / source.relative_to(SOURCE), content)
        for published in sorted((destination / name).rglob("*")):
            ours = published.name == WEBHOOK_ROUTER or (SOURCE / published.relative_to(destination)).exists()
            if published.is_file() and not ours:
                published.unlink()
    _write(destination / "kong" / WEBHOOK_ROUTER, json.dumps({"url": router, "caBundle": router_ca}))


def _merged(values: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **values,
        **{
            name: _merged(values[name], change) if isinstance(change, Mapping) else change
            for name, change in changes.items()
        },
    }


def _write(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(content, encoding="utf-8")
    temporary.replace(path)
