"""An existing Kong for a stack: its owner installed it with Helm, with two custom plugins."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from tests.live.commands import CommandFailed
from tests.live.documented_stacks import EXISTING_KONG, use_documented
from tests.live.stack import LiveStack

HANDLER = 'return { PRIORITY = 1000, VERSION = "1.0.0" }'
SCHEMA = 'return {{ name = "{name}", fields = {{ {{ config = {{ type = "record", fields = {{}} }} }} }} }}'
PLUGINS = ("foo", "bar")


@dataclass
class KongOwner:
    """The owner of Kong, whose release and namespace have the names that a Kong of `stack` would have."""

    stack: LiveStack

    def create(self, **values: Any) -> None:
        """Installs Kong."""
        stack = self.stack
        stack.kubectl("create", "namespace", stack.kong_namespace)
        for name in PLUGINS:
            files = {"handler.lua": HANDLER, "schema.lua": SCHEMA.format(name=name)}
            literals = [f"--from-literal={file}={text}" for file, text in files.items()]
            stack.kubectl("create", "configmap", name, "--namespace", stack.kong_namespace, *literals)
        self.upgrade("--wait", "--timeout", "60s", **values)

    def install(self, **values: Any) -> None:
        """Installs Kong and points the stack at it, with the stack file of docs/existing-kong.md."""
        stack = self.stack
        self.create(**values)
        use_documented(
            stack,
            EXISTING_KONG,
            kong__namespace=stack.kong_namespace,
            kong__deployment=stack.gateway.deployment,
            kong__ingressClass=stack.name,
        )

    def upgrade(self, *options: str, **values: Any) -> None:
        merged = {
            "proxy": {"type": "NodePort"},
            "plugins": {"configMaps": [{"name": name, "pluginName": name} for name in PLUGINS]},
            "ingressController": {"ingressClass": self.stack.name},
            **values,
        }
        self.stack.helm(
            *("upgrade", "--install", self.stack.name, str(self.stack.platform.charts / "kong")),
            *("--namespace", self.stack.kong_namespace, "--values", "-", *options),
            stdin=yaml.safe_dump(merged),
        )

    def template(self) -> dict[str, Any]:
        """The Deployment's pod template."""
        return dict(self._deployment()["spec"]["template"])

    def annotations(self) -> dict[str, str]:
        return dict(self._deployment()["metadata"]["annotations"])

    def mounted_files(self) -> set[str]:
        """The ConfigMaps that the template mounts, without those of the owner's plugins."""
        mounted = {item["configMap"]["name"] for item in self.template()["spec"]["volumes"] if "configMap" in item}
        return mounted - set(PLUGINS)

    def variable(self, name: str) -> str | None:
        """The value of a variable of Kong's container in the template."""
        kong = next(item for item in self.template()["spec"]["containers"] if item["name"] == "proxy")
        return next((item.get("value") for item in kong["env"] if item["name"] == name), None)

    def set_variable(self, name: str, value: str) -> None:
        deployment = f"deployment/{self.stack.gateway.deployment}"
        namespace = ("--namespace", self.stack.kong_namespace)
        self.stack.kubectl("set", "env", deployment, *namespace, "--containers", "proxy", f"{name}={value}")

    @contextmanager
    def reverting_changes(self, manager: str) -> Iterator[None]:
        """Reverts every change of the pod template meanwhile, as an operator does."""
        template, ended = self.template(), threading.Event()
        patch = json.dumps([{"op": "replace", "path": "/spec/template", "value": template}])
        deployment = ("deployment", self.stack.gateway.deployment, "--namespace", self.stack.kong_namespace)

        def revert() -> None:
            while not ended.wait(0.2):
                if self.template() != template:
                    self.stack.kubectl(
                        "patch", *deployment, "--type=json", "--patch", patch, f"--field-manager={manager}"
                    )

        with ThreadPoolExecutor(1) as pool:
            reverting = pool.submit(revert)
            try:
                yield
            finally:
                ended.set()
                reverting.result()

    def remove(self) -> None:
        for command in (
            ["helm", "uninstall", self.stack.name, "--namespace", self.stack.kong_namespace],
            ["kubectl", "delete", "namespace", self.stack.kong_namespace, "--wait=false"],
        ):
            try:
                self.stack.run(*command)
            except CommandFailed as problem:
                assert "not found" in str(problem)

    def _deployment(self) -> dict[str, Any]:
        namespace = ("--namespace", self.stack.kong_namespace, "--output", "json")
        return dict(json.loads(self.stack.kubectl("get", "deployment", self.stack.gateway.deployment, *namespace)))
