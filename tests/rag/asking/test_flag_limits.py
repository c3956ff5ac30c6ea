"""What is built on the flags: their words, a person's limits and verdicts, a second detector, consistency."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking import flag_limits as flags
from rag.asking.answer import answer_question
from rag.asking.consistency import check_consistency, group_by_meaning, semantic_entropy
from rag.asking.rows import Question, get_trace, read_consistency, read_flag_opinion, read_flag_state
from rag.errors import ModelError, NotFoundError, RagError
from rag.governance.erasure import erase_document
from rag.grounding.detector import VerdictLimits
from rag.grounding.rows import ClaimResult, frequency, outcome, shared_words, summary, support_rate
from rag.grounding.second_detector import SecondDetector, recognise
from rag.knowledge.ingest import ingest_files
from rag.models.language_model import GenerationEnd, PromptRead, Token
from rag.settings import GenerationSettings
from rag.storage.tables.traces import ConsistencyCheck, FlagOpinion
from rag.workspace import Workspace


def claim(verdict: str, score: float | None = 0.1, text: str = "A sentence.", **more: Any) -> ClaimResult:
    return ClaimResult(text, 0, len(text), verdict, score, **more)


# --- words ------------------------------------------------------------------------------------------------


def test_the_summary_names_what_contradicts_what() -> None:
    claims = [
        *[claim("supported")] * 5,
        claim("check"),
        claim("contradicted", evidence_marker=2),
        claim("not checkable", None),
    ]
    assert summary(claims, {2: "page 4"}) == "5 of 7 sentences have support; 1 to check; 1 contradicts page 4"
    assert summary(claims) == "5 of 7 sentences have support; 1 to check; 1 contradicts [2]"
    assert summary([claim("not checkable", None)]) == "No sentence of this answer can be checked"


def test_an_answer_without_claims_has_no_support_rate() -> None:
    assert support_rate([claim("not checkable", None)]) is None
    assert support_rate([]) is None
    assert support_rate([claim("supported"), claim("no evidence")]) == 0.5


def test_outcomes_are_told_apart() -> None:
    some = [claim("supported")]
    assert outcome("It is so.", some, refused=False) == "answered"
    assert outcome("I cannot say.", [claim("not checkable", None)], refused=True) == "refused"
    assert outcome("  ", [], refused=False) == "empty"
    assert outcome("Hello!", [claim("not checkable", None)], refused=False) == "not checkable"
    assert outcome("It is so.", [], refused=False, error="broken") == "check failed"


def test_frequencies_rise_with_the_score_and_stay_close_to_it() -> None:
    said = [frequency(score / 1000) for score in range(1001)]
    assert said[500] == "about half of sentences like this are unsupported"
    assert said[100] == "about 1 in 10 sentences like this is unsupported"
    assert frequency(None) == ""
    changes = [n for n in range(1, 1001) if said[n] != said[n - 1]]
    assert len(changes) == len(set(said)) - 1  # each is said in one run only


def test_shared_words_are_found_in_both() -> None:
    one, other = "The pumps restarted in 2019.", "In 2019 a pump restarts."
    first, second = shared_words(one, other)
    assert [one[a:b] for a, b in first] == ["pumps", "restarted", "2019"]
    assert [other[a:b] for a, b in second] == ["2019", "pump", "restarts"]


# --- a person's say ---------------------------------------------------------------------------------------


@pytest.fixture
def asked(workspace: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, str]:
    drive(ingest_files(workspace, "A", [documents]))
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    return workspace, result.trace_id


def test_an_opinion_is_kept_replaced_and_taken_back(asked: tuple[Workspace, str]) -> None:
    workspace, trace_id = asked
    start = get_trace(workspace.database, trace_id).claims[0].start
    flags.set_opinion(workspace, trace_id, start, True, "checked by hand")
    flags.set_opinion(workspace, trace_id, start, False)
    assert read_flag_opinion(workspace.database, trace_id, start) is False
    flags.remove_opinion(workspace, trace_id, start)
    assert read_flag_opinion(workspace.database, trace_id, start) is None
    with pytest.raises(NotFoundError):
        flags.set_opinion(workspace, trace_id, 999, True)


def test_limits_change_verdicts_of_answers_from_now_on(asked: tuple[Workspace, str]) -> None:
    workspace, first = asked
    flags.set_limits(workspace, "A", 1e-6, 1e-6)
    second = drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id
    verdicts = [get_trace(workspace.database, trace).claims[0].verdict for trace in (first, second)]
    assert verdicts[1] == "unsupported"
    assert verdicts[0] != "unsupported"
    state = read_flag_state(workspace.database, 1)
    assert (state.check_from, len(state.answers), state.flagged_answers) == (1e-6, 2, 1)
    flags.set_limits(workspace, "A", None, None)
    assert flags.limits_of(workspace, 1) == VerdictLimits()
    with pytest.raises(RagError, match="not above"):
        flags.set_limits(workspace, "A", 0.9, 0.2)
    with pytest.raises(NotFoundError):
        flags.set_limits(workspace, "No such", 0.1, 0.2)


def opinions(workspace: Workspace, count: int, seed: int = 1) -> None:
    """Verdicts of a person whose data make the detector far too anxious: a third of what it says is true."""
    random = np.random.default_rng(seed)
    with workspace.store.session() as session:
        for number in range(count):
            score = float(random.uniform(0.05, 0.95))
            unsupported = bool(random.random() < score / 3)
            verdict = "unsupported" if score > 0.3 else "supported"
            session.add(
                FlagOpinion(
                    trace_id=f"{number:032x}",
                    start=0,
                    collection_id=1,
                    verdict=verdict,
                    score=score,
                    is_right=unsupported == (verdict == "unsupported"),
                    created_ms=number,
                )
            )


def test_a_calibration_needs_fifty_verdicts_and_then_helps(asked: tuple[Workspace, str]) -> None:
    workspace, _ = asked
    opinions(workspace, 49)
    with pytest.raises(RagError, match="49 verdicts"):
        flags.fit_calibration(workspace, "A")
    opinions(workspace, 0)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM flagopinion")
    opinions(workspace, 200)
    fit = flags.fit_calibration(workspace, "A")
    assert fit.helps and fit.loss_after < fit.loss_before - 0.05
    assert fit.of(0.6) < 0.4
    assert flags.limits_of(workspace, 1).calibrated(0.6) == 0.6  # shown, not applied
    flags.apply_calibration(workspace, fit)
    assert flags.limits_of(workspace, 1).calibrated(0.6) == pytest.approx(fit.of(0.6), abs=1e-6)
    trace_id = drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id
    scored = get_trace(workspace.database, trace_id).claims[0]
    assert scored.raw_score is not None and scored.score == pytest.approx(fit.of(scored.raw_score), abs=1e-3)
    flags.remove_calibration(workspace, "A")
    assert flags.limits_of(workspace, 1).slope == 1.0


def test_platt_scaling_finds_the_slope_and_intercept_that_made_the_labels() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, 5000)
    labels = (random.random(5000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)
    slope, intercept = flags.fit_platt(logits, labels)
    assert slope == pytest.approx(0.5, abs=0.06)
    assert intercept == pytest.approx(-1, abs=0.1)


def test_a_failed_check_is_an_error_and_no_rate(
    asked: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = asked

    def broken(*_: Any) -> list[ClaimResult]:
        raise RagError("The network of the detector cannot be used.")

    monkeypatch.setattr(workspace, "check", broken)
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    trace = get_trace(workspace.database, result.trace_id)
    assert result.answer
    assert (trace.status, trace.outcome, trace.support_rate) == ("done", "check failed", None)
    assert "network" in trace.check_error
    assert any("could not be checked" in notice for notice in result.notices)


# --- a second detector ------------------------------------------------------------------------------------

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the bridge was opened in 2019 2021 it is red blue river . ?".split()


def tiny_model(folder: Path, kind: str, labels: dict[int, str], favours: int) -> Path:
    """A BERT of a few thousand random weights whose head always favours one label, with its tokenizer."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertForTokenClassification,
        PreTrainedTokenizerFast,
    )

    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(str(folder))  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, num_labels=len(labels), id2label=labels,
        label2id={label: number for number, label in labels.items()},
    )  # fmt: skip
    model = (BertForTokenClassification if kind == "tokens" else BertForSequenceClassification)(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([3.0 if n == favours else -3.0 for n in range(len(labels))]))
    model.save_pretrained(str(folder))
    return folder


@pytest.mark.parametrize(
    ("kind", "name", "labels", "favours", "supported"),
    [
        ("sequence", "nli", {0: "contradiction", 1: "entailment", 2: "neutral"}, 1, True),
        ("sequence", "nli", {0: "ENTAILMENT", 1: "NEUTRAL", 2: "CONTRADICTION"}, 2, False),
        ("sequence", "nli", {0: "entailment", 1: "not_entailment"}, 0, True),
        ("sequence", "consistency", {0: "hallucinated", 1: "consistent"}, 0, False),
        ("sequence", "consistency", {0: "LABEL_0"}, 0, True),
        ("tokens", "tokens", {0: "supported", 1: "hallucinated"}, 0, True),
        ("tokens", "tokens", {0: "LABEL_0", 1: "LABEL_1"}, 1, False),
    ],
)
def test_the_label_order_is_read_from_the_config(
    tmp_path: Path, kind: str, name: str, labels: dict[int, str], favours: int, supported: bool
) -> None:
    detector = SecondDetector.open(tiny_model(tmp_path, kind, labels, favours))
    assert detector.kind == name
    (score,) = detector.unsupported("", ["the bridge was opened in 2019 ."], ["it is red ."])
    assert (score < 0.1) if supported else (score > 0.9)


def test_a_long_premise_is_read_in_chunks_and_one_supporting_chunk_is_enough(tmp_path: Path) -> None:
    import torch

    detector = SecondDetector.open(tiny_model(tmp_path, "sequence", {0: "entailment", 1: "neutral"}, 1))
    seen: list[int] = []

    def forward(input_ids: Any, **_: Any) -> Any:
        seen.extend([len(row) for row in input_ids])
        has = (input_ids == WORDS.index("2019")).sum(dim=1) >= 2  # in the claim and in the chunk
        logits = torch.where(has[:, None], torch.tensor([[4.0, -4.0]]), torch.tensor([[-4.0, 4.0]]))
        return type("Output", (), {"logits": logits})

    detector._model = forward
    filler = "it is blue . " * 60
    scores = detector.unsupported("", ["the bridge was opened in 2019 ."], [filler, "opened in 2019", filler])
    assert len(seen) > 3 and max(seen) <= 64
    assert scores[0] < 0.01
    assert detector.unsupported("", ["the bridge was opened in 2019 ."], [filler, filler])[0] > 0.99


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "config.json"),
        ("{", "damaged"),
        ('{"architectures": ["BertModel"], "id2label": {}}', "BertModel"),
        ('{"architectures": ["BertForSequenceClassification"], "id2label": {"0": "a", "1": "b", "2": "c"}}', "which one"),
        ('{"architectures": ["X"], "auto_map": {"AutoModel": "m.X"}}', "code of its own"),
        ('{"architectures": ["BertForSequenceClassification"], "id2label": {"0": "entailment", "1": "b"}}', "cannot be loaded"),
    ],
)  # fmt: skip
def test_what_is_no_detector_is_refused_with_a_sentence(
    tmp_path: Path, config: str | None, said: str
) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError, match=said):
        SecondDetector.open(tmp_path)


def test_a_second_detector_is_asked_where_the_first_is_uncertain(
    asked: tuple[Workspace, str], tmp_path: Path
) -> None:
    workspace, first = asked
    before = get_trace(workspace.database, first).claims[0]
    folder = tiny_model(tmp_path / "second", "sequence", {0: "entailment", 1: "neutral"}, 1)
    flags.set_limits(workspace, "A", 1e-6, 1e-6, str(folder))  # everything is uncertain
    trace_id = drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id
    after = get_trace(workspace.database, trace_id).claims[0]
    assert before.raw_score is not None and after.raw_score is not None
    assert after.raw_score > before.raw_score
    with pytest.raises(ModelError):
        flags.set_limits(workspace, "A", None, None, str(tmp_path / "nowhere"))
    assert recognise(folder)[0].name == "nli"


# --- consistency ------------------------------------------------------------------------------------------


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


def test_a_calibration_finds_a_shift_far_from_where_it_begins() -> None:
    """A plain Newton step from slope 1 overshoots here and ends at slope 135."""
    random = np.random.default_rng(0)
    logits = random.normal(-3, 1.5, 300)
    labels = (random.random(300) < 1 / (1 + np.exp(-(2 * logits + 7)))).astype(float)
    slope, intercept = flags.fit_platt(logits, labels)
    calibrated = 1 / (1 + np.exp(-(slope * logits + intercept)))
    assert 0.5 < slope < 3
    assert calibrated.mean() == pytest.approx(labels.mean(), abs=0.05)
