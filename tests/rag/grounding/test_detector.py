"""The detector gives every sentence a verdict with its reason, whatever the input is, and its file says what made it."""

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.grounding.detector import (
    AS_TRAINED,
    Detector,
    VerdictLimits,
    contradiction,
    log_odds,
    nearness,
    sigmoid,
)
from rag.grounding.features import align, prepare
from rag.grounding.rows import ClaimResult, Verdict

ARTEFACT = Path(__file__).resolve().parents[3] / "resources" / "grounding" / "detector.json"
VERDICTS = set(Verdict)

PASSAGES = [
    "The Alder bridge was opened in 2019. It carries 1,200 cars a day over the river.",
    "Visitors may take photographs in the main hall. The museum is closed on public holidays in winter.",
]


def encode(texts: list[str]) -> npt.NDArray[np.float32]:
    """A hashed bag of words: texts that share words are near each other."""
    vectors = np.zeros((len(texts), 384), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().split():
            vectors[row, int(hashlib.md5(word.strip(".,").encode()).hexdigest(), 16) % 384] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(ARTEFACT)


def check_one(detector: Detector, answer: str, passages: list[str] = PASSAGES) -> ClaimResult:
    (claim,) = detector.check("What about the bridge?", answer, passages, encode)
    return claim


_ALPHABET = st.sampled_from(
    [*"ab1 A.?![]()|#-*`~:\n\t。é👍", "Dr. ", "[1]", "```\n", "\r\n", "\x0c", "| a |\n", "- "]
)


# --- verdicts ---------------------------------------------------------------------------------------------


def test_a_copied_sentence_is_supported_and_shows_its_evidence(detector: Detector) -> None:
    claim = check_one(detector, "The museum is closed on public holidays in winter. [2]")
    assert claim.verdict == "supported"
    assert claim.evidence_marker == 2
    assert claim.evidence_start is not None and claim.evidence_end is not None
    assert PASSAGES[1][claim.evidence_start : claim.evidence_end] == claim.evidence_text
    assert claim.evidence_text == "The museum is closed on public holidays in winter."


def test_another_year_is_a_contradiction_with_its_reason(detector: Detector) -> None:
    claim = check_one(detector, "The Alder bridge was opened in 2021.")
    assert (claim.verdict, claim.reason) == ("contradicted", "the source says 2019, the answer 2021")
    assert claim.evidence_marker == 1


def test_another_amount_is_a_contradiction_and_the_same_in_words_is_not(detector: Detector) -> None:
    assert check_one(detector, "It carries 1,500 cars a day over the river.").verdict == "contradicted"
    assert check_one(detector, "It carries twelve hundred cars a day over the river.").verdict == "supported"


def test_a_denied_sentence_is_a_contradiction(detector: Detector) -> None:
    claim = check_one(detector, "Visitors may not take photographs in the main hall.")
    assert (claim.verdict, claim.reason) == ("contradicted", "the answer denies what the source says")


def test_a_condition_is_not_a_denial(detector: Detector) -> None:
    passages = ["If you can't delete the printer, restart the print service and delete it again."]
    claim = check_one(detector, "Restart the print service and delete the printer again.", passages)
    assert claim.verdict != "contradicted"


def test_the_number_of_a_step_contradicts_nothing(detector: Detector) -> None:
    passages = ["Step 4 Serve the soup with the fresh bread and butter."]
    assert (
        check_one(detector, "Step 6: Serve the soup with the fresh bread and butter.", passages).verdict
        != "contradicted"
    )


def test_an_invention_about_a_known_thing_is_flagged(detector: Detector) -> None:
    claim = check_one(
        detector, "The Alder bridge was opened by Swedish architects with graceful arches and prizes."
    )
    assert claim.verdict == "unsupported"
    assert claim.score is not None and claim.score >= detector.unsupported_from


@pytest.mark.parametrize("passages", [[], [""], ["", " \n"], ["...", "👍"]])
def test_without_words_in_the_passages_there_is_no_evidence(detector: Detector, passages: list[str]) -> None:
    claim = check_one(detector, "The Alder bridge was opened in 2019.", passages)
    assert (claim.verdict, claim.score, claim.evidence_marker) == ("no evidence", None, None)


def test_a_sentence_far_from_everything_has_no_evidence(detector: Detector) -> None:
    assert check_one(detector, "Penguins hatch eggs on Antarctic ice.").verdict == "no evidence"


def test_citation_markers_change_neither_score_nor_verdict(detector: Detector) -> None:
    plain = check_one(detector, "The Alder bridge was opened in 2019.")
    cited = check_one(detector, "The Alder bridge was opened in 2019 [1][2]. [1, 2]")
    assert (plain.score, plain.verdict) == (cited.score, cited.verdict)


def test_a_sentence_in_another_script_is_not_checkable_and_says_so(detector: Detector) -> None:
    claim = check_one(detector, "Мост был открыт в прошлом году.")
    assert claim.verdict == "not checkable" and "language" in claim.reason


def test_every_sentence_gets_one_claim_in_order(detector: Detector) -> None:
    answer = "Hello! The Alder bridge was opened in 2019. Is that all?"
    claims = detector.check("When?", answer, PASSAGES, encode)
    assert [claim.verdict for claim in claims] == ["not checkable", "supported", "not checkable"]
    assert [answer[claim.start : claim.end] for claim in claims] == [claim.text for claim in claims]


def test_each_text_is_encoded_once_and_in_one_call(detector: Detector) -> None:
    calls: list[list[str]] = []

    def recording(texts: list[str]) -> npt.NDArray[np.float32]:
        calls.append(texts)
        return encode(texts)

    detector.check(
        "When?", "The bridge was opened in 2019. The bridge was opened in 2019.", PASSAGES, recording
    )
    assert len(calls) == 1 and len(set(calls[0])) == len(calls[0])


# --- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "word",
        "👍 🎉",
        "```python\nprint(1)\n```",
        "| a | b |\n|---|---|\n| the bridge | 2019 |",
        "这是一个句子。",
        "الجسر مفتوح.",
        "word " * 3000,
        "a" * 20_000,
        "1 " * 5000,
        "not " * 2000,
        "[1] " * 2000,
        "." * 5000,
        "one two " * 2000,
        "\x00\x0c\ufffe 5 bridges",
    ],
)
def test_odd_answers_get_a_report_and_no_exception(detector: Detector, answer: str) -> None:
    claims = detector.check("", answer, [*PASSAGES, "", "x" * 5000, "no sentences here " * 200], encode)
    assert claims and {claim.verdict for claim in claims} <= VERDICTS


def test_an_empty_answer_has_no_claims(detector: Detector) -> None:
    assert detector.check("Why?", "", PASSAGES, encode) == []
    assert detector.check("Why?", " \n ", PASSAGES, encode) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(_ALPHABET, max_size=40).map("".join), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_gets_a_report(answer: str, passages: list[str]) -> None:
    for claim in Detector.load(ARTEFACT).check("?", answer, passages, encode):
        assert claim.verdict in VERDICTS
        assert claim.score is None or 0.0 <= claim.score <= 1.0


def test_ten_thousand_words_take_seconds_at_most(detector: Detector) -> None:
    answer = " ".join(f"The pump number {n} moves {n % 97} litres of water an hour." for n in range(900))
    begin = time.perf_counter()
    claims = detector.check(
        "How much?", answer, [answer[:20_000]], lambda t: np.ones((len(t), 4), np.float32) / 2
    )
    assert len(claims) == 900
    assert time.perf_counter() - begin < 10


# --- the artefact -----------------------------------------------------------------------------------------


def test_a_damaged_artefact_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "detector.json"
    for text in ("{", "[]", json.dumps({"features": ["other"]})):
        path.write_text(text)
        with pytest.raises(RagError, match="detector"):
            Detector.load(path)
    with pytest.raises(RagError):
        Detector.load(tmp_path / "missing.json")


def test_the_artefact_says_what_it_was_made_of() -> None:
    data = json.loads(ARTEFACT.read_text("utf-8"))
    assert len(data["features"]) == len(data["coefficients"]) == len(data["mean"]) == len(data["scale"])
    assert 0 < data["thresholds"]["check"] < data["thresholds"]["unsupported"] < 1
    assert all(len(digest) == 64 for digest in data["data"].values())
    assert data["metrics"]["ragtruth_qa_test"]["auroc"] >= 0.80
    assert data["embedder"] and data["date"]


@pytest.mark.models
def test_with_the_real_embedder_a_paraphrase_is_near_and_an_invention_is_not(detector: Detector) -> None:
    from rag.grounding.train import load_minilm

    answer = (
        "The Alder bridge opened in 2019. The bridge was designed by Swedish architects, who won several "
        "international prizes for its graceful arches. The Alder bridge was opened in 2021."
    )
    good, invented, wrong = detector.check("When was the bridge opened?", answer, PASSAGES, load_minilm())
    assert good.verdict == "supported"
    assert invented.verdict in ("unsupported", "no evidence")
    assert wrong.verdict == "contradicted"
    assert good.score is not None and invented.score is not None and good.score < invented.score


# --- limits and scores ------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [0.0, 0.001, 0.3, 0.5, 0.999, 1.0])
def test_log_odds_and_their_inverse_agree(score: float) -> None:
    assert sigmoid(log_odds(score)) == pytest.approx(score, abs=2e-6)


def test_the_ends_of_the_scale_stay_finite() -> None:
    assert log_odds(0.0) == pytest.approx(-log_odds(1.0))
    assert -14 < log_odds(0.0) < -13
    assert 0 < sigmoid(-1000) < 1e-12 and 1 - 1e-12 < sigmoid(1000) < 1


def test_limits_that_nobody_chose_are_those_of_the_training(detector: Detector) -> None:
    assert AS_TRAINED.over(detector) == (detector.check_from, detector.unsupported_from)
    assert VerdictLimits(check_from=0.2).over(detector) == (0.2, detector.unsupported_from)
    assert VerdictLimits(unsupported_from=0.9).over(detector) == (detector.check_from, 0.9)
    assert AS_TRAINED.calibrated(0.37) == 0.37
    assert VerdictLimits(intercept=1.0).calibrated(0.5) == pytest.approx(sigmoid(1.0))
    assert VerdictLimits(slope=2.0).calibrated(0.7) == pytest.approx(sigmoid(2 * log_odds(0.7)))


def test_a_second_opinion_is_wanted_between_the_clear_cases(detector: Detector) -> None:
    low = 0.5 * detector.check_from
    assert [AS_TRAINED.unsure(score, detector) for score in (low - 1e-6, low, 0.89, 0.9)] == [
        False, True, True, False,
    ]  # fmt: skip


INVENTED = "The Alder bridge was opened by Swedish architects with graceful arches and prizes."


def test_limits_move_a_verdict_and_never_its_raw_score(detector: Detector) -> None:
    def claim_with(limits: VerdictLimits) -> ClaimResult:
        (claim,) = detector.check("What about the bridge?", INVENTED, PASSAGES, encode, limits)
        return claim

    trained = claim_with(AS_TRAINED)
    assert trained.score is not None
    eager = claim_with(VerdictLimits(check_from=0.0, unsupported_from=1.0))
    calm = claim_with(VerdictLimits(check_from=1.0, unsupported_from=1.0))
    shifted = claim_with(VerdictLimits(intercept=-9.0))
    assert (eager.verdict, calm.verdict, shifted.verdict) == ("check", "supported", "supported")
    assert trained.raw_score == eager.raw_score == calm.raw_score == shifted.raw_score
    assert shifted.score is not None and shifted.score < 0.01


def test_the_doubtful_words_of_a_flagged_sentence_are_marked_and_no_others(detector: Detector) -> None:
    flagged = check_one(detector, INVENTED)
    spans = json.loads(flagged.doubtful)
    assert [INVENTED[start:end] for start, end in spans] == [
        "Swedish",
        "architects",
        "graceful",
        "arches",
        "prizes",
    ]
    assert check_one(detector, "The Alder bridge was opened in 2019.").doubtful == ""


class Second:
    """A second detector that always says the same and remembers what it was asked."""

    def __init__(self, score: float) -> None:
        self.score = score
        self.asked: list[str] = []

    def unsupported(self, question: str, claims: list[str], passages: list[str]) -> npt.NDArray[np.float64]:
        self.asked += claims
        return np.full(len(claims), self.score)


def test_the_second_detector_is_asked_about_uncertain_sentences_alone(detector: Detector) -> None:
    answer = "The museum is closed on public holidays in winter. The Alder bridge has graceful marble arches."
    calm, uncertain = detector.check("What?", answer, PASSAGES, encode)
    assert calm.raw_score is not None and uncertain.raw_score is not None
    assert not AS_TRAINED.unsure(calm.raw_score, detector)
    assert AS_TRAINED.unsure(uncertain.raw_score, detector)
    for score in (0.001, 0.999):
        second = Second(score)
        same, moved = detector.check("What?", answer, PASSAGES, encode, AS_TRAINED, second)  # type: ignore[arg-type]
        assert second.asked == ["The Alder bridge has graceful marble arches."]
        assert same == calm
        expected = sigmoid((log_odds(uncertain.raw_score) + log_odds(score)) / 2)
        assert moved.raw_score == pytest.approx(expected)


# --- contradictions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "passage", "reason"),
    [
        (
            "Error E7 means the radio has no signal.",
            "Error E9 means the radio has no signal.",
            "this of E9, the answer of E7",
        ),
        (
            "The tank holds 30 litres of fresh water.",
            "The tank holds 25 litres of fresh water.",
            "says 25 litres, the answer 30 litres",
        ),
        (
            "The office opened on 3 May 2020.",
            "The office opened on 4 May 2020.",
            "says 4 May 2020, the answer 3 May 2020",
        ),
        (
            "Guests never smoke inside the old house.",
            "Guests smoke inside the old house.",
            "the answer denies",
        ),
        (
            "Guests smoke inside the old house.",
            "Guests never smoke inside the old house.",
            "the source denies",
        ),
    ],
)
def test_a_contradiction_says_what_differs(sentence: str, passage: str, reason: str) -> None:
    context = prepare([passage])
    found = contradiction(align(sentence, context), context)
    assert found is not None and reason in found[0]
    assert found[1].text == passage


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("The tank holds 30 litres of fresh water.", "The tank holds 30,000 ml of fresh water."),
        (
            "The tank holds 30 litres of fresh water.",
            "The tank holds 25 litres of fresh water. The spare one holds 30 litres.",
        ),
        ("The tank holds 30 litres.", "Our cabin has 25 beds."),
        (
            "Error E7 means the radio has no signal.",
            "Error E7 means the radio has no signal. Error E9 means low power.",
        ),
        (
            "Guests smoke inside the old house.",
            "If guests do not smoke inside the old house, they are happy.",
        ),
        ("Chapter 3 is about the pump.", "Chapter 4 is about the pump."),
    ],
)
def test_what_may_both_be_true_is_no_contradiction(sentence: str, passage: str) -> None:
    context = prepare([passage])
    assert contradiction(align(sentence, context), context) is None


def test_a_contradiction_is_scored_as_unsupported_at_least(detector: Detector) -> None:
    claim = check_one(detector, "The Alder bridge was opened in 2021.")
    assert claim.score is not None and claim.raw_score is not None
    assert claim.score >= detector.unsupported_from >= claim.raw_score or claim.score == claim.raw_score


def test_nearness_is_rounded_and_encodes_long_texts_in_part() -> None:
    context = prepare(["word " * 40])
    seen: list[str] = []

    def recording(texts: list[str]) -> npt.NDArray[np.float32]:
        seen.extend(texts)
        return encode(texts)

    (cosine,) = nearness([align("word " * 200, context)], context, recording)
    assert cosine == round(cosine, 4)
    assert max(map(len, seen)) <= 300
    assert nearness([], context, recording) == []


# --- what must not change a verdict -----------------------------------------------------------------------


SENTENCES = (
    "The Alder bridge was opened in 2019.",
    "The museum is closed on public holidays.",
    "The Alder bridge was opened in 2021.",
    "The Alder bridge has graceful marble arches.",
    "Penguins hatch eggs on Antarctic ice.",
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_order_of_the_passages_moves_the_marker_and_nothing_else(
    detector: Detector, sentence: str
) -> None:
    one, other = check_one(detector, sentence), check_one(detector, sentence, PASSAGES[::-1])
    assert (one.verdict, one.score, one.reason, one.evidence_text) == (
        other.verdict,
        other.score,
        other.reason,
        other.evidence_text,
    )
    if one.evidence_marker is not None:
        assert one.evidence_marker + (other.evidence_marker or 0) == 3


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_passage_that_says_it_word_for_word_supports_it(detector: Detector, sentence: str) -> None:
    claim = check_one(detector, sentence, [*PASSAGES, sentence])
    assert claim.verdict == "supported"
    assert claim.evidence_text == sentence
    assert claim.evidence_marker == 3 or sentence in " ".join(PASSAGES)


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("dressed", ["- {}", "{} [1]", "{} [2, 1]", "  {}  ", "> - {}"])
def test_bullets_and_markers_change_neither_verdict_nor_score(
    detector: Detector, sentence: str, dressed: str
) -> None:
    plain, other = check_one(detector, sentence), check_one(detector, dressed.format(sentence))
    assert (plain.verdict, plain.score, plain.reason) == (other.verdict, other.score, other.reason)


def test_bold_words_change_neither_verdict_nor_score(detector: Detector) -> None:
    for sentence in SENTENCES:
        first, rest = sentence.split(" ", 1)
        plain, bold = check_one(detector, sentence), check_one(detector, f"{first} **{rest}**")
        assert (plain.verdict, plain.score) == (bold.verdict, bold.score)


@settings(max_examples=25, deadline=None)
@given(st.permutations(SENTENCES))
def test_a_sentence_is_judged_the_same_whatever_is_around_it(order: list[str]) -> None:
    detector = Detector.load(ARTEFACT)
    alone = {sentence: check_one(detector, sentence) for sentence in order}
    together = detector.check("What about the bridge?", " ".join(order), PASSAGES, encode)
    assert [claim.text for claim in together] == order
    for claim in together:
        assert (claim.verdict, claim.score) == (alone[claim.text].verdict, alone[claim.text].score)


def test_words_of_the_question_are_no_invention(detector: Detector) -> None:
    answer = "The Alder bridge has graceful marble arches."
    asked, unasked = (
        detector.check(question, answer, PASSAGES, encode)[0]
        for question in ("Does the Alder bridge have graceful marble arches?", "What?")
    )
    assert asked.raw_score is not None and unasked.raw_score is not None
    assert asked.raw_score < unasked.raw_score


def test_a_flag_names_the_figure_that_no_passage_has(detector: Detector) -> None:
    claim = check_one(detector, "Engineers from Sweden inspected 47 cables of the Alder bridge with sonar.")
    assert claim.verdict in ("check", "unsupported")
    assert claim.reason == "47 is in no passage"


def test_code_and_headings_of_an_answer_are_passed_over_with_their_places(detector: Detector) -> None:
    answer = "# Opening\n\nThe Alder bridge was opened in 2019.\n\n```\nbridge = 2021\n```\n"
    claims = detector.check("When?", answer, PASSAGES, encode)
    assert [claim.verdict for claim in claims] == ["not checkable", "supported", "not checkable"]
    assert [claim.score is None for claim in claims] == [True, False, True]
    assert all(answer[claim.start : claim.end] == claim.text for claim in claims)


@pytest.mark.parametrize("field", ["coefficients", "mean", "scale", "intercept", "thresholds", "metrics"])
def test_an_artefact_that_lacks_a_part_is_refused(tmp_path: Path, field: str) -> None:
    data = json.loads(ARTEFACT.read_text("utf-8"))
    del data[field]
    path = tmp_path / "detector.json"
    path.write_text(json.dumps(data))
    with pytest.raises(RagError, match=f"cannot be read .*{field}"):
        Detector.load(path)


def test_a_score_is_one_sigmoid_of_the_standardised_features(detector: Detector) -> None:
    at_the_mean = detector.score(detector.mean)
    assert at_the_mean == pytest.approx(sigmoid(detector.intercept))
    moved = detector.mean + detector.scale * np.eye(len(detector.mean))[0]
    assert detector.score(moved) == pytest.approx(sigmoid(detector.intercept + detector.coefficients[0]))


# --- facts with one thing changed -------------------------------------------------------------------------


FACTS = (
    ("The reservoir above the village holds 40 million litres of water.", "40 million", "55 million"),
    ("The railway line between the two towns was closed in 1964.", "1964", "1972"),
    ("Patients take 20 mg of the medicine every morning before breakfast.", "20 mg", "35 mg"),
    ("The library lends each visitor at most twelve books at a time.", "twelve", "fifteen"),
    ("The council meeting about the harbour takes place on 3 June 2024.", "3 June 2024", "9 June 2024"),
    ("A ticket for the evening concert in the park costs $18.", "$18", "$24"),
    ("About 35% of the farmland around the lake was flooded.", "35%", "53%"),
    ("The ferry to the southern island leaves every 45 minutes.", "45 minutes", "90 minutes"),
)
AROUND = "The region is known for its mild weather. Visitors come in spring. {} Many return every year."


@pytest.mark.parametrize(("fact", "right", "wrong"), FACTS, ids=[right for _, right, _ in FACTS])
def test_a_changed_figure_is_a_contradiction_that_names_both(
    detector: Detector, fact: str, right: str, wrong: str
) -> None:
    passages = [AROUND.format(fact)]
    claim = check_one(detector, fact.replace(right, wrong), passages)
    assert claim.verdict == "contradicted"
    assert claim.reason.startswith(f"the source says {right}")
    assert f", the answer {wrong}" in claim.reason
    assert claim.evidence_text == fact
    assert check_one(detector, fact, passages).verdict == "supported"


@pytest.mark.parametrize(
    ("fact", "denied"),
    [
        ("Dogs are allowed in the western part of the garden.", "Dogs are not allowed in the western part of the garden."),
        ("The lift stops at the second floor in the evening.", "The lift doesn't stop at the second floor in the evening."),
        ("Members of the club receive a printed newsletter.", "Members of the club never receive a printed newsletter."),
    ],
)  # fmt: skip
def test_a_denied_fact_is_a_contradiction_from_either_side(
    detector: Detector, fact: str, denied: str
) -> None:
    forwards = check_one(detector, denied, [AROUND.format(fact)])
    backwards = check_one(detector, fact, [AROUND.format(denied)])
    assert (forwards.verdict, backwards.verdict) == ("contradicted", "contradicted")
    assert forwards.reason == "the answer denies what the source says"
    assert backwards.reason == "the source denies what the answer says"
    assert check_one(detector, denied, [AROUND.format(denied)]).verdict == "supported"
