"""The Admin API of tests/kong_admin, for the providers too."""

from tests.kong_admin.conftest import admin, pems

__all__ = ["admin", "pems"]
