"""A connection to the cluster that a kubeconfig names."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException

from traceable_kong.cluster.kubernetes_client import (
    KubernetesClient,
    Unreachable,
)
from traceable_kong.common.safe_text import kind_of


def is_text(kubeconfig: str) -> bool:
    """True for the text of a kubeconfig, False for a path."""
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")


def connect(*, kubeconfig: str | None = None, context: str | None = None) -> KubernetesClient:
    """The cluster of a kubeconfig: a path, or its whole text; KUBECONFIG and ~/.kube/config where it is None.

    `context` is the current one where it is None. Raises Unreachable where there is no such configuration; its text has
    nothing in it that stands there, not even the path: a kubeconfig that lost its line breaks looks like one.
    """
    _hide_what_plugins_say()
    configuration = client.Configuration()
    try:
        if kubeconfig and is_text(kubeconfig):
            config.load_kube_config_from_dict(
                yaml.safe_load(kubeconfig), context=context, client_configuration=configuration, persist_config=False
            )
        else:
            _load_files(kubeconfig, context, configuration)
        return KubernetesClient(configuration)
    except Exception as problem:
        # Whatever the libraries make of something that is no kubeconfig.
        raise Unreachable(f"no usable kubeconfig: {_what_is_wrong(problem)}") from None


def _what_is_wrong(problem: Exception) -> str:
    if not isinstance(problem, ConfigException):
        return kind_of(problem)
    for beginning, meaning in _CONFIG_PROBLEMS:
        if beginning in str(problem):
            return meaning
    return "it is not one, or there is none"


_CONFIG_PROBLEMS = (
    ("object with name", "the context that is asked for, or its cluster, is not in it"),
    ("Expected", "a key that it needs is missing, or of another form"),
    ("File does not exist", "a file that it names is missing"),
)
"""What is in the client's own texts (kubernetes 37.0.2, config/kube_config.py), beside names and paths of the user."""


def _hide_what_plugins_say() -> None:
    """The client logs what a kubeconfig's login plugin wrote, to the terminal, and goes on without a login."""
    logging.getLogger().addFilter(_without_details)


def _without_details(record: logging.LogRecord) -> bool:
    if Path(record.pathname).name == "kube_config.py":
        record.msg, record.args = "the login plugin (exec) of the kubeconfig gave no credentials", ()
    return True


def _load_files(kubeconfig: str | None, context: str | None, configuration: Any) -> None:
    paths = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    try:
        config.load_kube_config(
            config_file=paths,
            context=context or _current_context(paths),
            client_configuration=configuration,
            persist_config=False,
        )
    except ConfigException:
        if kubeconfig or context:
            raise
        # In a pod, with neither: the pod's own service account.
        config.load_incluster_config(client_configuration=configuration)


def _current_context(paths: str) -> str | None:
    """The first that several files name, as kubectl has it; the client would take the last.

    Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/.
    """
    for path in paths.split(os.pathsep):
        with suppress(OSError):
            found = (yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8")) or {}).get("current-context")
            if found:
                return str(found)
    return None
