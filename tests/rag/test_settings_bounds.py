"""Every bound of every setting, read from the model itself: what is allowed is kept, the next value is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.settings import Section, Settings

DEFAULTS = Settings()


def fields() -> Iterator[tuple[str, str, Any]]:
    """(section, key, field) of every setting."""
    for section, outer in Settings.model_fields.items():
        kind = outer.annotation
        assert isinstance(kind, type) and issubclass(kind, Section)
        for key, field in kind.model_fields.items():
            yield section, key, field


def bounds(field: Any) -> tuple[float | None, float | None, bool, bool]:
    """(lowest, highest, lowest is left out, highest is left out) of a number."""
    low = high = None
    low_open = high_open = False
    for mark in field.metadata:
        if isinstance(mark, annotated_types.Ge):
            low = float(mark.ge)  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Gt):
            low, low_open = float(mark.gt), True  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Le):
            high = float(mark.le)  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Lt):
            high, high_open = float(mark.lt), True  # type: ignore[arg-type]
    return low, high, low_open, high_open


NUMBERS = [(section, key, field) for section, key, field in fields() if field.annotation in (int, float)]
CHOICES = [
    (section, key, field) for section, key, field in fields() if get_origin(field.annotation) is Literal
]


@pytest.mark.parametrize(
    ("section", "key", "field"), NUMBERS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_number_is_kept_up_to_its_bounds_and_refused_beyond(section: str, key: str, field: Any) -> None:
    low, high, low_open, high_open = bounds(field)
    assert low is not None and high is not None, "every number is bounded"
    step = 1 if field.annotation is int else 1e-6
    inside = [low + step if low_open else low, high - step if high_open else high]
    beyond = [low if low_open else low - step, high if high_open else high + step]
    for value in inside:
        typed = field.annotation(value)
        assert getattr(getattr(DEFAULTS.changed(section, key, typed), section), key) == pytest.approx(typed)
    for value in beyond:
        with pytest.raises(RagError, match=rf"^{section}\.{key}: "):
            DEFAULTS.changed(section, key, field.annotation(value))


@pytest.mark.parametrize(
    ("section", "key", "field"), NUMBERS, ids=lambda value: value if isinstance(value, str) else ""
)
@pytest.mark.parametrize("value", [math.nan, math.inf, "many", None, [1]])
def test_what_is_no_number_is_refused(section: str, key: str, field: Any, value: Any) -> None:
    with pytest.raises(RagError):
        DEFAULTS.changed(section, key, value)


@pytest.mark.parametrize(
    ("section", "key", "field"), CHOICES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_choice_takes_its_values_and_no_other(section: str, key: str, field: Any) -> None:
    for value in get_args(field.annotation):
        assert getattr(getattr(DEFAULTS.changed(section, key, value), section), key) == value
    with pytest.raises(RagError, match=rf"^{section}\.{key}: "):
        DEFAULTS.changed(section, key, "nonsense")


def test_the_defaults_are_inside_their_bounds() -> None:
    for section, key, _field in fields():
        value = getattr(getattr(DEFAULTS, section), key)
        assert getattr(getattr(DEFAULTS.changed(section, key, value), section), key) == value


@pytest.mark.parametrize(("section", "key"), [("nothing", "seed"), ("generation", "nothing"), ("", "")])
def test_a_setting_that_is_not_there_is_named(section: str, key: str) -> None:
    with pytest.raises(RagError, match="There is no setting"):
        DEFAULTS.changed(section, key, 1)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    temperature=st.floats(0, 2),
    passages=st.integers(1, 50),
    folder=st.text(max_size=30),
)
def test_any_allowed_settings_survive_the_file(
    tmp_path_factory: pytest.TempPathFactory, seed: int, temperature: float, passages: int, folder: str
) -> None:
    path: Path = tmp_path_factory.mktemp("settings") / "settings.toml"
    chosen = DEFAULTS.changed("generation", "seed", seed).changed("generation", "temperature", temperature)
    chosen = chosen.changed("retrieval", "max_passages", passages).changed("models", "folders", [folder])
    chosen.save(path)
    assert Settings.load(path) == chosen


def test_a_changed_section_has_another_fingerprint_and_the_others_keep_theirs() -> None:
    changed = DEFAULTS.changed("generation", "seed", 7)
    assert changed.generation.fingerprint() != DEFAULTS.generation.fingerprint()
    assert changed.retrieval.fingerprint() == DEFAULTS.retrieval.fingerprint()
    assert len(changed.generation.fingerprint()) == 16
