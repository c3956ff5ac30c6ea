"""A server that can misbehave, and the endpoints of an empty data folder."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest
from endpoint_server import EndpointServer

from rag.models.endpoints.connections import Endpoints
from rag.settings import EndpointSettings
from rag.storage.data_folder import DATABASE
from rag.storage.database import Database
from rag.storage.store import Store


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer() as running:
        yield running


@pytest.fixture
def endpoints(folder: Path) -> Iterator[Endpoints]:
    store, database = Store(folder / DATABASE), Database(folder / DATABASE)
    opened = Endpoints(store, database, lambda: EndpointSettings(timeout_s=5, retries=2))
    yield opened
    opened.close()
    database.close()
    store.close()


class _InMemory(keyring.backend.KeyringBackend):
    """A keyring of the library's own kind that forgets everything at the end of the test."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def memory_keyring() -> Iterator[dict[tuple[str, str], str]]:
    before, made = keyring.get_keyring(), _InMemory()
    keyring.set_keyring(made)
    yield made.kept
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)
