"""A server that can misbehave, and the endpoints of an empty data folder."""

from collections.abc import Iterator
from pathlib import Path

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
