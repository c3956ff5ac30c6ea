"""Fixtures of a quarter in which everything has happened, and the report on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from evidence import HOSTILE, copy_folder, fill_folder, open_folder

from rag.governance.report.making import gather_report
from rag.governance.report.period import parse_period
from rag.governance.report.rows import Report
from rag.storage.data_folder import DATABASE
from rag.storage.database import Database
from rag.workspace import Workspace


@pytest.fixture(scope="session")
def stored_quarter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that tests copy or read, and never change."""
    return fill_folder(tmp_path_factory.mktemp("quarter"))


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report on texts that would like to be more than texts."""
    data = fill_folder(tmp_path_factory.mktemp("hostile"), HOSTILE)
    return gather_report(Database(data / DATABASE), "answers", parse_period("2026-Q4"), 1)


@pytest.fixture(scope="session")
def report(stored_quarter: Path) -> Report:
    """The report on the pipeline and the quarter."""
    return gather_report(Database(stored_quarter / DATABASE), "answers", parse_period("2026-Q4"), 1)


@pytest.fixture
def quarter(stored_quarter: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy that a test may change."""
    with open_folder(copy_folder(stored_quarter, tmp_path / "data")) as workspace:
        yield workspace


@pytest.fixture
def report_on(quarter: Workspace) -> Callable[..., Report]:
    """Makes the report on what the copy contains now."""

    def gather(pipeline: str = "", period: str = "2026-Q4") -> Report:
        return gather_report(quarter.database, pipeline, parse_period(period), 1)

    return gather
