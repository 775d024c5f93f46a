"""An Admin API, and clients that retry without a pause."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import certificates
from tests.fakes.admin_api import Admin, serving
from tests.fakes.self_signed import self_signed
from traceable_kong.kong_admin import admin_client

CLIENT = "client.pem"


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Admin]:
    monkeypatch.setattr(admin_client, "PAUSE_SECONDS", 0.01)
    with serving() as made:
        yield made


@pytest.fixture(scope="session")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate authority (`ca.pem`), a certificate of it (`server.pem`), and a self-signed one."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates.ensure(folder)
    (folder / CLIENT).write_text("".join(self_signed("a client")))
    return folder
