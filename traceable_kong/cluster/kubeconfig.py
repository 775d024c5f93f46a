"""Connects to the cluster that a kubeconfig names."""

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
    """A client for a kubeconfig: a path or its text; None for KUBECONFIG and ~/.kube/config.

    `context` None is the current one. Raises Unreachable for a kubeconfig that cannot be used. The error shows nothing
    of it, not even the path: a kubeconfig that lost its line breaks looks like one.
    """
    _hide_plugin_output()
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
        # The libraries raise many types for a text that is not a kubeconfig.
        raise Unreachable(f"no usable kubeconfig: {_problem_of(problem)}") from None


def _problem_of(problem: Exception) -> str:
    if not isinstance(problem, ConfigException):
        return kind_of(problem)
    for beginning, meaning in _CONFIG_PROBLEMS:
        if beginning in str(problem):
            return meaning
    return "it does not exist, or is not a kubeconfig"


_CONFIG_PROBLEMS = (
    ("object with name", "it does not have the context, or the context's cluster"),
    ("Expected", "a required key is missing or has the wrong form"),
    ("File does not exist", "a file that it names does not exist"),
)
"""Parts of the client's own texts (kubernetes 37.0.2, config/kube_config.py), which also have names and paths."""


def _hide_plugin_output() -> None:
    """Keeps the output of a login plugin off the terminal: the client logs it and continues without a login."""
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
        # Inside a pod, without a kubeconfig: the pod's service account.
        config.load_incluster_config(client_configuration=configuration)


def _current_context(paths: str) -> str | None:
    """The first of several files that names a context, as kubectl does; the client would use the last.

    Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/.
    """
    for path in paths.split(os.pathsep):
        with suppress(OSError):
            found = (yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8")) or {}).get("current-context")
            if found:
                return str(found)
    return None
