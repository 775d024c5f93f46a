"""What one run of the bench measures, in order. The cluster is fresh, and is removed at the end."""

import time
from collections.abc import Sequence
from pathlib import Path

from bench import machine, manual_gateway, measured_command, records, unrelated_objects
from bench.bench_cluster import FOLDER, BenchCluster
from bench.manual_gateway import ManualGateway
from bench.measuring import Bench
from bench.rounds import Contestants, contestants, measure_changes, measure_nothing_to_do
from bench.works import DESTROY, INSTALL, NOTHING_TO_DO, TO_ASYNC, TO_SYNC, UPGRADE

SETTLE_SECONDS = 10
"""How long the cluster's own processes get after many objects were created or deleted."""

EXTERNAL_AGENT = "http://agent.example:5442"
"""The other gateways report to an agent outside of the cluster: the measured one comes and goes."""


def run(results: Path, *, rounds: int, gateways: Sequence[int], pods: Sequence[int], unrelated: int) -> None:
    """Writes the records to `results`, which is replaced. An empty list, or 0 unrelated objects, leaves a part out."""
    cluster = BenchCluster()
    try:
        plugins = cluster.platform.plugins
        results.write_text(records.header(machine.describe(provider=plugins["kubernetes"])))
        bench = Bench(cluster=cluster, results=results, setting={"gateways": 1, "pods": 1, "unrelated": 0})
        found = contestants(bench)
        if 1 in gateways:
            measure_changes(bench, found, rounds, (INSTALL, *NOTHING_TO_DO, UPGRADE, TO_ASYNC, TO_SYNC, DESTROY))
        _measure_pods(bench, found, [count for count in pods if count > 1], rounds)
        if unrelated:
            print(f"creating {unrelated} pods, ConfigMaps and Secrets", flush=True)
            unrelated_objects.create(cluster.platform.kubeconfig, unrelated)
        _measure_gateways(bench.with_setting(unrelated=unrelated), found, sorted(gateways), rounds)
    finally:
        cluster.stop()


def _measure_pods(bench: Bench, found: Contestants, pods: Sequence[int], rounds: int) -> None:
    program = found.program
    for count in pods:
        print(f"a gateway with {count} pods", flush=True)
        program.configure(kongValues={"proxy": {"type": "NodePort"}, "replicaCount": count})
        program.pulumi("up", "--yes", "--skip-preview")
        time.sleep(SETTLE_SECONDS)
        measure_nothing_to_do(bench.with_setting(pods=count), found, rounds)
    if pods:
        program.pulumi("destroy", "--yes", "--skip-preview")
        program.configure(kongValues={"proxy": {"type": "NodePort"}})


def _measure_gateways(bench: Bench, found: Contestants, gateways: Sequence[int], rounds: int) -> None:
    """Beside other gateways: first nothing to do with each number of them, then changes."""
    others = _OtherGateways(bench.cluster)
    found.program.pulumi("up", "--yes", "--skip-preview")
    for count in gateways:
        others.set_number(count - 1)
        time.sleep(SETTLE_SECONDS)
        measure_nothing_to_do(bench.with_setting(gateways=count), found, rounds)
    found.program.pulumi("destroy", "--yes", "--skip-preview")
    for count in reversed([count for count in gateways if count > 1]):
        others.set_number(count - 1)
        measure_changes(bench.with_setting(gateways=count), found, rounds, (INSTALL, TO_ASYNC, DESTROY))


class _OtherGateways:
    """The gateways beside the measured one, installed by the manual's own steps, in async."""

    def __init__(self, cluster: BenchCluster) -> None:
        self._cluster = cluster
        self._found: list[ManualGateway] = []

    def set_number(self, number: int) -> None:
        """Installs or uninstalls gateways until this number exists."""
        while len(self._found) < number:
            name = f"other-{len(self._found) + 1}"
            print(f"installing the gateway {name}", flush=True)
            gateway = ManualGateway(cluster=self._cluster, name=name, async_endpoint=EXTERNAL_AGENT)
            self._run(gateway, *manual_gateway.WITHOUT_AGENT)
            self._found.append(gateway)
        while len(self._found) > number:
            self._run(self._found.pop(), *manual_gateway.UNINSTALL_WITHOUT_AGENT)

    def _run(self, gateway: ManualGateway, *steps: str) -> None:
        environment = {**gateway.environment(mode="async"), "KUBECONFIG": self._cluster.admin["KUBECONFIG"]}
        measured_command.run(gateway.command(*steps), environment=environment, folder=FOLDER)
