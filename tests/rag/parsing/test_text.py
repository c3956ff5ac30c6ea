"""Text in any encoding, Markdown, JSON and notebooks give what people would read."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_files import check, write

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.rows import ParsedDocument
from rag.parsing.text import looks_like_text, read_text


def test_markdown_sections_ignore_hashes_in_code(tmp_path: Path) -> None:
    document = check(
        parse_file(write(tmp_path, "a.md", "# A\n\ntext\n\n```\n# not a heading\n```\n\n## B\n\nmore\n"))
    )
    assert [place.label for place in document.places] == ["A", "A > B"]
    assert document.markup == "markdown"


def test_markdown_is_kept_as_written_with_underlined_headings_and_front_matter(tmp_path: Path) -> None:
    text = "---\ntitle: x\n---\n# A #\n\n````\n```\n# no\n````\n\n\nB\n---\n- item\n---\nend\n"
    document = check(parse_file(write(tmp_path, "a.md", text)))
    assert document.text == text
    assert [place.label for place in document.places] == ["", "A", "A > B"]


def test_a_rule_below_a_paragraph_makes_no_heading(tmp_path: Path) -> None:
    document = check(parse_file(write(tmp_path, "receipt.md", "Shop\nItem 3.50\n---------\nTotal 3.50\n")))
    assert [place.label for place in document.places] == [""]


def test_json_has_a_record_for_each_object_and_keeps_scalars_together(tmp_path: Path) -> None:
    data = {"shop": "x", "open": True, "items": [{"n": "a"}, {"n": "b"}], "tags": [1, 2]}
    document = check(parse_file(write(tmp_path, "a.json", json.dumps(data))))
    assert [place.label for place in document.places] == ["values", "items 1", "items 2", "tags"]
    assert {place.kind for place in document.places} == {"record"}
    assert parse_file(write(tmp_path, "b.json", "[1, 2, 3]")).text == "1, 2, 3"


def test_source_code_is_marked_as_code(tmp_path: Path) -> None:
    document = parse_file(write(tmp_path, "a.py", "def f():\n    return 1\n"))
    assert (document.markup, document.text) == ("code", "def f():\n    return 1\n")


def test_json_lines_and_notebooks_are_read(tmp_path: Path) -> None:
    lines = write(tmp_path, "a.jsonl", '{"q": "one", "n": {"m": [1, 2]}}\n\n{"q": "two"}\n')
    document = check(parse_file(lines))
    assert [place.label for place in document.places] == ["line 1", "line 3"]
    assert "n.m: 1, 2" in document.text
    cells = {"cells": [{"cell_type": "code", "source": ["x = 1\n", "y = 2"]}], "metadata": {}}
    assert "y = 2" in parse_file(write(tmp_path, "a.ipynb", json.dumps(cells))).text
    with pytest.raises(DocumentError, match=r"Line 2 is not valid JSON"):
        parse_file(write(tmp_path, "b.jsonl", '{"a": 1}\n{broken\n'))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Grüße aus Köln, 東京 🙂"),
        ("utf-8-sig", "Grüße aus Köln"),
        ("utf-16", "Grüße aus Köln"),
        ("utf-16-le", "Plain text without a mark, long enough to be seen as such."),
        ("cp1252", "Das Gerät „Aurora“ misst Größen in Köln – über Straße und Brücke, für 20 €."),
        ("latin-1", "Le café était fermé, à cause de la fête où l'été s'achève près de la forêt."),
        ("cp932", "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪"),
        ("cp1252", "Müller"),
        ("cp1252", "name;city\nJosé;Málaga\nAna;León"),
        ("cp1250", "Zażółć gęślą jaźń, to jest polski tekst"),
        ("cp1251", "Москва"),
        ("koi8-r", "Привет мир, это простой текст на русском языке."),
        ("euc_jp", "これは日本語の文章です。東京に住んでいます。名前は佐藤です。"),
        ("iso2022_jp", "これは日本語の文章です。"),
        ("big5", "我們在台北的大學學習中文，這是一個很好的經驗。"),
        ("gb18030", "我们在北京的大学学习中文，这是一个很好的经验，大家都非常喜欢。"),
        ("euc-kr", "우리는 서울에서 한국어를 공부하고 있습니다. 아주 재미있습니다."),
    ],
)
def test_text_in_any_common_encoding_is_read(tmp_path: Path, encoding: str, text: str) -> None:
    assert parse_file(write(tmp_path, "a.txt", text.encode(encoding))).text == text


@given(st.binary(max_size=200))
def test_no_bytes_are_refused_as_text_or_binary_data(data: bytes) -> None:
    assert isinstance(looks_like_text(data), bool)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"plain words", True),
        ("Grüße aus Köln".encode(), True),
        ("Grüße aus Köln".encode("cp1252"), True),
        ("wide text, every other byte is zero".encode("utf-16-le"), True),
        ("cut in a character: ö".encode()[:-1], True),
        ("Журнал склада: насос проверен".encode("koi8-r"), True),
        ("คู่มือการใช้งานเครื่องสูบน้ำ".encode("cp874"), True),
        (bytes(range(128, 256)), False),
        (b"", True),
        (bytes(100), False),
        (bytes(range(256)), False),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", False),
    ],
)
def test_text_is_told_from_binary_data_by_its_beginning(head: bytes, expected: bool) -> None:
    assert looks_like_text(head) is expected


def test_line_breaks_of_all_systems_become_one_kind(tmp_path: Path) -> None:
    assert read_text(write(tmp_path, "a.txt", b"a\r\nb\rc\nd")) == "a\nb\nc\nd"


def test_a_log_with_a_few_zeros_is_text_and_binary_data_is_not(tmp_path: Path) -> None:
    assert read_text(write(tmp_path, "a.log", b"line of a log\n" * 50 + b"\0\n")).startswith("line")
    for name, words in (("a.log", r"ends in \.log"), ("blob", "is called blob")):
        with pytest.raises(DocumentError, match=words):
            read_text(write(tmp_path, name, bytes(range(256))))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("no heading", [""]),
        ("# A\ntext\n## B\nmore\n# C\nend", ["A", "A > B", "C"]),
        ("A\n===\ntext\n\nB\n---\nmore", ["A", "A > B"]),
        ("~~~\n# no\n~~~\n# Yes\ntext", ["", "Yes"]),
        ("```\n# no\nnever closed", [""]),
        ("    # indented code\n", [""]),
        ("#hashtag is no heading\n", [""]),
        ("####### seven\n", [""]),
        ("# Closed ##\ntext", ["Closed"]),
        ("---\nkey: value\n---\ntext", [""]),
        ("* item\n---\n", [""]),
        ("text\n\n---\n\nmore", [""]),
    ],
)
def test_headings_of_markdown_are_those_that_its_readers_see(
    tmp_path: Path, text: str, labels: list[str]
) -> None:
    document = check(parse_file(write(tmp_path, "a.md", text)))
    assert [place.label for place in document.places] == labels
    assert document.text == text


def test_the_first_heading_is_the_title_and_else_the_name_is(tmp_path: Path) -> None:
    assert parse_file(write(tmp_path, "a.md", "intro\n# First\n# Second\nx")).title == "First"
    assert parse_file(write(tmp_path, "notes.md", "text")).title == "notes"


@given(st.lists(st.sampled_from(["# A", "## B", "text", "", "```", "---", "===", "- x", "~~~"]), max_size=14))
def test_markdown_is_never_changed_and_its_sections_cover_it(lines: list[str]) -> None:
    import tempfile

    text = "\n".join(lines)
    if not text.strip():
        return
    with tempfile.TemporaryDirectory() as folder:
        document = check(parse_file(write(Path(folder), "a.md", text)))
    assert document.text == text


@pytest.mark.parametrize(
    ("data", "text", "labels"),
    [
        ([{"a": 1}, {"a": 2}], "a: 1\n\na: 2", ["record 1", "record 2"]),
        ({"a": {"b": {"c": "deep"}}}, "a.b.c: deep", ["a"]),
        ({"list": [[1, 2], [3]]}, "list.1: 1, 2\nlist.2: 3", ["list"]),
        ({"none": None, "empty": "", "zero": 0}, "zero: 0", ["values"]),
        ("just a text", "just a text", ["values"]),
        ({"items": [{"n": "a"}], "n": 1}, "n: 1\n\nitems 1\nn: a", ["values", "items 1"]),
        ([1, {"a": 2}], "1: 1\n2.a: 2", ["values"]),
    ],
)
def test_json_says_in_words_what_is_where(tmp_path: Path, data: Any, text: str, labels: list[str]) -> None:
    document = check(parse_file(write(tmp_path, "a.json", json.dumps(data))))
    assert document.text == text
    assert [place.label for place in document.places] == labels


def test_json_that_nests_a_thousand_levels_is_read_or_refused(tmp_path: Path) -> None:
    assert "x" in parse_file(write(tmp_path, "a.json", "[" * 300 + '"x"' + "]" * 300)).text
    with pytest.raises(DocumentError, match="nested too deeply"):
        parse_file(write(tmp_path, "b.json", "[" * 100_000))


def test_json_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"not valid JSON \(line 3"):
        parse_file(write(tmp_path, "a.json", '{\n"a": 1,\nb: 2}'))


def test_a_notebook_has_a_place_for_each_cell_and_no_outputs(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": "# Title"},
        {"cell_type": "code", "source": ["a = 1\n", "a"], "outputs": [{"text": "printed"}]},
        {"cell_type": "code", "source": ""},
        {"cell_type": "raw"},
    ]
    data = {"cells": cells, "metadata": {"title": "Study"}}
    document = check(parse_file(write(tmp_path, "a.ipynb", json.dumps(data))))
    assert [(place.number, place.label) for place in document.places] == [(1, "cell 1"), (2, "cell 2")]
    assert "printed" not in document.text
    assert (document.title, document.markup) == ("Study", "markdown")
    for wrong in ("[]", '{"worksheets": []}', '{"cells": {}}'):
        with pytest.raises(DocumentError, match="has no cells"):
            parse_file(write(tmp_path, "b.ipynb", wrong))


def account(document: ParsedDocument) -> list[str]:
    return [line.text for line in document.account]


def test_good_lines_of_json_lines_are_read_and_bad_ones_are_named(tmp_path: Path) -> None:
    lines = ['{"id": 1}', '{"id": 2, "msg": "cut off in the', "", '{"id": 3}', "no", '{"id": 4}', "[5"]
    document = check(parse_file(write(tmp_path, "a.jsonl", "\ufeff" + "\n".join(lines[:-1]))))
    assert document.text == "id: 1\n\nid: 3\n\nid: 4"
    assert [place.label for place in document.places] == ["line 1", "line 4", "line 6"]
    assert account(document) == ["2 lines not read (not valid JSON): 2, 5"]
    with pytest.raises(DocumentError, match=r"Line 2 is not valid JSON .* So are 2 other lines\."):
        parse_file(write(tmp_path, "b.jsonl", "\n".join(lines)))


def test_values_over_several_lines_are_read_as_json_lines(tmp_path: Path) -> None:
    text = '{"id": 1}\n{\n "id": 2,\n "msg": "printed"\n}\n{"id": 3, "msg": "a\u2028b"}\n[\n{"id": 4}\n]\n'
    document = check(parse_file(write(tmp_path, "a.jsonl", text)))
    assert document.text == "id: 1\n\nid: 2\nmsg: printed\n\nid: 3\nmsg: a\u2028b\n\n1.id: 4"
    assert [place.label for place in document.places] == ["line 1", "line 2", "line 6", "line 7"]
    assert document.account == ()


def test_a_line_that_nests_too_deeply_is_left_out(tmp_path: Path) -> None:
    text = '{"id": 1}\n' * 3 + "[" * 100_000
    assert account(parse_file(write(tmp_path, "a.jsonl", text))) == ["1 line not read (not valid JSON): 4"]


def test_numbers_and_repeated_names_stay_as_they_are_written(tmp_path: Path) -> None:
    text = (
        '{"price": 1.10, "id": 12345678901234567890.0, "n": NaN, "big": ' + "9" * 5000 + ', "a": 1, "a": 2}'
    )
    lines = parse_file(write(tmp_path, "a.json", text)).text.split("\n")
    assert lines[:3] == ["price: 1.10", "id: 12345678901234567890.0", "n: NaN"]
    assert lines[3:] == ["big: " + "9" * 5000, "a: 1", "a (2): 2"]


@pytest.mark.parametrize("shape", ["object", "list", "deep", "lines"])
def test_very_long_names_do_not_fill_the_memory(tmp_path: Path, shape: str) -> None:
    key = "k" * 300_000
    values = {str(n): n for n in range(20_000)}
    data: Any = {key: values}
    if shape == "list":
        data = {key: [{"n": n} for n in range(20_000)]}
    elif shape == "deep":
        data = {"a": {key: {key: values}}}
    name = "a.jsonl" if shape == "lines" else "a.json"
    document = check(parse_file(write(tmp_path, name, json.dumps(data))))
    assert key in document.text
    assert len(document.text) < 4_000_000


def test_unclosed_values_in_many_lines_are_tried_a_few_times_only(tmp_path: Path) -> None:
    text = '{"id": 1}\n' * 5_000 + "[1,\n" + ("[" + "1," * 500 + "\n") * 1_000 + '{"id": 1}\n' * 2_000
    started = time.process_time()
    document = parse_file(write(tmp_path, "a.jsonl", text))
    assert document.left_out == 1_001
    assert time.process_time() - started < 5


def test_the_outputs_of_a_notebook_are_counted(tmp_path: Path) -> None:
    cells = ["x", {"cell_type": "code", "source": "a", "outputs": [{"text": "printed"}, {"text": "more"}]}]
    document = parse_file(write(tmp_path, "a.ipynb", json.dumps({"cells": cells})))
    assert account(document) == [
        "1 cell not read (not in the format of a notebook): 1",
        "2 outputs not read (only the cells are read): cell 2",
    ]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.json", "a.jsonl", "a.ipynb", "a.html", "a.xml"])
def test_wrong_bytes_are_in_the_account_of_every_kind_of_text(tmp_path: Path, name: str) -> None:
    content = (
        '{"cells": [{"source": "Größe", "metadata": {}}]}'
        if name[2:].startswith(("json", "ip"))
        else "<p>Größe</p>"
    )
    data = content.encode() + b"\n" if name == "a.jsonl" else b""
    data += content.encode().replace("ß".encode(), "ß".encode() + b"\xff")
    document = parse_file(write(tmp_path, name, data))
    line = 2 if name == "a.jsonl" else 1
    assert account(document) == [f"1 character not read (wrong bytes in UTF-8 text): line {line}"]
    assert "Größ\ufffde" in document.text
