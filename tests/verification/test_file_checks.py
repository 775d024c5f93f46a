"""The ConfigMaps with the plugin's files: content, immutability, and pods that are older than what exists now."""

from collections.abc import Callable

import pytest

from tests.verification.gateway import (
    FILE_DIGESTS,
    FILES,
    OLDEST,
    Document,
    config_maps,
    desired,
    evaluate,
    failure,
    observed,
    pod,
)
from traceable_kong.verification.object_reads import ObservedObject, Unreadable

TOP, BELOW = FILES.values()


def changed(name: str, change: Callable[[Document], object]) -> dict[str, ObservedObject]:
    found: dict[str, ObservedObject] = dict(config_maps())
    document = config_maps()[name]
    change(document)
    found[name] = document
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held["data"].update({"handler.lua": "return { access = function() end }"}),
        lambda held: held["data"].update({"more.lua": ""}),
        lambda held: held["data"].pop("handler.lua"),
        lambda held: held["binaryData"].update({"x.so": "AAAA"}),
        lambda held: held["binaryData"].update({"x.so": "no base64"}),
        lambda held: held.update(data=None, binaryData=None),
    ],
)
def test_other_content_under_the_same_name(change: Callable[[Document], object]) -> None:
    found = failure(observed(config_maps=changed(TOP, change)))
    assert (found.pod, found.name, found.permanent) == ("", "files", True)
    assert found.found.startswith(f"ConfigMap {TOP} has other content (SHA-256 ")
    assert "`pulumi up --refresh`" in found.fix
    assert "`kubectl --namespace gw rollout restart deployment edge-kong`" in found.fix


def test_the_beginning_of_a_digest_is_not_the_digest() -> None:
    """The name has ten characters of it, and other content can be made to have the same ten."""
    wanted = FILE_DIGESTS[TOP]
    found = failure(observed(), file_digests={**FILE_DIGESTS, TOP: wanted[:10] + "0" * 54})
    assert (found.name, wanted in found.found) == ("files", True)


def test_a_digest_that_no_record_has() -> None:
    assert failure(observed(), file_digests={}).name == "files"


def test_the_same_files_in_binary_data_are_the_same() -> None:
    def moved(held: Document) -> None:
        held["data"], held["binaryData"] = {}, {**held["binaryData"], "handler.lua": "cmV0dXJuIHt9"}

    assert evaluate(desired(), observed(config_maps=changed(TOP, moved))).ok


def test_the_files_of_another_directory_are_other_content() -> None:
    held = config_maps()
    held[BELOW] = {**held[BELOW], "data": held[TOP]["data"], "binaryData": held[TOP]["binaryData"]}
    assert failure(observed(config_maps=held)).found.startswith(f"ConfigMap {BELOW} has other content")


@pytest.mark.parametrize("immutable", [None, False])
def test_one_that_can_be_changed_in_place(immutable: bool | None) -> None:
    found = failure(observed(config_maps=changed(TOP, lambda held: held.update(immutable=immutable))))
    assert found.found == f"ConfigMap {TOP} is not immutable: its content can change under running pods"


def test_one_that_was_deleted_under_running_pods() -> None:
    assert failure(observed(config_maps={**config_maps(), BELOW: None})).found == f"ConfigMap {BELOW} does not exist"


def test_a_pod_that_is_older_than_the_object_has_files_that_nobody_can_read() -> None:
    old = pod("gw-0")
    old["metadata"]["creationTimestamp"] = OLDEST
    report = evaluate(desired(), observed(pod("gw-1"), old))
    assert report.ok and report.verdict == "not checked"
    assert [reason.split(":")[0] for reason in report.not_checked] == ["the files of gw-0"] * 2
    assert "`kubectl --namespace gw rollout restart deployment edge-kong` replaces the pods" in report.not_checked[0]


def test_one_that_may_not_be_read() -> None:
    report = evaluate(desired(), observed(config_maps={**config_maps(), TOP: Unreadable("the right is missing")}))
    assert report.ok and report.not_checked == ("the right is missing",)


def test_where_traceable_was_removed_no_files_are_expected() -> None:
    removed = desired(installed=False, files={})
    report = evaluate(removed, observed(config_maps={}))
    assert not any(check.name == "files" and not check.pod for check in report.checks)
