"""What changed is read without colour: marks around words, white space and hidden signs visible."""

import pytest

from rag.cli.printing.changes import marked_changes
from rag.text.word_diff import word_diff


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("Ask the model.", "Ask a model.", "Ask [-the-]{+a+} model."),
        ("Question: x", "Quéstion: x", "[-Question-]{+Quéstion+}: x"),
        ("a b", "a  b", "a[-·-]{+··+}b"),
        ("a\tb", "a b", "a[-→-]{+·+}b"),
        ("a", "a\n", "a{+⏎\n+}"),
        ("a b", "a\u00a0b", "a[-·-]{+⍽+}b"),
        ("same", "same", "same"),
        ("é", "e\u0301", "[-\\xe9-]{+e\\u0301+}"),
        ("ab", "a\u200bb", "[-ab-]{+a\\u200bb+}"),
        ("x", "x\x1b[2J", "x{+\\x1b[2J+}"),
    ],
)
def test_changes_are_marked(old: str, new: str, shown: str) -> None:
    assert marked_changes(word_diff(old, new)).plain == shown


def test_texts_of_others_are_not_read_as_markup_or_commands() -> None:
    marked = marked_changes(
        (("equal", "[bold]a[/] \x1b[31m", "[bold]a[/] \x1b[31m"), ("insert", "", "[red]"))
    )
    assert marked.plain == "[bold]a[/] �[31m{+[red]+}"
