"""Fixtures for the tests of erasing."""

from pathlib import Path

import pytest
from erasable import write_files


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A secret document, a copy of it, and a harmless one that shares a sentence with them."""
    return write_files(tmp_path / "files")
