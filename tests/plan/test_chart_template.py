"""What the provider is asked for to render a Helm release."""

import json
from dataclasses import replace
from pathlib import Path

from tests.fakes.plans import plan
from traceable_kong.helm_values.chart import Chart, files_digest
from traceable_kong.plan.chart_template import template_arguments
from traceable_kong.plan.release_model import HelmRelease


def release(chart: Chart | None = None, **values: object) -> HelmRelease:
    made = plan().releases[0]
    return replace(made, chart=chart or made.chart, values=values)


def test_a_chart_in_a_folder_and_one_of_a_registry() -> None:
    folder = json.loads(template_arguments(release(Chart(path="./charts/kong")))["jsonOpts"])
    assert folder["path"] == "./charts/kong" and not {"chart", "version", "fetch_opts"} & folder.keys()
    registry = json.loads(template_arguments(release(Chart(name="oci://r/kong", version="3.4.1")))["jsonOpts"])
    assert (registry["chart"], registry["version"]) == ("oci://r/kong", "3.4.1") and "fetch_opts" not in registry


def test_the_digest_of_a_chart_changes_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("name: kong")
    (tmp_path / "templates" / "a.yaml").write_text("a")
    digests = [files_digest(str(tmp_path))]
    (tmp_path / "templates" / "a.yaml").write_text("b")
    digests.append(files_digest(str(tmp_path)))
    (tmp_path / "templates" / "a.yaml").rename(tmp_path / "templates" / "c.yaml")
    digests.append(files_digest(str(tmp_path)))
    chart = Chart(path=str(tmp_path))
    assert len({chart.digest(files) for files in digests}) == 3
    assert files_digest(str(tmp_path / "missing")) not in digests
    assert Chart(name="kong", version="1").digest("") != Chart(name="kong", version="2").digest("")
