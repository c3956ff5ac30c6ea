"""The first hour in the real window with the starter models; `python -m tests.window.first_hour` prints it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from window.first_hour import MOST, first_hour

from app.main_window import MainWindow

pytestmark = pytest.mark.models


def test_the_first_hour_takes_at_most_sixty_clicks_and_keys(
    make_real_window: Callable[[Path], MainWindow], tmp_path: Path
) -> None:
    documents = tmp_path / "harbour"
    documents.mkdir()
    hands = first_hour(make_real_window(tmp_path / "data"), documents)
    assert hands.count <= MOST, hands.counts
