"""Values of the index are what the window imports: they must bring neither Chroma nor numpy along."""

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from rag.index.rows import ChromaCollection, ChromaPage, ChromaRecord, Hit


def test_importing_the_values_loads_no_heavy_library() -> None:
    code = (
        "import sys, rag.index.rows; "
        "print([m for m in ('chromadb', 'numpy', 'sqlmodel', 'rag.index.vector_index') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_hit_that_was_not_ranked_says_so() -> None:
    hit = Hit(1, 2, "a.pdf", "/a.pdf", "page 3", "page", 3, 0, 4, "text", 1)
    assert (hit.dense_rank, hit.dense_score, hit.bm25_rank, hit.marker, hit.dropped) == (None,) * 5
    assert (hit.fused_rank, hit.fused_score) == (0, 0.0)
    with pytest.raises(FrozenInstanceError):
        hit.marker = 1  # type: ignore[misc]


def test_a_page_of_records_is_equal_after_its_way_to_the_window() -> None:
    record = ChromaRecord("r1", "text", (("page", "2"),), 0.25)
    page = ChromaPage((record,), 0, True)
    known = ChromaCollection("notes", 3, None, "l2", (("space", "l2"),), (), "")
    assert pickle.loads(pickle.dumps((page, known))) == (page, known)
    assert ChromaRecord("r2", "", ()).distance is None
