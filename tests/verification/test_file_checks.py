"""The ConfigMaps with the plugin's files: content, immutability, and pods that are older."""

from collections.abc import Callable

import pytest

from tests.fakes.protected_gateway import (
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
def test_a_config_map_with_other_content(change: Callable[[Document], object]) -> None:
    found = failure(observed(config_maps=changed(TOP, change)))
    assert (found.pod, found.name, found.permanent) == ("", "files", True)
    assert found.found.startswith(f"ConfigMap {TOP} has other content (SHA-256 ")
    assert "`pulumi up --refresh`" in found.fix
    assert "`kubectl --namespace gw rollout restart deployment edge-kong`" in found.fix


def test_the_whole_digest_is_compared() -> None:
    """The ConfigMap's name has only its first ten characters, for which other content can be found."""
    wanted = FILE_DIGESTS[TOP]
    found = failure(observed(), file_digests={**FILE_DIGESTS, TOP: wanted[:10] + "0" * 54})
    assert (found.name, wanted in found.found) == ("files", True)


def test_a_config_map_without_a_recorded_digest() -> None:
    assert failure(observed(), file_digests={}).name == "files"


def test_the_same_files_as_binary_data() -> None:
    def moved(held: Document) -> None:
        held["data"], held["binaryData"] = {}, {**held["binaryData"], "handler.lua": "cmV0dXJuIHt9"}

    assert evaluate(desired(), observed(config_maps=changed(TOP, moved))).ok


def test_the_files_of_another_directory() -> None:
    held = config_maps()
    held[BELOW] = {**held[BELOW], "data": held[TOP]["data"], "binaryData": held[TOP]["binaryData"]}
    assert failure(observed(config_maps=held)).found.startswith(f"ConfigMap {BELOW} has other content")


@pytest.mark.parametrize("immutable", [None, False])
def test_a_config_map_that_is_not_immutable(immutable: bool | None) -> None:
    found = failure(observed(config_maps=changed(TOP, lambda held: held.update(immutable=immutable))))
    assert found.found == f"ConfigMap {TOP} is not immutable: its content can change under running pods"


def test_a_config_map_that_was_deleted() -> None:
    assert failure(observed(config_maps={**config_maps(), BELOW: None})).found == f"ConfigMap {BELOW} does not exist"


def test_the_files_of_a_pod_that_is_older_than_the_config_map_are_not_checked() -> None:
    old = pod("gw-0")
    old["metadata"]["creationTimestamp"] = OLDEST
    report = evaluate(desired(), observed(pod("gw-1"), old))
    assert report.ok and report.verdict == "not checked"
    assert [reason.split(":")[0] for reason in report.not_checked] == ["the files of gw-0"] * 2
    assert "`kubectl --namespace gw rollout restart deployment edge-kong` replaces the pods" in report.not_checked[0]


def test_a_config_map_that_may_not_be_read() -> None:
    report = evaluate(desired(), observed(config_maps={**config_maps(), TOP: Unreadable("the right is missing")}))
    assert report.ok and report.not_checked == ("the right is missing",)


def test_after_uninstalling_no_files_are_expected() -> None:
    removed = desired(installed=False, files={})
    report = evaluate(removed, observed(config_maps={}))
    assert not any(check.name == "files" and not check.pod for check in report.checks)
