"""The tests have a platform of their own, beside the one of `make up`: another gateway's webhook judges every plugin.

Set before anything of `local` is imported, and inherited by whatever the tests start.
"""

import os

os.environ.setdefault("TRACEABLE_KONG_STATE", ".local-test")
