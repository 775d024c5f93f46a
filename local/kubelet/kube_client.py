"""A client for the cluster's API server, with the kubeconfig that kwokctl writes. Objects are dictionaries.

The official client takes half a second to import, and every process of the platform starts with this one.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml

CONNECTIONS = 64
TIMEOUT_SECONDS = 15
WATCH_SECONDS = 240

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

Object = dict[str, Any]


class ApiError(Exception):
    """An error response of the API server with its message. The code is 0 if there is no response."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class KubeClient:
    """One connection. Safe to use from several threads."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self.host = str(cluster["server"])
        self.ca_file = str(cluster["certificate-authority"])
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            ca_certs=self.ca_file,
            cert_file=user["client-certificate"],
            key_file=user["client-key"],
        )

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        *,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Object:
        """Sends one request and returns the object. Raises ApiError."""
        try:
            answer = self._pool.request(
                method,
                self.host + path,
                body=None if body is None else json.dumps(body),
                headers={"Accept": "application/json", "Content-Type": content_type},
                timeout=timeout,
            )
        except urllib3.exceptions.HTTPError as problem:
            raise ApiError(0, f"the API server does not answer: {problem}") from problem
        if answer.status >= 400:
            raise ApiError(answer.status, _message(answer.data))
        return dict(json.loads(answer.data or b"{}"))

    def watch(self, path: str) -> Iterator[tuple[str, Object]]:
        """Yields the list first, then its changes until the server ends the watch.

        The events are ("LISTED", list) and ("ADDED" | "MODIFIED" | "DELETED", object). The next call starts with a new
        list, so no change is missed.
        """
        listed = self.request("GET", path)
        yield "LISTED", listed
        query: Mapping[str, str] = {
            "watch": "true",
            "resourceVersion": listed["metadata"]["resourceVersion"],
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        answer = self._pool.request(
            "GET",
            f"{self.host}{path}?{urlencode(query)}",
            preload_content=False,
            timeout=urllib3.Timeout(connect=TIMEOUT_SECONDS, read=WATCH_SECONDS + TIMEOUT_SECONDS),
        )
        try:
            for line in _lines(answer):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]
        finally:
            answer.close()


def _lines(answer: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in answer.stream(amt=None):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)


def _message(body: bytes) -> str:
    """The message of an error response: a Status, or for a kind that the server does not have, plain text."""
    try:
        return str(json.loads(body).get("message"))
    except ValueError:
        return body.decode(errors="replace").strip()
