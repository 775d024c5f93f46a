"""The tests have a platform of their own, one for each worker, beside the one of `make up`.

Another gateway's webhook judges every plugin of a cluster, and another agent's injector serves every labelled
namespace: what runs side by side runs in clusters side by side. Set before anything of `local` is imported.
"""

import os
import sys

WORKER = os.environ.get("PYTEST_XDIST_WORKER")

os.environ["TRACEABLE_KONG_STATE"] = f".local-test-{WORKER}" if WORKER else ".local-test"

# Compiled modules are kept: each worker and each program of a live test would compile all of them otherwise.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The platform's Go programs collect garbage less often: it takes a tenth of their processor time, for some memory.
os.environ.setdefault("GOGC", "400")
