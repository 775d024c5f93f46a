"""What is read from the output of commands, the audit log, connections and the states of a Deployment."""

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from bench import output_times
from bench.audit_log import AuditLog
from bench.byte_counter import ByteCounter
from bench.measured_command import CommandFailed, run
from bench.rollout_watch import REVISION, Rollouts
from tests.docs.program_texts import texts

UPDATE = [
    (0.0, " +  kubernetes:helm.sh/v3:Release traceable-gateway-release creating (0s) "),
    (5.0, " +  kubernetes:helm.sh/v3:Release traceable-gateway-release created (5s) "),
    (6.0, " ++ kubernetes:apps/v1:DeploymentPatch traceable-tme-pod-annotation creating (0s) "),
    (9.0, " ++ kubernetes:apps/v1:DeploymentPatch traceable-tme-pod-annotation created (3s) "),
    (9.1, " +  traceable-kong:index:Installation installation creating (0s) "),
    (11.0, " +  pulumi:pulumi:Stack traceable-kong-bench creating (9s) The verification took 1.9 s."),
    (12.0, "    The verification took 1.9 s."),
]


def test_an_update_says_how_long_it_verified() -> None:
    assert output_times.verification(UPDATE) == 1.9
    assert output_times.verification(UPDATE[:5]) is None
    assert any("The verification took " in text for text in texts())


def test_the_manual_check_is_found_by_the_names_of_the_steps() -> None:
    lines = [(0.0, "--- plugin"), (1.0, "--- check"), (3.0, "--- eject"), (4.0, "--- check")]
    assert output_times.check(lines, 4.5) == pytest.approx(2.5)
    assert output_times.check(lines[:1], 4.5) is None


def test_the_lag_is_the_longest_until_the_waiting_step_ended() -> None:
    assert output_times.rollout_lag(UPDATE, [4.8, 7.5]) == pytest.approx(1.5)
    assert output_times.rollout_lag([(3.0, 'deployment "x" successfully rolled out')], [2.5]) == pytest.approx(0.5)
    assert output_times.rollout_lag([(3.0, 'deployment "x" successfully rolled out')], [3.1]) == 0.0
    assert output_times.rollout_lag(UPDATE, []) is None


def deployment(generation: int, revision: str, *, updated: int, observed: int = 0) -> dict[str, Any]:
    return {
        "metadata": {"uid": "u", "generation": generation, "annotations": {REVISION: revision}},
        "spec": {"replicas": 2},
        "status": {
            "observedGeneration": observed or generation,
            "replicas": 2,
            "updatedReplicas": updated,
            "availableReplicas": 2,
        },
    }


def test_rollouts_are_counted_since_the_beginning_and_end_when_all_pods_are_updated() -> None:
    rollouts = Rollouts()
    rollouts.take(0.0, deployment(1, "1", updated=2))
    rollouts.begin()
    rollouts.take(1.0, deployment(1, "1", updated=2))
    rollouts.take(2.0, deployment(2, "1", updated=2, observed=1))
    rollouts.take(3.0, deployment(2, "2", updated=1))
    rollouts.take(4.0, deployment(2, "2", updated=2))
    rollouts.take(5.0, deployment(2, "2", updated=2))
    assert (rollouts.count, rollouts.completions) == (1, [4.0])


def event(verb: str, resource: str = "pods", **more: Any) -> str:
    reference = {"objectRef": {"resource": resource}} if resource else {}
    return json.dumps({"verb": verb, "requestURI": "/api", **reference, **more}) + "\n"


def test_requests_are_counted_by_verb_and_only_what_was_added(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    log = AuditLog(file)
    assert log.requests() == {}
    file.write_text(event("get"))
    log.skip()
    forward = event("create", objectRef={"resource": "pods", "subresource": "portforward"})
    dry_run = event("create", requestURI="/api/v1/pods?dryRun=All")
    with file.open("a") as added:
        added.write(event("list") + event("list") + event("get", "") + forward + dry_run + '{"verb": "incompl')
    assert log.requests() == {"discovery": 1, "dry run": 1, "list": 2, "port-forward": 1}
    with file.open("a") as added:
        added.write(event("watch").removeprefix('{"verb": "watch"').replace(', "requestURI"', 'ete", "requestURI"', 1))
    assert log.requests() == {"incomplete": 1}


def test_bytes_are_counted_in_both_directions() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = server.accept()
        connection.recv(100)
        connection.sendall(b"x" * 100_000)
        connection.close()

    threading.Thread(target=answer, daemon=True).start()
    counter = ByteCounter(server.getsockname())
    with socket.create_connection(("127.0.0.1", counter.port)) as client:
        client.sendall(b"hello")
        received = 0
        while part := client.recv(65536):
            received += len(part)
    counter.close()
    server.close()
    assert (received, counter.received, counter.sent) == (100_000, 100_000, 5)


def test_a_command_has_the_times_of_its_lines_and_the_memory_of_its_processes(tmp_path: Path) -> None:
    script = "echo a; python3 -c 'import time; x = b\"x\" * 40_000_000; sum(range(1_000_000)); time.sleep(0.3)'; echo b"
    done = run(["sh", "-c", script], environment=os.environ, folder=tmp_path, memory=True)
    (first, a), (second, b) = done.lines
    assert (a, b) == ("a", "b") and done.started <= first < second <= done.ended
    assert done.peak_bytes > 40_000_000 and done.processor_seconds > 0.01
    with pytest.raises(CommandFailed, match="why"):
        run(["sh", "-c", "echo why; exit 3"], environment=os.environ, folder=tmp_path)
