"""The short, fixed part of tests/attacks.py: a few bombs and damaged files, always the same ones."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import (
    BOMBS,
    Watched,
    attack,
    attack_batch,
    attack_models,
    bombs,
    damaged_documents,
    is_sentence,
    mutated,
)

from rag.parsing.worker import Limits

QUICK = Limits(memory_bytes=400_000_000, seconds=4, output_bytes=4 << 20)


@pytest.fixture(scope="module")
def reader() -> Iterator[Watched]:
    made = Watched(QUICK)
    yield made
    made.close()


@pytest.mark.parametrize("name", ["xlsx far cell, tab", "csv heading of 1 MB", "docx gridSpan", "pdf forms"])
def test_a_bomb_ends_in_a_document_or_one_sentence(tmp_path: Path, reader: Watched, name: str) -> None:
    suffix, content = BOMBS[name](1)
    path = tmp_path / f"bomb.{suffix}"
    path.write_bytes(content)
    assert (outcome := attack(name, path, reader)).held, outcome


def test_a_batch_with_bombs_saves_its_good_files_and_does_not_try_again(tmp_path: Path) -> None:
    paths = [
        path for name in ("far cell, single quotes", "csv heading") for _, path in bombs(tmp_path, 1, name)
    ]
    moved = [path.rename(tmp_path / f"{number}{path.suffix}") for number, path in enumerate(paths)]
    assert (outcome := attack_batch(moved, tmp_path, QUICK)).held, outcome


def test_damaged_documents_are_read_or_refused(tmp_path: Path, reader: Watched) -> None:
    outcomes = [
        attack(name, path, reader) for name, path in damaged_documents(tmp_path, 24, random.Random(7))
    ]
    assert [outcome for outcome in outcomes if not outcome.held] == []


def test_damaged_models_are_looked_at_or_refused(tmp_path: Path) -> None:
    outcomes = attack_models(40, random.Random(7), tmp_path)
    assert [outcome for outcome in outcomes if not outcome.held] == []


def test_damage_is_the_same_for_the_same_seed_and_a_traceback_is_no_sentence() -> None:
    assert mutated(bytes(5000), random.Random(1)) == mutated(bytes(5000), random.Random(1)) != bytes(5000)
    assert is_sentence("The file is empty.")
    assert not is_sentence("ValueError('x')")
    assert not is_sentence("Traceback (most recent call last):\n  x.")
