"""docs/verification.md shows a report in the format that the program prints."""

from tests.docs.pages import CLONE
from traceable_kong.verification.report import Check, Report

PAGE = CLONE / "docs" / "verification.md"
GOOD, BAD = "quickstart-kong-6d5c9f7b8-4xk2p", "quickstart-kong-6d5c9f7b8-9wz7q"
CHECKS = ("ready", "files", "tme", "loaded", "plugin", "override")

FAILED = Check(
    pod=BAD,
    name="tme",
    ok=False,
    expected="a ready container with the TME's image docker.io/traceableai/traceable-agent, and an answer on 5442",
    found="no container with that image",
    fix="the injector adds the TME when a pod is created: `kubectl get pods --namespace traceable` shows whether the "
    f"agent's pods are ready, then `kubectl delete pod {BAD} --namespace kong` has this pod created again",
)


def test_the_page_shows_a_report() -> None:
    passed = [Check(pod=pod, name=name, ok=True, expected="", found="") for pod in (GOOD, BAD) for name in CHECKS]
    checks = [FAILED if (check.pod, check.name) == (BAD, "tme") else check for check in passed]
    report = Report(name="kong/quickstart-kong", checks=tuple(checks))
    assert f"```\n{report.table()}\n```" in PAGE.read_text(encoding="utf-8"), report.table()
