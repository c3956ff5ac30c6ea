"""Several answers to one prompt are grouped by meaning."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.consistency import check_consistency, group_by_meaning, semantic_entropy
from rag.asking.rows import get_trace, read_consistency
from rag.errors import RagError
from rag.governance.erasure import erase_document
from rag.models.language_model import GenerationEnd, PromptRead, Token
from rag.settings import GenerationSettings
from rag.storage.tables.traces import ConsistencyCheck
from rag.workspace import Workspace


def test_semantic_entropy_is_zero_for_one_meaning_and_log_n_for_all_different() -> None:
    assert semantic_entropy([0, 0, 0, 0]) == 0.0
    assert semantic_entropy([0, 1, 2, 3]) == pytest.approx(math.log(4))
    assert semantic_entropy([0, 0, 1, 1]) == pytest.approx(math.log(2))


def test_other_figures_and_refusals_are_other_meanings() -> None:
    answers = [
        "The bridge was opened in 2019.",
        "The bridge was opened in 2019!",
        "The bridge was opened in 2021.",
        "The passages do not mention when the bridge was opened.",
        "I cannot answer this from the passages.",
    ]
    groups = group_by_meaning(answers, "When?", FakeEmbedder().encode, lambda premise, answer: True)
    assert groups == [0, 0, 1, 2, 2]


class Varying(ScriptedModel):
    """Answers by its seed."""

    def generate(self, tokens: Sequence[int], settings: GenerationSettings) -> Iterator[Any]:
        yield PromptRead(len(tokens), len(tokens), 0)
        text = "Rye bread needs sourdough." if settings.seed % 5 else "Rye bread needs 40 grams of salt."
        assert settings.temperature == 0.7
        yield Token(text, -1.0)
        yield GenerationEnd("stop", 1)


def test_asking_again_shows_how_far_answers_agree(asked: tuple[Workspace, str], documents: Path) -> None:
    workspace, trace_id = asked
    workspace._model = Varying()
    report = drive(check_consistency(workspace, trace_id, samples=5))
    assert (report.clusters, report.agreement) == (2, 0.8)
    assert report.semantic_entropy == pytest.approx(-(0.8 * math.log(0.8) + 0.2 * math.log(0.2)), abs=1e-3)
    odd = next(sample for sample in report.samples if sample.group == 1 or sample.differs)
    assert odd.differs == ("Rye bread needs 40 grams of salt.",)
    stored = read_consistency(workspace.database, trace_id)
    assert stored is not None and stored.samples == report.samples
    with pytest.raises(RagError, match="temperature"):
        drive(check_consistency(workspace, trace_id, temperature=0))
    hits = get_trace(workspace.database, trace_id).hits
    drive(erase_document(workspace, "A", next(hit.document for hit in hits if hit.marker == 1)))
    with workspace.store.session() as session:
        assert session.query(ConsistencyCheck).count() == 0
    assert get_trace(workspace.database, trace_id).fallbacks == ()
