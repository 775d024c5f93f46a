"""Somebody else's Kong for a stack: installed by hand with Helm, with two custom plugins of its owner's."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from tests.live.setups import EXISTING_KONG, follow
from tests.live.stack import CommandFailed, LiveStack

HANDLER = 'return { PRIORITY = 1000, VERSION = "1.0.0" }'
SCHEMA = 'return {{ name = "{name}", fields = {{ {{ config = {{ type = "record", fields = {{}} }} }} }} }}'
PLUGINS = ("foo", "bar")


@dataclass
class Owner:
    """The owner of the gateway of `stack`, whose names are those that the stack's own would have."""

    stack: LiveStack

    def install(self, **values: Any) -> None:
        """Namespace, plugins and release; the stack follows docs/existing-kong.md, with the names of this release."""
        stack = self.stack
        stack.kubectl("create", "namespace", stack.kong_namespace)
        for name in PLUGINS:
            files = {"handler.lua": HANDLER, "schema.lua": SCHEMA.format(name=name)}
            literals = [f"--from-literal={file}={text}" for file, text in files.items()]
            stack.kubectl("create", "configmap", name, "--namespace", stack.kong_namespace, *literals)
        self.upgrade("--wait", "--timeout", "60s", **values)
        follow(
            stack,
            EXISTING_KONG,
            kong__namespace=stack.kong_namespace,
            kong__deployment=stack.gateway.deployment,
            kong__ingressClass=stack.name,
        )

    def upgrade(self, *options: str, **values: Any) -> None:
        everything = {
            "proxy": {"type": "NodePort"},
            "plugins": {"configMaps": [{"name": name, "pluginName": name} for name in PLUGINS]},
            "ingressController": {"ingressClass": self.stack.name},
            **values,
        }
        self.stack._run(
            [
                *("helm", "upgrade", "--install", self.stack.name, str(self.stack.platform.charts / "kong")),
                *("--namespace", self.stack.kong_namespace, "--values", "-", *options),
            ],
            stdin=yaml.safe_dump(everything),
        )

    def template(self) -> dict[str, Any]:
        """The Deployment's raw pod template."""
        return dict(self._deployment()["spec"]["template"])

    def annotations(self) -> dict[str, str]:
        return dict(self._deployment()["metadata"]["annotations"])

    def variable(self, name: str) -> str | None:
        """What Kong's container has in the template."""
        kong = next(item for item in self.template()["spec"]["containers"] if item["name"] == "proxy")
        return next((item.get("value") for item in kong["env"] if item["name"] == name), None)

    def change_variable(self, name: str, value: str) -> None:
        deployment = f"deployment/{self.stack.gateway.deployment}"
        where = ("--namespace", self.stack.kong_namespace)
        self.stack.kubectl("set", "env", deployment, *where, "--containers", "proxy", f"{name}={value}")

    @contextmanager
    def writing_back(self, manager: str) -> Iterator[None]:
        """Meanwhile the pod template is put back whenever it is another, as an operator does it."""
        template, over = self.template(), threading.Event()
        patch = json.dumps([{"op": "replace", "path": "/spec/template", "value": template}])
        deployment = ("deployment", self.stack.gateway.deployment, "--namespace", self.stack.kong_namespace)

        def write_back() -> None:
            while not over.wait(0.2):
                if self.template() != template:
                    self.stack.kubectl(
                        "patch", *deployment, "--type=json", "--patch", patch, f"--field-manager={manager}"
                    )

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write_back)
            try:
                yield
            finally:
                over.set()
                writing.result()

    def remove(self) -> None:
        for command in (
            ["helm", "uninstall", self.stack.name, "--namespace", self.stack.kong_namespace],
            ["kubectl", "delete", "namespace", self.stack.kong_namespace, "--wait=false"],
        ):
            try:
                self.stack._run(command)
            except CommandFailed as problem:
                assert "not found" in str(problem)

    def _deployment(self) -> dict[str, Any]:
        where = ("--namespace", self.stack.kong_namespace, "--output", "json")
        return dict(json.loads(self.stack.kubectl("get", "deployment", self.stack.gateway.deployment, *where)))
