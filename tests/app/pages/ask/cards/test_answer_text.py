"""What is put on the clipboard of an answer."""

from __future__ import annotations

import dataclasses

from app.pages.ask.cards.answer_text import as_markdown, as_plain_text
from rag.index.rows import Hit

ONE = Hit(7, 1, "bread.md", "/x/bread.md", "Bread", "heading", None, 0, 4, "Rye.", 1, marker=1)
TWO = dataclasses.replace(ONE, document="a_*b*.txt", place="", marker=2)
LEFT_OUT = dataclasses.replace(ONE, document="never.md", marker=None)


def test_plain_text_has_no_syntax_and_all_words() -> None:
    assert as_plain_text("## So\r\n\r\n**Rye** rests [1].\n") == "So\n\nRye rests [1]."


def test_markdown_names_the_cited_sources_in_the_order_of_their_markers() -> None:
    made = as_markdown("Why *so*?", "Rye [2]. Wheat [1]. None [7].", [TWO, LEFT_OUT, ONE])
    assert made == (
        "**Why \\*so\\*?**\n\nRye [2]. Wheat [1]. None [7].\n\nSources:\n\n"
        "- [1] bread.md, Bread\n- [2] a\\_\\*b\\*.txt\n"
    )


def test_an_answer_that_cites_nothing_lists_its_passages_and_says_so() -> None:
    made = as_markdown("Why?", "So.", [TWO, ONE])
    assert "the answer cites none of them:\n\n- [1] bread.md, Bread\n- [2] " in made
    assert as_markdown("Why?", "So.", []) == "**Why?**\n\nSo.\n"
