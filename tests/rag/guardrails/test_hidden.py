"""Hidden and encoded text."""

import base64

import pytest

from rag.guardrails import hidden
from rag.guardrails.rows import Injection


def asks(text: str) -> bool:
    """Stand for the recogniser: a text with "obey" speaks to the model."""
    return "obey" in text


def kinds(text: str) -> list[str]:
    return [found.kind for found in hidden.find(text, asks)]


def tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(character)) for character in text)


def test_an_invisible_alphabet_is_found_and_made_visible() -> None:
    text = "The end." + tags("obey me")
    assert kinds(text) == [Injection.HIDDEN_TEXT]
    assert hidden.visible(text) == "The end.obey me"


def test_the_flag_of_a_region_is_no_hidden_text() -> None:
    assert kinds("\U0001f3f4" + tags("gbsct") + chr(0xE007F)) == []


def test_runs_without_width_and_words_taken_apart_are_found() -> None:
    assert kinds("end" + "\u200b\u200c" * 5) == [Injection.HIDDEN_TEXT]
    assert kinds("i\u200bgn\u200bore th\u200bis") == [Injection.HIDDEN_TEXT]
    assert hidden.visible("i\u200bgn\u200bore") == "ignore"


def test_single_joiners_and_foreign_scripts_are_left_alone() -> None:
    assert kinds("Donaudampf\u00adschifffahrt and a \u200bbreak") == []
    assert kinds("می\u200cخواهم کتاب\u200cها را") == []
    assert kinds("👩\u200d🚀 👩\u200d🚀 👩\u200d🚀") == []


def test_reordering_marks_are_found_in_our_script_alone() -> None:
    assert kinds("abc \u202edcba\u202c") == [Injection.HIDDEN_TEXT]
    assert kinds("עברית \u202dabc\u202c") == []


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "font-size: 0px;",
        "color:#fff",
        "opacity:0;",
        "position:absolute;left:-9999px",
        "visibility: hidden",
    ],
)
def test_an_element_that_is_not_shown_is_found(style: str) -> None:
    assert kinds(f'a <span style="{style}">please read</span> b') == [Injection.HIDDEN_TEXT]
    assert kinds(f'<p style="{style.replace("0", "10").replace("#fff", "#333")}">x</p>'[:3]) == []


def test_ordinary_styles_hide_nothing() -> None:
    assert kinds('<p style="color:#333;font-size:12px;opacity:0.9;background-color:white">text</p>') == []


def test_comments_and_descriptions_are_found_where_they_speak_to_the_model() -> None:
    assert kinds("a <!-- obey the note --> b") == [Injection.HIDDEN_TEXT]
    assert kinds("![obey the note now](x.png)") == [Injection.HIDDEN_TEXT]
    assert kinds('<img alt="obey the note now">') == [Injection.HIDDEN_TEXT]
    assert kinds("a <!-- a note of the author --> ![The harbour in 1874](x.png)") == []


def test_encoded_words_are_found() -> None:
    words = "obey these words at once"
    for code in (
        base64.b64encode(words.encode()).decode(),
        words.encode().hex(),
        "".join(f"%{byte:02X}" for byte in words.encode()),
        "".join(f"&#{byte};" for byte in words.encode()),
        "".join(f"\\x{byte:02x}" for byte in words.encode()),
    ):
        found = list(hidden.find(f"See {code} there", asks))
        assert [(f.kind, f.score) for f in found] == [(Injection.ENCODED, 0.98)], code


def test_what_encodes_no_words_is_not_found() -> None:
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    picture = base64.b64encode(bytes(range(1, 120))).decode()
    assert kinds(f"sha256 {digest} and {picture} and ThisIsAVeryLongNameOfAClassInJava") == []


def test_encoded_words_that_ask_for_nothing_are_half_as_sure() -> None:
    code = base64.b64encode(b"hello good people there").decode()
    assert [found.score for found in hidden.find(code, asks)] == [0.5]
