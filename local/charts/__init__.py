"""Stand-ins for the agent's and Kong's charts, and the copies of them that the platform's stack installs.

Leaves out Helm: the charts are ordinary charts. What each of them honours, and what not, is in local/README.md.
"""

from pathlib import Path

import yaml

SOURCE = Path(__file__).parent
NAMES = ("kong", "traceable-agent")


def publish(destination: Path, *, injector_domain: str, ca_bundle: str) -> None:
    """Copies both charts into `destination`, with this machine's injector as the agent chart's default.

    So the tracked stack file needs no value that differs from machine to machine. `injector_domain` is HOST:PORT,
    `ca_bundle` PEM in base64. Files that hold the same already are left alone.
    """
    for name in NAMES:
        for source in sorted((SOURCE / name).rglob("*")):
            if source.is_file():
                content = source.read_text(encoding="utf-8")
                if source == SOURCE / "traceable-agent" / "values.yaml":
                    content = _with_injector(content, injector_domain, ca_bundle)
                _write(destination / source.relative_to(SOURCE), content)
        for published in sorted((destination / name).rglob("*")):
            if published.is_file() and not (SOURCE / published.relative_to(destination)).exists():
                published.unlink()


def _with_injector(values: str, injector_domain: str, ca_bundle: str) -> str:
    document = yaml.safe_load(values)
    document["injectorWebhookDomain"] = injector_domain
    document["injector"]["caBundle"] = ca_bundle
    return yaml.safe_dump(document, sort_keys=False)


def _write(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(content, encoding="utf-8")
    temporary.replace(path)
