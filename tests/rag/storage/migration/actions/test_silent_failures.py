"""The frozen detector of step 5 says what the detector of its day said."""

import pytest

from rag.grounding.silent_failures import silent_failures
from rag.storage.migration.actions.silent_failures import silent_failures_of_step_5


@pytest.mark.parametrize(
    ("answer", "finish_reason", "passages"),
    [
        ("", "length", 0),
        (" [1] ...", "stop", 1),
        ("The boat leaves at noon. " * 6, "stop", 1),
        ("Das Boot fährt mit der Flut und dem Wind nach Bremen, und es ist nicht weit von hier.", "stop", 1),
        ("It leaves at noon [3].", "length", 2),
        ("`x[7]` is code, and [2] is a passage.", "stop", 2),
        ("船は正午に出ます。" * 5, "stop", 1),
    ],
)
def test_the_frozen_detector_says_what_the_detector_of_its_day_said(
    answer: str, finish_reason: str, passages: int
) -> None:
    question = "When does the boat leave from the harbour of the town?"
    expected = silent_failures(question, answer, finish_reason, passages)
    found = silent_failures_of_step_5(question, answer, finish_reason, passages)
    assert found == expected
