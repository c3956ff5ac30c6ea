"""Values of parsed documents cross the process boundary, so they are light and equal after a journey."""

import pickle
import subprocess
import sys

from rag.parsing.rows import ParsedDocument, Place, RenderedPage


def test_a_document_and_a_page_are_equal_after_pickling() -> None:
    place = Place("page", 1, "page 1", 0, 4)
    document = ParsedDocument("T", "text/plain", "text", (place,))
    page = RenderedPage(2, 1, b"\0" * 6, ((0.0, 0.0, 1.0, 1.0),), 3, 1)
    assert pickle.loads(pickle.dumps((document, page))) == (document, page)
    assert (document.markup, document.account, document.left_out) == ("text", (), 0)


def test_importing_the_values_loads_no_parser() -> None:
    code = (
        "import sys, rag.parsing.rows; "
        "print([m for m in ('rag.parsing.formats', 'docx', 'pypdfium2', 'selectolax') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
