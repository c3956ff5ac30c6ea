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


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"a\*b\*c", "a*b*c"),
        (r"\# no heading", "# no heading"),
        (r"1\. no list", "1. no list"),
        (r"\[1\]", "[1]"),
        ("a\\\nb", "a\nb"),
        ("a  \nb", "a\nb"),
        ("**a*", "*a"),
        ("***x***", "x"),
        ("__b__ and _i_", "b and i"),
        ("*a **b** c*", "a b c"),
        ("~~x~~", "~~x~~"),
    ],
)
def test_what_is_escaped_stands_for_itself_and_what_is_marked_loses_its_marks(source: str, text: str) -> None:
    assert texts(source) == [text]


@pytest.mark.parametrize(
    "source",
    [
        "rows_per_second",
        "$a_1 * b_2$",
        "5 * 3 * 2",
        "####### seven",
        "#hashtag",
        "a\n===",
        "[x][1]",
        "[1][2]",
        "a&amp;b &copy;",
        "https://a.b/c",
        "<https://a.b>",
        "<b>x</b>",
        "<!-- note -->",
        "\ufeffa",
        "[never closed](http://a.b",
        "![",
        "`open",
    ],
)
def test_what_only_looks_like_markdown_is_left_alone(source: str) -> None:
    (block,) = parse(source)
    assert (block.kind, block.text) == (Kind.PARAGRAPH, source)
    assert not any(run.href or run.bold or run.italic or run.code for run in block.runs)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("`` a`b ``", "a`b"),
        ("` a `", "a"),
        ("`a\nb`", "a b"),
        ("`[x](http://a.b)`", "[x](http://a.b)"),
        (r"`a\*b`", r"a\*b"),
        ("`**`", "**"),
        ("````\n```\n````", "```"),
        ("~~~\nx\n~~~", "x"),
        ("```\n\na\n\n```", "\na\n"),
        ('```py title="x"\na\n```', "a"),
        ("> ```\n> x\n> ```", "x"),
        ("- ```\n  x\n  ```", "x"),
        ("```\n**a** | b\n```", "**a** | b"),
        ("```\n```", ""),
    ],
)
def test_nothing_is_syntax_in_code(source: str, code: str) -> None:
    (block,) = parse(source)
    assert block.text == code
    assert all(run.code and not run.bold and not run.href for run in block.runs)


@pytest.mark.parametrize(
    ("source", "href"),
    [
        ("[x](http://a.b 'Title')", "http://a.b"),
        ("[x](<http://a.b/c d>)", "http://a.b/c%20d"),
        ("[x](HTTPS://A.B)", "HTTPS://A.B"),
        ("[**x**](https://x.y)", "https://x.y"),
        ("[x]( https://x.y )", "https://x.y"),
        ("[x]()", ""),
        ("[x](http:/a)", ""),
        ("[x](//a.b)", ""),
        ("[x](/etc/passwd)", ""),
        ("[x](#part)", ""),
        ("[x](ftp://a.b)", ""),
        ("[x](ragdeck:open)", ""),
        ("[x](xhttp://a.b)", ""),
    ],
)
def test_a_link_leads_to_the_web_or_nowhere(source: str, href: str) -> None:
    (run,) = parse(source)[0].runs
    assert (run.text, run.href) == ("x", href)


@pytest.mark.parametrize(
    ("source", "rows", "right"),
    [
        ("a | b\n--|--\n1 | 2", [["a", "b"], ["1", "2"]], []),
        ("| a | b |\n|:-:|--:|\n| 1 |", [["a", "b"], ["1", ""]], [1]),
        ("|a|b|\n|:-|-|\n||x|", [["a", "b"], ["", "x"]], []),
        ("| a |\n|--:|\n| 1 |\n| 2 |", [["a"], ["1"], ["2"]], [0]),
        ("| a |\n|---|", [["a"]], []),
        ("> | a |\n> |---|\n> | 1 |", [["a"], ["1"]], []),
        ("| a |\n|---|\n| [x](http://a.b) *y* |", [["a"], ["x y"]], []),
        ("| a |\n|---|\n| \\* |", [["a"], ["*"]], []),
        ("| a |\n|---|\n| x\\|y |", [["a"], ["x|y"]], []),
        ("| a |\n|---|\n| `x\\|y` |", [["a"], ["x|y"]], []),
        ("| a |\n|---|\n| `\\|-` |", [["a"], ["|-"]], []),
        ("| same | same |\n|---|---|\n| same | same |", [["same", "same"], ["same", "same"]], []),
    ],
)
def test_a_table_is_rows_of_cells_that_know_their_places(
    source: str, rows: list[list[str]], right: list[int]
) -> None:
    (block,) = parse(source)
    assert block.kind is Kind.TABLE
    assert [["".join(run.text for run in cell) for cell in row] for row in block.rows] == rows
    assert sorted(block.right) == right
    assert all(source[run.start : run.end] == run.text for run in block.all_runs)
    assert places([block]) == sorted(set(places([block]))), "no place twice"


def test_the_header_of_a_table_is_needed_and_a_paragraph_ends_before_one() -> None:
    assert [block.kind for block in parse("| a | b |\n| 1 | 2 |")] == [Kind.PARAGRAPH]
    assert [block.kind for block in parse("Prices:\n| a |\n|---|\n| 1 |\n\nEnd.")] == [
        Kind.PARAGRAPH, Kind.TABLE, Kind.PARAGRAPH,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "numbers"),
    [
        ("1) a\n2) b", [[1], [2]]),
        ("5. a\n5. b", [[5], [6]]),
        ("0. a", [[0]]),
        ("10. x\n11. y", [[10], [11]]),
        ("* a\n+ b", [[None], [None]]),
        ("1. a\n   - b\n     1. c", [[1], [1, None], [1, None, 1]]),
        ("- a\n  1. b\n  2. c\n- d", [[None], [None, 1], [None, 2], [None]]),
        ("In\n1986. a year", [[]]),
        ("> - a\n>   - b", [[None], [None, None]]),
        ("999999999. a", [[999999999]]),
    ],
)
def test_an_item_knows_its_number_in_every_list_around_it(
    source: str, numbers: list[list[int | None]]
) -> None:
    assert [[item.number for item in block.items] for block in parse(source)] == numbers
    assert all(block.opens_item == bool(block.items) for block in parse(source))


@pytest.mark.parametrize(
    ("source", "copied"),
    [
        ("1. a\n   - b\n     1. c", "1. a\n  • b\n    1. c"),
        ("9. a\n10. b", "9. a\n10. b"),
        ("- a\n\n  more", "• a\n\n  more"),
        ("para\n- a\n- b\nlazy", "para\n\n• a\n• b\nlazy"),
        ("- [ ] todo\n- [x] done", "• [ ] todo\n• [x] done"),
        ("> said\n\nmeant", "said\n\nmeant"),
        ("a\n---\nb", "a\n\nb"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a\tb\n1\t2"),
        ("# \n\nx", "x"),
        ("***", ""),
        ("", ""),
    ],
)
def test_what_is_copied_keeps_its_shape(source: str, copied: str) -> None:
    assert plain_text(source) == copied


def test_line_ends_and_characters_that_no_text_has_keep_their_places() -> None:
    assert texts("a\rb") == ["a\nb"]
    assert texts("a\0b") == ["a\ufffdb"]
    assert parse("x\r\n\r\n**y**")[-1].runs[0].start == len("x\r\n\r\n**")


@pytest.mark.parametrize(
    "source",
    [
        "*" * 800,
        "_a" * 800,
        "[" * 400,
        "![" * 300,
        "`a``b" * 300,
        "\\" * 801,
        "[a](http://x.y" * 100,
        "- " * 800 + "x",
        "1. " * 200 + "x",
        "> - " * 200 + "x",
        "|" * 400 + "\n" + "|-" * 200,
        "```" * 200,
        "&#0;" * 200,
    ],
    ids=lambda source: source[:6],
)
def test_hostile_text_is_read_to_its_end(source: str) -> None:
    blocks = parse(source + "\n\nThe **end**.")
    assert blocks[-1].text.endswith(("The end.", "The **end**.")), "what follows is still shown"
    assert plain_text(source).count("x") >= ("x" in source.rsplit(" ", 1)[-1])


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
def test_every_character_that_is_shown_has_its_place_in_order(pieces: list[str]) -> None:
    source = "".join(pieces)
    text, offsets = shown(source)
    assert len(text) == len(offsets)
    assert offsets == sorted(offsets)
    for character, offset in zip(text, offsets, strict=True):
        assert character == source[offset] or character == " ", "a space stands between lines and cells"


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30))
def test_only_what_a_block_is_tells_what_it_holds(pieces: list[str]) -> None:
    for block in parse("".join(pieces)):
        assert bool(block.level) == (block.kind is Kind.HEADING) and 0 <= block.level <= 6
        assert bool(block.rows) == (block.kind is Kind.TABLE) and not (block.rows and block.runs)
        assert len({len(row) for row in block.rows}) <= 1, "all rows have the columns of the header"
        assert all(column < len(block.rows[0]) for column in block.right)
        assert all(not run.href or run.href.lower().startswith("http") for run in block.all_runs)
        assert not block.opens_item or block.items


@given(text=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40))
def test_a_word_without_marks_is_one_run(text: str) -> None:
    (block,) = parse(text)
    (run,) = block.runs
    assert (run.start, run.end, run.text) == (0, len(text), text)
