"""Each check of the proof fails alone, for its own reason, and says it."""

from typing import Any

import pytest

from tests.verification.gateway import (
    ASYNC,
    FILES,
    agent_pod,
    answer,
    desired,
    evaluate,
    failure,
    instance,
    observed,
    observed_pod,
    pod,
    template,
    without_volume,
)
from traceable_kong.verification.kong_observation import KongAnswer
from traceable_kong.verification.rollout_checks import waiting_reasons

Document = dict[str, Any]


def test_a_gateway_as_configured_holds() -> None:
    report = evaluate(desired(), observed(pod("gw-1"), pod("gw-2")))
    assert report.ok and report.failed == []
    assert {check.name for check in report.checks} == {
        "ready",
        "rollout",
        "object",
        "files",
        "tme",
        "loaded",
        "plugin",
        "override",
        "agent",
        "policy",
        "label",
        "annotation",
        "webhook",
    }
    assert {check.pod for check in report.checks} == {"", "gw-1", "gw-2"}


def test_a_gateway_that_is_gone() -> None:
    found = failure(observed(deployment=None))
    assert (found.name, found.expected, found.found) == ("deployment", "deployment gw/edge-kong", "it does not exist")


def test_a_kong_that_is_not_ours_is_in_no_release_that_could_be_rolled_back() -> None:
    for broken in (observed(deployment=None), observed(without_volume(pod(), 1))):
        mend = failure(broken).fix
        assert "`helm history edge --namespace gw`" in mend
        assert "`helm rollback edge REVISION --namespace gw`" in mend, "without one Helm goes back to older files"
        (theirs,) = evaluate(desired(release=None), broken).failed
        assert "helm " not in theirs.fix and "`pulumi up --refresh`" in theirs.fix


def test_no_pod_that_serves() -> None:
    found = failure(observed(serving=[]))
    assert (found.name, found.found) == ("ready", "0 of 1")
    assert "`kubectl describe pods --namespace gw --selector app=edge`" in found.fix


def test_no_pod_that_serves_says_why_pods_are_not_made() -> None:
    deployment = {
        "spec": {"replicas": 2, "template": template()},
        "status": {"conditions": [{"type": "ReplicaFailure", "message": "denied by policy"}, {"type": "Available"}]},
    }
    assert failure(observed(deployment=deployment, serving=[], pods=[])).found == "0 of 2 (denied by policy)"


def test_no_pod_that_serves_says_why_containers_do_not_run() -> None:
    broken = pod(ready=False)
    broken["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}
    broken["status"]["containerStatuses"][1]["state"] = {"waiting": {"reason": "ContainerCreating"}}
    assert failure(observed(serving=[], pods=[broken, broken])).found == (
        "0 of 1 (gw-1: ingress-controller: ImagePullBackOff: no)"
    )
    assert waiting_reasons({"metadata": {"name": "p"}}) == []


def test_an_older_pod_that_is_left() -> None:
    old = pod("gw-0", revision="old")
    found = failure(observed(pods=[pod(), old]))
    assert (found.name, found.found) == ("rollout", "also gw-0")
    assert "`kubectl rollout status deployment edge-kong --namespace gw`" in found.fix


@pytest.mark.parametrize("change", [{"metadata": {"deletionTimestamp": "now"}}, {"status": {"phase": "Failed"}}])
def test_an_older_pod_on_its_way_out_is_no_failure(change: Document) -> None:
    old = pod("gw-0", revision="old")
    for key, more in change.items():
        old[key].update(more)
    assert evaluate(desired(), observed(pods=[pod(), old])).ok


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (without_volume(pod(), 0, "files-old"), "/opt/kong/plugins/traceable: files-old"),
        (without_volume(pod(), 1), "/opt/kong/plugins/traceable/utils: nothing"),
    ],
)
def test_other_files_or_none(document: Document, found: str) -> None:
    check = failure(observed(document))
    assert (check.pod, check.name, check.found) == ("gw-1", "files", found)
    assert all(f"{path}: {name}" in check.expected for path, name in FILES.items())


@pytest.mark.parametrize(
    ("mount", "found"),
    [
        (
            {"name": "theirs", "mountPath": "/opt/kong/plugins/traceable/handler.lua", "subPath": "handler.lua"},
            "/opt/kong/plugins/traceable/handler.lua: hidden by the volume theirs",
        ),
        ({"name": "theirs", "mountPath": "/opt/kong/plugins/other"}, "this one is beside it"),
    ],
)
def test_another_mount_over_the_files(mount: Document, found: str) -> None:
    document = pod()
    document["spec"]["containers"][1]["volumeMounts"].append(mount)
    document["spec"]["volumes"].append({"name": "theirs", "emptyDir": {}})
    if found == "this one is beside it":
        assert evaluate(desired(), observed(document)).ok
    else:
        assert failure(observed(document)).found == found


@pytest.mark.parametrize("part", [{"items": [{"key": "noop.lua", "path": "handler.lua"}]}, {"subPath": "handler.lua"}])
def test_only_a_part_of_a_config_map(part: Document) -> None:
    document = pod()
    if "items" in part:
        document["spec"]["volumes"][0]["configMap"].update(part)
    else:
        document["spec"]["containers"][1]["volumeMounts"][0].update(part)
    assert failure(observed(document)).found == "/opt/kong/plugins/traceable: only a part of the ConfigMap"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/other/?.lua;/opt/?.lua;;", "its lua_package_path is '/other/?.lua;/opt/?.lua;;'"),
        ("./?.lua;./?/init.lua;", "its lua_package_path is './?.lua;./?/init.lua;'"),
        (";;/opt/?.lua", "its lua_package_path is ';;/opt/?.lua'"),
        (None, "it does not show its lua_package_path"),
    ],
)
def test_files_that_may_be_found_before_the_mounted_ones(path: str | None, said: str) -> None:
    report = evaluate(desired(), observed(observed_pod(pod(), kong=answer(lua_path=path))))
    assert (report.ok, report.verdict) == (True, "not checked")
    (reason,) = report.not_checked
    assert said in reason and "gw-1" in reason


def test_files_in_another_container_are_no_files() -> None:
    document = pod()
    containers = document["spec"]["containers"]
    containers[0]["volumeMounts"] = containers[1].pop("volumeMounts")
    assert failure(observed(document)).name == "files"


def test_no_tme() -> None:
    found = failure(observed(pod(tme=False)))
    assert (found.pod, found.name, found.found) == ("gw-1", "tme", "no container with that image")
    assert "`kubectl get pods --namespace traceable`" in found.fix
    assert "`kubectl delete pod gw-1 --namespace gw`" in found.fix


def test_a_tme_that_is_not_ready() -> None:
    document = pod()
    document["status"]["containerStatuses"][2]["ready"] = False
    found = failure(observed(document))
    assert (found.name, found.found) == ("tme", "tme is not ready")


def test_a_tme_that_is_silent() -> None:
    found = failure(observed(observed_pod(pod(), tme_problem="port 5442 does not answer (refused)")))
    assert (found.name, found.found) == ("tme", "port 5442 does not answer (refused)")


def as_init_container(document: Document, **fields: Any) -> Document:
    document["spec"]["initContainers"] = [{**document["spec"]["containers"].pop(), **fields}]
    document["status"]["initContainerStatuses"] = [document["status"]["containerStatuses"].pop()]
    return document


def test_a_tme_may_be_a_sidecar() -> None:
    assert evaluate(desired(), observed(as_init_container(pod(), restartPolicy="Always"))).ok


def test_a_plain_init_container_has_ended_and_is_no_tme() -> None:
    found = failure(observed(as_init_container(pod())))
    assert (found.name, found.permanent) == ("tme", True)
    assert found.found == "no container with that image; init container tme has it, and ends before the pod serves"


def test_an_image_of_the_same_name_from_elsewhere_is_no_tme() -> None:
    document = pod()
    document["spec"]["containers"][-1]["image"] = "evil.example/traceable-agent:1.58.0"
    found = failure(observed(document))
    assert found.name == "tme"
    assert found.found == "no container with that image; container tme has evil.example/traceable-agent:1.58.0"


def test_what_was_seen_of_a_tme_is_said_and_no_more() -> None:
    (check,) = [item for item in evaluate(desired(), observed()).checks if item.name == "tme"]
    assert check.found == "container tme with that image is ready, and something answers HTTP on 5442"
    assert "docker.io/traceableai/traceable-agent" in check.expected


@pytest.mark.parametrize(
    ("tme", "proxy", "wrong"),
    [
        ([{"containerPort": 5442}], [], None),
        ([{"containerPort": 5442}, {"containerPort": 8888}], [{"containerPort": 8000}], None),
        ([], [{"containerPort": 5442, "protocol": "UDP"}], None),
        ([], [{"containerPort": 5442}], "container proxy declares port 5442 too"),
        ([{"containerPort": 5442}], [{"containerPort": 5442}], "container proxy declares port 5442 too"),
        ([{"containerPort": 8888}], [], "container tme declares other ports than 5442"),
    ],
)
def test_who_answers_is_told_by_the_declared_ports(
    tme: list[Document], proxy: list[Document], wrong: str | None
) -> None:
    document = pod()
    for container in document["spec"]["containers"]:
        container["ports"] = {"tme": tme, "proxy": proxy}.get(container["name"], [])
    if wrong is None:
        assert evaluate(desired(), observed(document)).ok
    else:
        assert wrong in failure(observed(document)).found


def test_without_a_wanted_tme_none_is_looked_for() -> None:
    report = evaluate(desired(**ASYNC), observed(observed_pod(pod(tme=False), kong=in_async())))
    assert report.ok
    assert "tme" not in {check.name for check in report.checks}


def in_async() -> KongAnswer:
    return answer(instance(config=ASYNC["config"]))


@pytest.mark.parametrize("ready", [0, 1])
def test_the_agent_in_sync_is_a_ready_pod(ready: int) -> None:
    look = observed(agent_pods=[agent_pod(ready=False), *[agent_pod()] * ready], agent_problem="not asked in sync")
    report = evaluate(desired(), look)
    assert report.ok is bool(ready)
    if not ready:
        found = failure(look)
        assert (found.name, found.found) == ("agent", "0 of 1 ready")
        assert found.expected == "a ready pod of the agent, in namespace traceable"


def test_the_agent_in_async_answers() -> None:
    look = observed(observed_pod(pod(tme=False), kong=in_async()), agent_problem="agent-1: port 5442 does not answer")
    found = failure(look, **ASYNC)
    assert (found.name, found.found) == ("agent", "agent-1: port 5442 does not answer")
    assert found.expected == "an agent that answers on port 5442, in namespace traceable"


def test_an_agent_that_is_gone_is_said_to_be() -> None:
    assert failure(observed(agent_pods=[])).found == "the agent has no pods"


def test_of_an_agent_outside_the_cluster_the_address_is_checked_and_the_rest_is_said() -> None:
    url = "https://agent.example.com:5442"
    config = {**ASYNC["config"], "ext_cap_endpoint": url}
    expected = {**ASYNC, "agent_namespace": None, "config": config}
    look = observed(observed_pod(pod(tme=False), kong=answer(instance(config=config))), agent_pods=[])
    report = evaluate(desired(**expected), look)
    assert report.ok and "agent" not in {check.name for check in report.checks}
    assert any("not checked" in note and url in note for note in report.notes)
    other = {**config, "ext_cap_endpoint": f"{url}1"}
    wrong = observed(observed_pod(pod(tme=False), kong=answer(instance(config=other))), agent_pods=[])
    assert failure(wrong, **expected).name == "plugin"
    off = evaluate(desired(**expected, enabled=False), look)
    assert not any(url in note for note in off.notes)


def test_where_the_plugin_is_disabled_the_agent_may_be_away() -> None:
    look = observed(
        observed_pod(pod(tme=False), kong=answer(instance(enabled=False))), agent_pods=[], agent_problem="away"
    )
    assert evaluate(desired(enabled=False, injection=None), look).ok


def test_every_pod_is_judged() -> None:
    found = failure(observed(pod("gw-1"), pod("gw-2", tme=False)))
    assert (found.pod, found.name) == ("gw-2", "tme")


def left(document: Document, kong: KongAnswer | str) -> Any:
    return observed(observed_pod(document, kong=kong), agent_pods=[], agent_problem=None)


GONE = {"installed": False, "enabled": False, "injection": None, "files": {}}


def test_where_traceable_left_nothing_of_it_may_be_there() -> None:
    bare = pod(tme=False)
    bare["spec"]["volumes"] = []
    nothing = KongAnswer({"cors": "3.9.0"}, [{"name": "cors"}])
    assert evaluate(desired(**GONE), left(bare, nothing)).ok

    files = failure(left(pod(tme=False), nothing), **GONE)
    assert (files.name, files.found) == ("files", ", ".join(FILES))

    listed = failure(left(bare, answer(instance(enabled=False))), **GONE)
    assert (listed.name, listed.found) == ("plugin", "Kong lists traceable")

    silent = failure(left(bare, "the Admin API does not answer"), **GONE)
    assert (silent.name, silent.found) == ("plugin", "the Admin API does not answer")
