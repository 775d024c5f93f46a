"""What every run does with a Release's chart."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.provider.kubernetes import helm_cli
from local.provider.kubernetes.provider_errors import ProviderError

CONTEXT: Any = SimpleNamespace(settings=SimpleNamespace(helm={}), cancelled=threading.Event())
METADATA = "apiVersion: v2\nname: one\nversion: 1.2.3\n"


@pytest.fixture
def chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a chart, on a machine without helm."""
    monkeypatch.setenv("PATH", "")
    (tmp_path / "Chart.yaml").write_text(METADATA)
    (tmp_path / "values.yaml").write_text("a: 1\n")
    return tmp_path


def test_a_chart_in_a_folder_is_read_without_helm(chart: Path) -> None:
    assert helm_cli.load(CONTEXT, {"chart": str(chart)})["version"] == "1.2.3"


@pytest.mark.parametrize(
    ("name", "text"),
    [("Chart.yaml", METADATA.replace("name: one", "")), ("Chart.yaml", "a: ["), ("values.yaml", "- a list")],
)
def test_helm_says_what_is_wrong_with_a_chart(chart: Path, name: str, text: str) -> None:
    (chart / name).write_text(text)
    with pytest.raises(ProviderError, match="helm is not on PATH"):
        helm_cli.load(CONTEXT, {"chart": str(chart)})
