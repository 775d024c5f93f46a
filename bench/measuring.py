"""Measures one command or one operation, and records it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench import output_times, records
from bench.bench_cluster import BenchCluster
from bench.measured_command import Ran, run
from bench.records import COUNTED, Actor, Record, Traffic
from bench.rollout_watch import RolloutWatch


@dataclass(frozen=True, kw_only=True)
class Bench:
    """`setting` is what each record says about the cluster: how many gateways, pods and unrelated objects."""

    cluster: BenchCluster
    results: Path
    setting: Mapping[str, int]

    def with_setting(self, **setting: int) -> "Bench":
        return replace(self, setting={**self.setting, **setting})

    def start_round(self, number: int) -> None:
        self.cluster.count_bytes(number == COUNTED)

    def command(
        self,
        work: str,
        actor: Actor,
        number: int,
        command: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        gateway: tuple[str, str] | None = None,
    ) -> None:
        """Runs and records a command. `gateway` is the namespace and name of the Deployment that it changes."""
        cluster, rollouts, lag = self.cluster, None, None
        cluster.audit_log.skip()
        cluster.bytes.reset()
        measure = partial(
            run,
            command,
            environment=environment or cluster.environment,
            folder=folder,
            memory=number == COUNTED,
        )
        if gateway:
            with RolloutWatch(cluster.platform.kubeconfig, *gateway) as watched:
                ran = measure()
            rollouts, lag = watched.count, output_times.rollout_lag(ran.lines, watched.completions)
        else:
            ran = measure()
        record = Record(
            work=work,
            actor=actor,
            round=number,
            seconds=ran.seconds,
            processor_seconds=ran.processor_seconds,
            checking=output_times.check(ran.lines, ran.ended)
            if actor == "manual"
            else output_times.verification(ran.lines),
            rollouts=rollouts,
            lag=lag,
            traffic=self._traffic(ran) if number == COUNTED else None,
            **self.setting,
        )
        records.append(self.results, record)
        print(f"  {work}, {actor}: {record.seconds:.1f} s", flush=True)

    def _traffic(self, ran: Ran) -> Traffic:
        cluster = self.cluster
        return Traffic(
            requests=cluster.audit_log.requests(),
            received_bytes=cluster.bytes.received,
            sent_bytes=cluster.bytes.sent,
            peak_bytes=ran.peak_bytes,
        )
