"""What every table of the settings does: unknown keys are refused, and equal values have one fingerprint."""

import pytest
from pydantic import ValidationError

from rag.settings import Settings
from rag.settings.exchange import ServerSettings
from rag.settings.section import Section


class Small(Section):
    number: int = 1
    text: str = "a"


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="nubmer"):
        Small.model_validate({"nubmer": 2})


def test_a_value_of_another_kind_is_refused_when_it_is_set() -> None:
    small = Small()
    with pytest.raises(ValidationError):
        small.number = "many"  # type: ignore[assignment]
    assert small.number == 1


def test_a_fingerprint_depends_on_the_values_alone() -> None:
    assert Small(number=2, text="b").fingerprint() == Small(text="b", number=2).fingerprint()
    assert Small().fingerprint() != Small(number=2).fingerprint()
    assert len(Small().fingerprint()) == 16


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_table_of_the_settings_is_a_section_that_needs_no_value(name: str) -> None:
    section = getattr(Settings(), name)
    assert isinstance(section, Section)
    assert type(section)() == section


def test_tables_of_equal_values_but_another_kind_are_told_apart() -> None:
    assert ServerSettings().fingerprint() != Small().fingerprint()
