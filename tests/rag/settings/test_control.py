"""How long data are kept: for ever at first, and never for a negative time."""

import pytest
from pydantic import ValidationError

from rag.settings.control import GovernanceSettings

DAYS = [name for name in GovernanceSettings.model_fields if name.endswith("_days")]


def test_everything_is_kept_until_a_person_says_how_long() -> None:
    assert len(DAYS) == 5
    assert {getattr(GovernanceSettings(), name) for name in DAYS} == {0}


@pytest.mark.parametrize("name", DAYS)
@pytest.mark.parametrize("days", [-1, 36_501, "a week"])
def test_a_time_that_cannot_be_is_refused(name: str, days: object) -> None:
    with pytest.raises(ValidationError):
        GovernanceSettings.model_validate({name: days})


@pytest.mark.parametrize("name", DAYS)
def test_a_hundred_years_are_the_most(name: str) -> None:
    assert getattr(GovernanceSettings.model_validate({name: 36_500}), name) == 36_500


def test_no_head_is_written_until_a_folder_is_named() -> None:
    assert GovernanceSettings().head_folder == GovernanceSettings().sign_key == ""
