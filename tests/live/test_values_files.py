"""Values files of the kinds that people publish: judged by what the chart renders, and the accepted ones installed.

The Helm of the platform renders the stand-in of the kong chart; tests/live/local/test_charts.py says what that has in
common with the real one.
"""

import asyncio
import json
import subprocess
from collections.abc import Mapping
from functools import reduce
from typing import Any

import pulumi
import pytest
import yaml

from local import charts, paths
from tests.fakes.plans import plan
from tests.fakes.preflight_cluster import FakeKubernetes, text_of
from tests.live.kong_owner import HANDLER, SCHEMA
from tests.live.stack import NO_CHANGES, LiveStack, NewStack
from tests.values_files.values_file import ACCEPTED, REFUSED, ValuesFile
from traceable_kong.cluster.api_objects import NAMESPACES, secrets
from traceable_kong.common.nested_data import merged
from traceable_kong.common.safe_text import PlainError
from traceable_kong.hooks.chart_rendering import rendered_charts
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.examination import examine

pytestmark = pytest.mark.usefixtures("platform")

SECRETS = {"kong-db": "password", "kong-admin": "token"}
"""The Secrets that the files name in their `config`, with their keys."""


async def helm_template(token: str, arguments: Mapping[str, str], options: pulumi.InvokeOptions) -> dict[str, Any]:
    """The provider's invoke, with its errors, answered by the Helm CLI."""
    given = json.loads(arguments["jsonOpts"])
    command = [paths.TOOLS / "helm", "template", given["release_name"], given["path"], "--values", "-"]
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, "--namespace", given["namespace"]],
        input=json.dumps(given["values"]),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"invoke failed: failed to generate YAML for specified Helm chart: {done.stderr}")
    return {"result": [item for item in yaml.safe_load_all(done.stdout) if item]}


@pytest.fixture(autouse=True)
def renders_with_helm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.runtime, "invoke_async", helm_template)


def cluster(file: ValuesFile) -> FakeKubernetes:
    """A cluster with the namespace and the Secrets that a file's config names."""
    kube = FakeKubernetes()
    if file.config:
        kube.put(f"{NAMESPACES}/kong")
        for name, key in SECRETS.items():
            kube.put(f"{secrets('kong')}/{name}", {"data": {key: "eA=="}})
    return kube


def problems(file: ValuesFile) -> list[str]:
    """What the program says before anything is created."""
    chart = {"kong": {"chart": {"path": str(charts.SOURCE / "kong")}}}
    try:
        made = plan(kongValues=file.kong_values, **merged(chart, file.config))
    except PlainError as problem:
        return [str(problem)]
    releases = [item for item in made.releases if item.key == "kong"]
    provider: Any = None
    rendered = asyncio.run(rendered_charts(releases, provider))
    found = examine(CachedReader(cluster(file), rendered), made, live_change=False)
    return [text_of(item) for item in found.errors]


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.name)
def test_accepted(file: ValuesFile) -> None:
    assert problems(file) == []


@pytest.mark.parametrize("file", REFUSED, ids=lambda file: file.name)
def test_refused(file: ValuesFile) -> None:
    found = problems(file)
    for word in file.refused:
        assert any(word in text for text in found), f"{word!r} is in none of {found}"
    for text in found:
        assert any(word in text for word in file.refused), f"another reason than {file.refused}: {text}"


def create(stack: LiveStack, kind: str, name: str) -> None:
    """An object that a values file names; ConfigMaps and Secrets with the files of a plugin."""
    plugin = name.removeprefix("kong-plugin-")
    texts = {"handler.lua": HANDLER, "schema.lua": SCHEMA.format(name=plugin), "nginx_kong.lua": "return ''"}
    literals = [f"--from-literal={file}={text}" for file, text in texts.items()]
    words = {"configMaps": ["configmap"], "secrets": ["secret", "generic"], "serviceAccounts": ["serviceaccount"]}
    content = [] if kind == "serviceAccounts" else literals
    stack.kubectl("create", *words[kind], name, "--namespace", stack.kong_namespace, *content)


def test_accepted_files_end_in_a_verified_gateway(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.kubectl("create", "namespace", stack.kong_namespace)
    for kind, name in [(kind, name) for file in ACCEPTED for kind, names in file.needs.items() for name in names]:
        create(stack, kind, name)
    stack.update("kong", createNamespace=False)
    for run in (1, 2):
        values = [file.kong_values for file in ACCEPTED if file.run == run]
        stack.set(kongValues=reduce(merged, values, stack.configured("kongValues")))
        stack.up()
    stack.preview(NO_CHANGES)
