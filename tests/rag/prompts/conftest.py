"""The store and the database of an empty workspace."""

import pytest

from rag.storage.database import Database
from rag.storage.store import Store
from rag.workspace import Workspace


@pytest.fixture
def store(workspace: Workspace) -> Store:
    return workspace.store


@pytest.fixture
def database(workspace: Workspace) -> Database:
    return workspace.database
