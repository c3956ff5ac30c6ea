"""Markdown: what is shown, where it comes from in the source, and what must never be lost or obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.markdown import Block, Kind, parse, plain_text, shown

PIECES = [
    *"*_`~#>-+|[]()!\\<>&:.\n\t 0179",
    "**", "```", "\n\n", "\n- ", "\n1. ", "\n> ", "    ", "word", "Über", "🙂", "日本", "[1]", "[a](http://x.y)", "| a | b |\n|---|---|\n",
]  # fmt: skip


def texts(source: str) -> list[str]:
    return [block.text for block in parse(source)]


def test_each_kind_of_block_is_read_without_its_syntax() -> None:
    source = (
        "# Storing *it* #\n\nKeep it **dry**, `cold` and\n_dark_ [1].\n\n- one\n- two\n\n3. three\n   more\n\n"
        "> said\n\n| a | b |\n|---|--:|\n| **1** | x\\|y |\n\n```py\nif x:\n  y()\n```\n\n---\n"
    )
    blocks = parse(source)
    assert [block.kind for block in blocks] == [
        Kind.HEADING, Kind.PARAGRAPH, Kind.PARAGRAPH, Kind.PARAGRAPH, Kind.PARAGRAPH, Kind.PARAGRAPH, Kind.TABLE,
        Kind.CODE, Kind.RULE,
    ]  # fmt: skip
    assert [block.text for block in blocks] == [
        "Storing it", "Keep it dry, cold and\ndark [1].", "one", "two", "three\nmore", "said", "a\tb\n1\tx|y",
        "if x:\n  y()", "",
    ]  # fmt: skip
    assert [item.number for block in blocks for item in block.items] == [None, None, 3]
    assert blocks[2].items[0].list_start == blocks[3].items[0].list_start != blocks[4].items[0].list_start
    assert blocks[0].level == 1 and blocks[5].quotes == 1 and blocks[6].right == {1}
    words = {run.text: run for block in blocks for run in block.all_runs}
    assert words["dry"].bold and words["cold"].code and words["dark"].italic and words["1"].bold


def test_nested_lists_know_their_depth_and_which_paragraph_has_the_bullet() -> None:
    blocks = parse("- one\n\n  more of one\n  1. first\n  2. second\n- two")
    assert [(block.text, len(block.items), block.opens_item) for block in blocks] == [
        ("one", 1, True), ("more of one", 1, False), ("first", 2, True), ("second", 2, True), ("two", 1, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        '<img src="file:///etc/passwd">',
        "<script>alert(1)</script>",
        "[1]: http://127.0.0.1:9/x",
        "[x](file:///etc/passwd)",
        "[x](javascript:alert(1))",
        "&lt;b&gt; &amp; <http://x.y>",
    ],
)
def test_what_could_load_or_run_something_is_shown_as_it_is_written(source: str) -> None:
    assert texts(source) == [source]
    assert not any(run.href for block in parse(source) for run in block.all_runs)


def test_only_addresses_of_the_web_are_links_and_an_image_is_one_of_them() -> None:
    (block,) = parse(
        'See [the *page*](https://a.b/c "title") and [mail](mailto:a@b.c) ![pic](http://a.b/p.png).'
    )
    assert block.text == "See the page and mail !pic."
    assert [(run.text, run.href) for run in block.runs if run.href] == [
        ("the ", "https://a.b/c"), ("page", "https://a.b/c"), ("pic", "http://a.b/p.png"),
    ]  # fmt: skip


def test_what_is_cut_off_is_shown_as_far_as_it_goes() -> None:
    assert texts("```\nif x:") == ["if x:"]
    assert texts("It is **very") == ["It is **very"]
    assert texts("| a | b |\n|---|") == ["| a | b |\n|---|"]
    assert texts("") == texts("\n \n") == []


def test_cells_that_a_table_has_no_column_for_are_not_lost() -> None:
    assert texts("| a |\n|---|\n| 1 | 2 |") == ["| a |\n|---|\n| 1 | 2 |"]


def test_what_is_nested_too_deep_is_not_lost() -> None:
    source = "> " * 300 + "word"
    assert "word" in texts(source)[0]
    assert "deep" in texts("- " * 200 + "deep")[0]


def test_a_text_is_copied_with_bullets_and_numbers_and_without_syntax() -> None:
    source = "## Rest\n\n- **one** [1]\n- two\n  1. three\n\n---\n\nEnd."
    assert plain_text(source) == "Rest\n\n• one [1]\n• two\n  1. three\n\nEnd."


def places(blocks: list[Block]) -> list[tuple[int, int]]:
    return [(run.start, run.end) for block in blocks for run in block.all_runs]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
def test_every_run_shows_the_characters_of_its_place_and_no_word_is_lost(pieces: list[str]) -> None:
    source = "".join(pieces)
    blocks = parse(source)
    clean = source
    covered = list(source)
    last = 0
    for block in blocks:
        assert block.top <= min((run.start for run in block.all_runs), default=block.top)
        for run in block.all_runs:
            assert last <= run.start < run.end, "in order, none twice"
            last = run.end
            assert len(run.text) == run.end - run.start
            assert run.text == clean[run.start : run.end] or (run.code and run.text == " ")
            covered[run.start : run.end] = " " * len(run.text)
    for word in ("word", "Über", "🙂", "日本"):
        in_code_line = sum(  # what stands behind the opening fence is the name of a language
            line.count(word) for line in source.split("\n") if "```" in line
        )
        assert "".join(covered).count(word) <= in_code_line


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30), data=st.data())
def test_a_text_read_from_an_outermost_block_on_is_read_alike(pieces: list[str], data: st.DataObject) -> None:
    source = "".join(pieces)
    blocks = parse(source)
    if not blocks:
        return
    top = data.draw(st.sampled_from([block.top for block in blocks]))
    rest = parse(source[top:])
    whole = [block for block in blocks if block.top >= top]
    assert [block.text for block in rest] == [block.text for block in whole]
    assert [(start + top, end + top) for start, end in places(rest)] == places(whole)


def test_what_is_shown_of_a_sentence_knows_where_each_character_comes_from() -> None:
    source = "- **Rye** rests `14` hours [1]"
    text, offsets = shown(source)
    assert text == "Rye rests 14 hours [1]"
    assert [source[offset] for offset in offsets] == list(text)
    row = "| wheat | 2 |"
    assert shown(row)[0] == row  # a row without its table
    assert shown("| a | b |\n|---|---|\n| c | d |")[0] == "a b c d"
    assert shown("") == ("", [])
