"""Stand-ins for the charts of Kong and of the agent, and the copies that the platform's stack installs.

They are ordinary charts. local/README.md describes what they have in common with the real ones.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).parent
NAMES = ("kong", "traceable-agent")

WEBHOOK_ROUTER = "webhook-router.json"
"""A file that only the published kong chart has: the URL that admission webhooks are called at, not a Service."""

CONTROLLER_WAITS = {"init_cache_sync_duration": "1s", "proxy_sync_seconds": "0.5"}
"""Defaults of `ingressController.env` in the published copy. The controller's own defaults are 5s and 3."""


def publish(destination: Path, *, injector_domain: str, injector_ca: str, router: str, router_ca: str) -> None:
    """Copies both charts into `destination`, with the addresses of this machine and shorter waits.

    So the tracked stack file needs no values that differ between machines. `injector_domain` is HOST:PORT of the
    agent's webhook, `router` the URL for the webhooks of the ingress controllers. The certificates are PEM in base64.
    Files that are already up to date are not written.
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
            is_current = published.name == WEBHOOK_ROUTER or (SOURCE / published.relative_to(destination)).exists()
            if published.is_file() and not is_current:
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
