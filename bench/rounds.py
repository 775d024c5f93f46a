"""The rounds: every command beside its counterparts, once in each round, so that a busy machine slows all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import manual_gateway, works
from bench.manual_gateway import ManualGateway
from bench.measuring import Bench
from bench.pulumi_programs import (
    CONFIGMAP,
    EMPTY,
    KONG_NAMESPACE,
    KONG_RELEASE,
    NEW_ROCK,
    OLD_ROCK,
    PulumiProgram,
    plugin_config,
    small_program,
    this_program,
)
from bench.records import COUNTED, Actor
from local import paths

PREVIEW = ("preview",)
UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")
MANUAL_NAMESPACE = "manual"


@dataclass(frozen=True, kw_only=True)
class Contestants:
    """The programs and the person who are compared. Only one of `program` and `manual` is installed at a time."""

    small: dict[Actor, PulumiProgram]
    program: PulumiProgram
    manual: ManualGateway


def contestants(bench: Bench) -> Contestants:
    cluster = bench.cluster
    return Contestants(
        small={
            "empty": small_program(cluster, "empty", EMPTY),
            "configmap": small_program(cluster, "configmap", CONFIGMAP),
        },
        program=this_program(cluster),
        manual=ManualGateway(cluster=cluster, name=MANUAL_NAMESPACE),
    )


def measure_changes(bench: Bench, found: Contestants, rounds: int, names: Sequence[str]) -> None:
    """What has these names, in this order, by the program and by the manual's steps in turn."""
    for number in range(COUNTED, rounds + 1):
        print(f"{bench.setting['gateways']} gateway(s), round {number} of {rounds}", flush=True)
        bench.start_round(number)
        turns = [_program_round, _manual_round]
        for turn in turns if number % 2 else reversed(turns):
            turn(bench, found, number, names)


def measure_nothing_to_do(bench: Bench, found: Contestants, rounds: int) -> None:
    """Preview, `up` and `verify.py` of the program, which is deployed, beside the small programs."""
    for number in range(COUNTED, rounds + 1):
        print(f"{dict(bench.setting)}, nothing to do, round {number} of {rounds}", flush=True)
        bench.start_round(number)
        _nothing_to_do(bench, found, number, works.NOTHING_TO_DO)


def _nothing_to_do(bench: Bench, found: Contestants, number: int, names: Sequence[str]) -> None:
    programs: dict[Actor, PulumiProgram] = {**found.small, "program": found.program}
    for work in names:
        if work == works.VERIFY:
            verify = (str(paths.VENV_BIN / "python"), "verify.py", "--namespace", KONG_NAMESPACE)
            bench.command(work, "program", number, verify, found.program.folder)
        else:
            for actor, program in programs.items():
                command = program.command(*(PREVIEW if work == works.PREVIEW else UP))
                bench.command(work, actor, number, command, program.folder)


def _program_round(bench: Bench, found: Contestants, number: int, names: Sequence[str]) -> None:
    program, gateway = found.program, (KONG_NAMESPACE, f"{KONG_RELEASE}-kong")
    config: dict[str, dict[str, Any]] = {
        works.INSTALL: {"plugin": plugin_config(OLD_ROCK), "mode": "sync"},
        works.UPGRADE: {"plugin": plugin_config(NEW_ROCK)},
        works.TO_ASYNC: {"mode": "async"},
        works.TO_SYNC: {"mode": "sync"},
    }
    for work in names:
        if work in works.NOTHING_TO_DO:
            _nothing_to_do(bench, found, number, [work])
        else:
            program.configure(**config.get(work, {}))
            command = program.command(*(DESTROY if work == works.DESTROY else UP))
            bench.command(work, "program", number, command, program.folder, gateway=gateway)


def _manual_round(bench: Bench, found: Contestants, number: int, names: Sequence[str]) -> None:
    manual, gateway = found.manual, (found.manual.name, f"{found.manual.name}-kong")

    steps = {
        works.INSTALL: (manual_gateway.INSTALL, manual.environment()),
        works.UPGRADE: (manual_gateway.UPGRADE, manual.environment(version=NEW_ROCK, old=OLD_ROCK)),
        works.TO_ASYNC: (manual_gateway.TO_ASYNC, manual.environment(mode="async")),
        works.TO_SYNC: (manual_gateway.TO_SYNC, manual.environment()),
        works.DESTROY: (manual_gateway.UNINSTALL, manual.environment()),
    }
    for work in [name for name in names if name in steps]:
        words, environment = steps[work]
        command = manual.command(*words)
        bench.command(work, "manual", number, command, paths.CLONE, environment=environment, gateway=gateway)
