"""Operations in the correct order break no promise, and their rollouts are counted."""

from tests.recorder.history import World
from tests.recorder.timeline import Timeline, config_map, deployment, installed, plugin, pod, replica_set


def test_a_sync_installation_keeps_every_promise_and_rolls_twice() -> None:
    line = Timeline()
    line.start_recording()
    line.add("configmap", config_map("files-a"))
    line.add("dep", deployment())
    line.add("rs", replica_set("rs-1", 1))
    line.add("pod", pod("bare", tme=False, ready=False))
    line.modify("pod", pod("bare", tme=False))
    line.add("rs", replica_set("rs-2", 2))
    line.replace(pod("bare", tme=False), pod("injected"))
    line.add("plugin", plugin("sync"))
    assert line.violations() == []
    assert line.rollouts() == 2


def test_a_switch_to_async_and_back_keeps_every_promise_and_rolls_once_each_way() -> None:
    line = installed()
    line.modify("plugin", plugin("async"))
    line.add("rs", replica_set("rs-2", 2))
    line.replace(pod("p-0"), pod("bare", tme=False))
    assert (line.violations(), line.rollouts()) == ([], 1)
    # The earlier template reuses its ReplicaSet, with a new revision.
    line.modify("rs", replica_set("rs-1", 3))
    line.replace(pod("bare", tme=False), pod("again"))
    line.modify("plugin", plugin("sync"))
    assert (line.violations(), line.rollouts()) == ([], 2)


def test_new_files_next_to_the_old_ones_keep_every_promise() -> None:
    line = installed(2)
    line.add("configmap", config_map("files-b"))
    for index in range(2):
        line.replace(pod(f"p-{index}"), pod(f"new-{index}", files="files-b"))
    line.delete("configmap", config_map("files-a"))
    assert line.violations() == []


def test_a_removal_in_the_correct_order_keeps_every_promise() -> None:
    line = installed(2)
    line.delete("plugin", plugin())
    line.delete("dep", deployment(2))
    line.terminate(pod("p-0"))
    line.terminate(pod("p-1"))
    line.delete("configmap", config_map("files-a"))
    assert line.violations() == []


def test_a_promise_that_is_broken_before_the_recording_is_a_violation_from_the_start() -> None:
    line = Timeline()
    line.add("pod", pod("p-0"))
    line.start_recording()
    assert "from the start" in str(line.violations()[0])


def test_a_promise_that_holds_again_before_the_recording_is_no_violation() -> None:
    line = Timeline()
    line.add("pod", pod("p-0"))
    line.add("configmap", config_map("files-a"))
    line.start_recording()
    assert line.violations() == []


def test_only_rollouts_of_the_gateway_during_the_recording_count() -> None:
    line = installed()
    line.modify("rs", replica_set("rs-1", 1))
    line.add("rs", replica_set("agent", 7, owner="agent"))
    assert line.rollouts() == 0
    line.add("rs", replica_set("rs-2", 2))
    line.modify("rs", replica_set("rs-2", 2))
    line.delete("rs", replica_set("rs-1", 1))
    assert line.rollouts() == 1


def test_a_deleted_object_is_not_in_the_world() -> None:
    line = installed()
    line.delete("configmap", config_map("files-a"))
    world = World()
    for event in line.history.events:
        world.apply(event)
    assert not world.all("ConfigMap")
