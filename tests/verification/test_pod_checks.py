"""The files and the TME of a pod: each check fails alone, with its own reason."""

from typing import Any

import pytest

from tests.fakes.protected_gateway import (
    ASYNC,
    FILES,
    answer,
    desired,
    evaluate,
    failure,
    instance,
    observed,
    observed_pod,
    pod,
    without_volume,
)
from traceable_kong.verification.kong_observation import KongAnswer

Document = dict[str, Any]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (without_volume(pod(), 0, "files-old"), "/opt/kong/plugins/traceable: files-old"),
        (without_volume(pod(), 1), "/opt/kong/plugins/traceable/utils: nothing"),
    ],
)
def test_a_pod_with_other_files_or_none(document: Document, found: str) -> None:
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
def test_files_that_are_hidden_by_another_mount(mount: Document, found: str) -> None:
    document = pod()
    document["spec"]["containers"][1]["volumeMounts"].append(mount)
    document["spec"]["volumes"].append({"name": "theirs", "emptyDir": {}})
    if found == "this one is beside it":
        assert evaluate(desired(), observed(document)).ok
    else:
        assert failure(observed(document)).found == found


@pytest.mark.parametrize("part", [{"items": [{"key": "noop.lua", "path": "handler.lua"}]}, {"subPath": "handler.lua"}])
def test_a_mount_of_only_a_part_of_a_config_map(part: Document) -> None:
    document = pod()
    if "items" in part:
        document["spec"]["volumes"][0]["configMap"].update(part)
    else:
        document["spec"]["containers"][1]["volumeMounts"][0].update(part)
    assert failure(observed(document)).found == "/opt/kong/plugins/traceable: only a part of the ConfigMap"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/other/?.lua;/opt/?.lua;;", "its lua_package_path is '/other/?.lua;/opt/?.lua;;'"),
        ("./?.lua;./?/init.lua;", "its lua_package_path is './?.lua;./?/init.lua;'"),
        (";;/opt/?.lua", "its lua_package_path is ';;/opt/?.lua'"),
        (None, "it does not show its lua_package_path"),
    ],
)
def test_a_lua_path_with_other_directories_first_is_not_checked(path: str | None, text: str) -> None:
    report = evaluate(desired(), observed(observed_pod(pod(), kong=answer(lua_path=path))))
    assert (report.ok, report.verdict) == (True, "not checked")
    (reason,) = report.not_checked
    assert text in reason and "gw-1" in reason


def test_files_in_another_container_do_not_count() -> None:
    document = pod()
    containers = document["spec"]["containers"]
    containers[0]["volumeMounts"] = containers[1].pop("volumeMounts")
    assert failure(observed(document)).name == "files"


def test_a_pod_without_the_tme() -> None:
    found = failure(observed(pod(tme=False)))
    assert (found.pod, found.name, found.found) == ("gw-1", "tme", "no container with that image")
    assert "`kubectl get pods --namespace traceable`" in found.fix
    assert "`kubectl delete pod gw-1 --namespace gw`" in found.fix


def test_a_tme_that_is_not_ready() -> None:
    document = pod()
    document["status"]["containerStatuses"][2]["ready"] = False
    found = failure(observed(document))
    assert (found.name, found.found) == ("tme", "tme is not ready")


def test_a_tme_that_does_not_answer() -> None:
    found = failure(observed(observed_pod(pod(), tme_problem="port 5442 does not answer (refused)")))
    assert (found.name, found.found) == ("tme", "port 5442 does not answer (refused)")


def as_init_container(document: Document, **fields: Any) -> Document:
    document["spec"]["initContainers"] = [{**document["spec"]["containers"].pop(), **fields}]
    document["status"]["initContainerStatuses"] = [document["status"]["containerStatuses"].pop()]
    return document


def test_a_tme_as_a_native_sidecar() -> None:
    assert evaluate(desired(), observed(as_init_container(pod(), restartPolicy="Always"))).ok


def test_an_init_container_that_has_ended_is_no_tme() -> None:
    found = failure(observed(as_init_container(pod())))
    assert (found.name, found.permanent) == ("tme", True)
    assert found.found == "no container with that image; init container tme has it, and ends before the pod serves"


def test_an_image_of_another_registry_is_no_tme() -> None:
    document = pod()
    document["spec"]["containers"][-1]["image"] = "evil.example/traceable-agent:1.58.0"
    found = failure(observed(document))
    assert found.name == "tme"
    assert found.found == "no container with that image; container tme has evil.example/traceable-agent:1.58.0"


def test_the_report_says_what_was_observed_of_the_tme() -> None:
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
def test_the_declared_ports_say_which_container_answers(
    tme: list[Document], proxy: list[Document], wrong: str | None
) -> None:
    document = pod()
    for container in document["spec"]["containers"]:
        container["ports"] = {"tme": tme, "proxy": proxy}.get(container["name"], [])
    if wrong is None:
        assert evaluate(desired(), observed(document)).ok
    else:
        assert wrong in failure(observed(document)).found


def test_in_async_no_tme_is_checked() -> None:
    report = evaluate(desired(**ASYNC), observed(observed_pod(pod(tme=False), kong=in_async())))
    assert report.ok
    assert "tme" not in {check.name for check in report.checks}


def in_async() -> KongAnswer:
    return answer(instance(config=ASYNC["config"]))
