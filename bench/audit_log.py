"""The requests that the measured commands send, by verb, from the API server's audit log.

The policy logs one user, whom only the measured commands use, and each request when it is received, so that a watch
counts when it begins (https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/).
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

USER = "system:serviceaccount:default:bench"

POLICY = f"""apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted, ResponseComplete, Panic]
rules:
  - {{level: Metadata, users: ["{USER}"]}}
  - {{level: None}}
"""


class AuditLog:
    """Reads what was added to the log."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._position = 0

    def skip(self) -> None:
        """Ignores everything up to now."""
        self._position = self._file.stat().st_size if self._file.exists() else 0

    def requests(self) -> dict[str, int]:
        """The requests since the last call, by verb."""
        if not self._file.exists():
            return {}
        with self._file.open("rb") as log:
            log.seek(self._position)
            added = log.read()
        complete = added[: added.rfind(b"\n") + 1]
        self._position += len(complete)
        return by_verb(complete.decode().splitlines())


def by_verb(lines: Iterable[str]) -> dict[str, int]:
    """Counts audit events: by the verb of an object's request, `discovery` for others, and `dry run` for those."""
    count: Counter[str] = Counter()
    for line in lines:
        event = json.loads(line)
        if "dryRun=All" in event["requestURI"]:
            count["dry run"] += 1
        elif event.get("objectRef", {}).get("subresource") == "portforward":
            count["port-forward"] += 1
        elif event.get("objectRef", {}).get("resource"):
            count[event["verb"]] += 1
        else:
            count["discovery"] += 1
    return dict(sorted(count.items()))
