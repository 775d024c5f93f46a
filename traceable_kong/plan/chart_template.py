"""What the provider is asked for to render a Helm release: the arguments of `kubernetes:helm:template`.

The names are those of pulumi-kubernetes' HelmChartOpts (provider/pkg/provider/invoke_helm_template.go), which its
`helm.v3.Chart` sends too.
"""

import json
from typing import Any

from traceable_kong.plan.release_model import HelmRelease

TEMPLATE = "kubernetes:helm:template"


def template_arguments(release: HelmRelease) -> dict[str, str]:
    """The arguments that render `release` with the values that it will get, secret ones too."""
    chart = release.chart
    options: dict[str, Any] = {
        "release_name": release.name,
        "namespace": release.namespace,
        "values": release.values,
        # Helm installs CRDs before everything else, and no check reads them.
        "skip_crd_rendering": True,
    }
    if chart.path:
        options["path"] = chart.path
    else:
        options |= {"chart": chart.name, "version": chart.version or ""}
        if chart.repository:
            options["fetch_opts"] = {"repo": chart.repository}
    return {"jsonOpts": json.dumps(options)}
