"""The language of a text: by its script, by common words, and unknown where neither says enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.languages import _COMMON, _SCRIPTS, foreign_parts, language_name, language_of

ENGLISH = "The boat leaves when the tide is high, and it is not far from here."
GERMAN = "Das Boot fährt mit der Flut und dem Wind nach Bremen, und es ist nicht weit."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        ("Le bateau est dans le port et il ne part pas avec nous sur la mer.", "fr"),
        ("El barco sale cuando la marea está alta, y no está muy lejos de la casa.", "es"),
        ("La nave parte con il vento e non è lontana dal porto della città.", "it"),
        ("De boot vaart met het tij naar de haven en het is niet ver van hier.", "nl"),
        ("Это хлеб и вода", "ru"),
        ("Το πλοίο φεύγει", "el"),
        ("これは正午に出るふねです。", "ja"),
        ("船舶正午出港は東京", "ja"),
        ("船在中午离开港口。", "zh"),
        ("배는 정오에 출발합니다", "ko"),
        ("السفينة تغادر", "ar"),
        ("הספינה יוצאת", "he"),
    ],
)
def test_a_language_is_recognised(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text", ["", "42", "...", "Oslo Bergen", "in die de", "Bread bread bread bread bread"]
)
def test_too_little_says_nothing(text: str) -> None:
    assert language_of(text) == ""


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert language_of(ENGLISH + " " * 4000 + GERMAN * 100) == "en"


def test_foreign_parts_are_told_and_a_short_one_is_as_the_prose_is() -> None:
    assert foreign_parts([ENGLISH, GERMAN, "Boot 3"], ENGLISH) == [False, True, False]
    assert foreign_parts([ENGLISH, GERMAN, "Boot 3"], GERMAN) == [False, True, True]
    assert foreign_parts(["Boot 3"], "42") == [False]
    assert foreign_parts([], ENGLISH) == []


@given(st.text())
def test_any_text_has_a_language_or_none(text: str) -> None:
    found = language_of(text)
    assert found == "" or (found.isalpha() and found.islower())


def test_languages_have_english_names() -> None:
    assert language_name("de") == "German"
    assert language_name("xx") == "xx"
    assert all(language_name(code) != code for code in (*_COMMON, *set(_SCRIPTS.values())))
