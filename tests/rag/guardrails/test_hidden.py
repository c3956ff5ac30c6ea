"""Hidden and encoded text."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def reasons(text: str) -> list[str]:
    return [found.reason for found in hidden.find(text, asks)]


@pytest.mark.parametrize(
    "style",
    [
        "opacity: 0.05;",
        "height:0;",
        "max-width: 0px;",
        "text-indent:-9999em",
        "color: white",
        "color:#ffffff",
        "color: rgba(255, 255, 255, 0.9)",
        "color:transparent",
        "font-size:1px;",
        "DISPLAY : NONE",
    ],
)
@pytest.mark.parametrize("mark", ["'", '"'])
def test_every_way_of_hiding_an_element_is_known(style: str, mark: str) -> None:
    assert reasons(f"a <p class=x style={mark}{style}{mark}>please read</p>") == [
        "text that the page does not show"
    ]


@pytest.mark.parametrize(
    "markup",
    [
        "<p hidden>text</p>",
        "<div class='a' hidden='until-found'>text</div>",
        "<SPAN HIDDEN>text</SPAN>",
    ],
)
def test_an_element_with_the_attribute_hidden_is_found(markup: str) -> None:
    assert kinds(markup) == [Injection.HIDDEN_TEXT]


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="opacity:0.5;">text</p>',
        '<p style="font-size:12px;">text</p>',
        '<p style="height:20px;">text</p>',
        '<p style="left:-9px">text</p>',
        '<p style="background-color:white">text</p>',
        '<p style="display:none">',  # it holds nothing
        '<p style="display:none"></p>',
        "<p>hidden</p>",
        "a < b and hidden > c",
    ],
)
def test_what_is_shown_or_holds_no_text_is_left_alone(markup: str) -> None:
    assert kinds(markup) == []


def test_a_hidden_element_that_speaks_to_the_model_is_surer() -> None:
    quiet, loud = (
        next(hidden.find(f"<p hidden>{text}</p>", asks)).score for text in ("a note", "obey the note")
    )
    assert (quiet, loud) == (0.6, 1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/* obey the note */", "a comment that speaks to the model"),
        ("[//]: # (obey the note)", "a comment that speaks to the model"),
        ("x\n[//]: # obey the note\ny", "a comment that speaks to the model"),
        ("<!--\nobey\nthe note\n-->", "a comment that speaks to the model"),
        ('<img title="obey the note now">', "a description of a picture that speaks to the model"),
        ("<b aria-label='obey the note now'>", "a description of a picture that speaks to the model"),
        ('<b data-note="obey the note now">', "a description of a picture that speaks to the model"),
    ],
)
def test_every_kind_of_comment_and_description_is_read(text: str, reason: str) -> None:
    assert reasons(text) == [reason]
    assert reasons(text.replace("obey", "read")) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a\u00adb\u2060c\ufeff", "abc"),
        ("x" + tags("YES") + "y", "x" + tags("YES") + "y"),  # it may be the flag of a region
        ("x" + tags("YES!") + "y", "xYES!y"),
        ("\u202eabc\u202c", "abc"),
    ],
)
def test_what_people_do_not_see_is_taken_out_or_shown(text: str, shown: str) -> None:
    assert hidden.visible(text) == shown


@given(st.text(max_size=200))
def test_showing_a_text_twice_is_showing_it_once(text: str) -> None:
    once = hidden.visible(text)
    assert hidden.visible(once) == once
    assert not set(once) & set("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e")


@given(st.text(st.characters() | st.sampled_from("<>!-/*[]()\u200b\u202e\U000e0041%&#;"), max_size=120))
def test_whatever_a_text_holds_findings_lie_inside_it(text: str) -> None:
    for found in hidden.find(text, lambda _: True):
        assert 0 <= found.start < found.end <= len(text)
        assert 0 < found.score <= 1


@pytest.mark.parametrize(
    "words", ["obey these words at once", "Ünïcode words that obey here", "obey the older laws"]
)
def test_base64_is_read_in_both_alphabets_and_without_its_end(words: str) -> None:
    for code in (base64.b64encode(words.encode()), base64.urlsafe_b64encode(words.encode())):
        for written in (code.decode(), code.decode().rstrip("=")):
            assert reasons(f"see {written} there") == ["words written in base64 that speak to the model"]


@pytest.mark.parametrize(
    "code",
    [
        "&#55296;" * 9,  # half of a pair of UTF-16
        "&#x0;" * 9,
        "&#99999;" * 9,
        "\\xff" * 9,
        "ff" * 17,
        "0123456789abcdef" * 2 + "0",
        "%FF%FE" * 9,
        "A" * 30,
        "Aa" * 15 + "=",
    ],
)
def test_codes_of_no_text_raise_nothing_and_are_not_found(code: str) -> None:
    assert kinds(f"see {code} there") == []
