"""Where the platform keeps what it makes: one ignored folder in the clone. The tool cache is elsewhere, and shared."""

from pathlib import Path

CLONE = Path(__file__).parents[1]
STATE = CLONE / ".local"

TOOLS = STATE / "bin"
PULUMI_HOME = STATE / "home"
BACKEND = STATE / "state"
PASSPHRASE = STATE / "passphrase"
KUBECONFIG = STATE / "kubeconfig"
ENVIRONMENT = STATE / "env"
KWOK = STATE / "kwok"
HELM = STATE / "helm"
KUBECTL_CACHE = STATE / "kubectl-cache"
INJECTOR = STATE / "injector"
GATEWAYS = STATE / "gateways"
CHARTS = STATE / "charts"
ROCKS = STATE / "rocks"
PLUGIN_CHOICE = STATE / "kubernetes-plugin"

VENV_BIN = CLONE / ".venv" / "bin"
