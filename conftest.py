"""The tests have a platform of their own, one for each worker, beside the one of `make up`.

Another gateway's webhook judges every plugin of a cluster, and another agent's injector serves every labelled
namespace: what runs side by side runs in clusters side by side. Set before anything of `local` is imported.
"""

import os

WORKER = os.environ.get("PYTEST_XDIST_WORKER")

os.environ["TRACEABLE_KONG_STATE"] = f".local-test-{WORKER}" if WORKER else ".local-test"
