"""A gateway that is installed by the manual's own steps (manual_steps.sh)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.bench_cluster import FOLDER, BenchCluster
from bench.pulumi_programs import OLD_ROCK
from local import paths, rock

SCRIPT = Path(__file__).with_name("manual_steps.sh")

INSTALL = ("agent", "files", "kong", "inject", "plugin", "check")
TO_ASYNC = ("plugin", "check", "eject")
TO_SYNC = ("inject", "plugin", "check")
UPGRADE = ("files", "kong", "check", "old_files")
UNINSTALL = ("remove_kong", "remove_agent")
WITHOUT_AGENT = ("files", "kong", "plugin", "check")
UNINSTALL_WITHOUT_AGENT = ("remove_kong",)


@dataclass(frozen=True, kw_only=True)
class ManualGateway:
    """Its namespace, release, ingress class and plugin have one name."""

    cluster: BenchCluster
    name: str
    async_endpoint: str = "http://agent.traceable:5442"

    def command(self, *steps: str) -> tuple[str, ...]:
        return (str(SCRIPT), *steps)

    def environment(self, *, mode: str = "sync", version: str = OLD_ROCK, old: str = "") -> Mapping[str, str]:
        """The choices of the person who types the steps; `old` is the version that an upgrade replaces."""
        files, charts = f"kong-plugin-traceable-{version}", self.cluster.platform.charts
        values = FOLDER / f"values-{self.name}-{version}.yaml"
        values.write_text(
            yaml.safe_dump(
                {
                    "proxy": {"type": "NodePort"},
                    "ingressController": {"ingressClass": self.name},
                    "plugins": {"configMaps": [{"name": files, "pluginName": "traceable"}]},
                }
            )
        )
        return {
            **self.cluster.environment,
            "AGENT_CHART": str(charts / "traceable-agent"),
            "AGENT_TOKEN": "a token",
            "KONG_CHART": str(charts / "kong"),
            "KONG_NAMESPACE": self.name,
            "KONG_RELEASE": self.name,
            "INGRESS_CLASS": self.name,
            "PLUGIN": self.name,
            "KONG_VALUES": str(values),
            "FILES": files,
            "OLD_FILES": f"kong-plugin-traceable-{old}",
            "ROCK_URL": rock.make(paths.ROCKS, version=version).as_uri(),
            "MODE": mode,
            "ASYNC_ENDPOINT": self.async_endpoint,
        }
