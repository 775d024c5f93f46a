"""What a preview and a verification say together about drift, and the text of the issue."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.drift_report import marker, state
from scripts.preview_comment import LIMIT
from tests.scripts.recorded import CLONE, PREVIEWS


@pytest.mark.parametrize(
    ("preview", "verify", "found"),
    [
        (0, 0, "none"),
        (7, 0, "drift"),
        (0, 1, "drift"),
        (7, 1, "drift"),
        # What was found counts, whatever else could not be looked at.
        (7, 2, "drift"),
        (255, 1, "drift"),
        (0, 2, "unknown"),
        (255, 0, "unknown"),
        (1, 2, "unknown"),
        (0, 139, "unknown"),
    ],
)
def test_the_two_exit_codes_decide(preview: int, verify: int, found: str) -> None:
    assert state(preview, verify) == found


def report(
    folder: Path, *, preview: str, preview_code: int, verify_code: int, verification: str = ""
) -> tuple[str, str]:
    """The state that the command prints, and the text that it writes."""
    (folder / "verification.md").write_text(verification)
    (folder / "preview.err").write_text("error: unreachable")
    (folder / "preview.json").write_text(preview)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.drift_report", "--stack=dev", "--run=https://example.com/1"),
            *(f"--preview-code={preview_code}", f"--errors={folder}/preview.err", f"--verify-code={verify_code}"),
            *(f"--verification={folder}/verification.md", f"--report={folder}/report.md", f"{folder}/preview.json"),
        ],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, (folder / "report.md").read_text()


def test_the_report_has_the_preview_and_the_verification(tmp_path: Path) -> None:
    text = (PREVIEWS / "mode-switch.json").read_text()
    said, written = report(tmp_path, preview=text, preview_code=7, verify_code=1, verification="### Verification\n")
    assert said == "state=drift\n"
    assert (
        written.startswith(f"{marker('dev')}\n") and "has drifted" in written and "(https://example.com/1)" in written
    )
    assert "### Verification\n" in written and "5 to update" in written and "failed" not in written


def test_a_preview_that_failed_shows_its_error(tmp_path: Path) -> None:
    said, written = report(tmp_path, preview="", preview_code=1, verify_code=0)
    assert said == "state=unknown\n"
    assert "could not be determined" in written and "**failed**" in written and "unreachable" in written


def test_the_report_fits_into_an_issue(tmp_path: Path) -> None:
    text = (PREVIEWS / "fresh-sync.json").read_text()
    _, written = report(tmp_path, preview=text, preview_code=7, verify_code=0, verification="v" * (LIMIT - 3000))
    assert LIMIT - 2000 < len(written.encode()) <= LIMIT
