"""Toxic wording and tone."""

import pytest

from rag.evaluation.safety.wording import tone, toxic_words


@pytest.mark.parametrize(
    "text", ["You are an idiot.", "What an asshole.", "Those people are vermin.", "You stupid fool, shut up."]
)
def test_an_insult_is_found(text: str) -> None:
    assert toxic_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "The word idiot comes from Greek.",
        'He was called "idiot" by nobody.',
        "The Idiot is a novel, and the term moron was once medical.",
        "You are not stupid.",
        "The farm keeps pigs and guinea pigs.",
        "It was a pathetic harvest.",
        "Filthy water was filtered.",
    ],
)
def test_a_word_that_insults_nobody_is_not(text: str) -> None:
    assert toxic_words(text) == []


def test_a_place_is_that_of_the_word() -> None:
    text = "You are an idiot."
    (place,) = toxic_words(text)
    assert text[slice(*place)] == "idiot"


def test_tone_goes_from_cold_to_warm() -> None:
    assert tone("Thank you, we are glad to support you.") == 1
    assert tone("Unfortunately this is wrong and dangerous.") == -1
    assert tone("The mill was built in 1792.") == 0
    assert tone("Thanks, you idiot.") < 0
