"""The grounding detector: sentences, figures, verdicts, bad input, and the artefact itself."""

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
from rag.grounding.detector import Detector
from rag.grounding.numbers import Numbers, quantities, same
from rag.grounding.rows import ClaimResult
from rag.grounding.sentences import Sentence, is_checkable, is_refusal, split_sentences

ARTEFACT = Path(__file__).resolve().parents[3] / "resources" / "grounding" / "detector.json"
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "grounding"
VERDICTS = {"supported", "check", "unsupported", "contradicted", "no evidence", "not checkable"}

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


# --- sentences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It opened. It closed.", ["It opened.", "It closed."]),
        ("Dr. Smith met Mr. Jones at 5 p.m. on Monday.", ["Dr. Smith met Mr. Jones at 5 p.m. on Monday."]),
        ("It was sold by J. Smith. He left.", ["It was sold by J. Smith.", "He left."]),
        ("Use tools, e.g. Hammers. Stop.", ["Use tools, e.g. Hammers.", "Stop."]),
        ("The answer is no. The rule holds.", ["The answer is no.", "The rule holds."]),
        ("See no. 5 and fig. 3 there.", ["See no. 5 and fig. 3 there."]),
        ("He lives in the U.S. The city is big.", ["He lives in the U.S.", "The city is big."]),
        ("It weighs 3.5 kg. Version 1.2.3 is out.", ["It weighs 3.5 kg.", "Version 1.2.3 is out."]),
        ("It opened. [1] It closed.[2] End [3].", ["It opened. [1]", "It closed.[2]", "End [3]."]),
        ("It opened.\n[1]\nIt closed.", ["It opened.\n[1]", "It closed."]),
        ("- one item\n- two. Then more.\n1. three", ["- one item", "- two.", "Then more.", "1. three"]),
        ("桥开了。车很多！你好？", ["桥开了。", "车很多！", "你好？"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |", "|---|---|", "| 1 | 2 |"]),
        ("# Title\nText here.", ["# Title", "Text here."]),
        ("Run:\n```\na. b. c\n\nd\n```\nDone.", ["Run:", "```\na. b. c\n\nd\n```", "Done."]),
        ("```\nnever closed. Really", ["```\nnever closed. Really"]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("the bridge was\nopened in May.", ["the bridge was\nopened in May."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_text_is_split_into_its_sentences(text: str, expected: list[str]) -> None:
    assert [sentence.text for sentence in split_sentences(text)] == expected


_ALPHABET = st.sampled_from(
    [*"ab1 A.?![]()|#-*`~:\n\t。é👍", "Dr. ", "[1]", "```\n", "\r\n", "\x0c", "| a |\n", "- "]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_ALPHABET, max_size=60).map("".join) | st.text(max_size=80))
def test_offsets_match_and_nothing_but_space_is_lost(text: str) -> None:
    sentences = split_sentences(text)
    position = 0
    for sentence in sentences:
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.start >= position
        assert not text[position : sentence.start].strip()
        position = sentence.end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    "text",
    [
        "Which bridge do you mean?",
        "Hello!",
        "You're welcome!",
        "Here is a summary of the passages:",
        "Here is a summary.",
        "According to the passages:",
        "I cannot answer this question.",
        "The passages do not mention the price.",
        "The price is not mentioned in the passages.",
        "Unable to answer based on given passages.",
        "I hope this helps!",
        "## Opening hours",
        "**Opening hours**",
        "```\nx = 1\n```",
        "👍",
        "42",
    ],
)
def test_what_claims_nothing_is_not_checkable(text: str) -> None:
    assert not any(is_checkable(sentence) for sentence in split_sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "The bridge opened in 2019.",
        "- The hall is open on Mondays",
        "Based on the passages, the bridge opened in 2019.",
        "The document does not require a signature.",
        "The data does not leave your computer.",
        "桥是2019年开通的。",
        "| Bridge | 2019 |",
    ],
)
def test_what_claims_something_is_checkable(text: str) -> None:
    assert all(is_checkable(sentence) for sentence in split_sentences(text))


def test_an_answer_is_a_refusal_only_when_it_claims_nothing_else() -> None:
    assert is_refusal("I'm sorry. The passages do not mention the price.")
    assert not is_refusal("The passages do not mention the price. The bridge opened in 2019.")
    assert not is_refusal("The bridge opened in 2019.")
    assert not is_refusal("")


# --- figures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1,200", "twelve hundred", True),
        ("twenty-five", "25", True),
        ("$1.5 million", "1500000 dollars", True),
        ("1.5 km", "1500 m", True),
        ("5 km", "5 miles", False),
        ("20%", "20 percent", True),
        ("March 12, 2019", "12 March 2019", True),
        ("March 2019", "2019-03-12", True),
        ("12 March 2019", "13 March 2019", False),
        ("2019", "12 March 2019", True),
        ("2021", "12 March 2019", False),
        ("2 hours", "120 minutes", True),
        ("5", "5 kg", True),
        ("third", "3rd", True),
    ],
)
def test_figures_are_compared_by_value(one: str, other: str, equal: bool) -> None:
    (first,), (second,) = quantities(one), quantities(other)
    assert same(first, second) == equal
    assert Numbers([second]).holds(first) == equal


@given(st.text(alphabet="0123456789.,-/$%° kmMarchJune[]", max_size=40))
def test_any_text_has_quantities_with_true_offsets(text: str) -> None:
    for quantity in quantities(text):
        assert text[quantity.start : quantity.end] == quantity.text


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


@pytest.mark.models
@pytest.mark.skipif(not DATA.exists(), reason="the grounding data is not here")
def test_training_again_gives_the_same_artefact() -> None:
    from rag.grounding.train import build, load_minilm, serialise

    assert serialise(build(DATA, load_minilm())) == ARTEFACT.read_text("utf-8")


def test_a_sentence_keeps_its_offsets_when_made_by_hand() -> None:
    assert is_checkable(Sentence("The bridge opened in 2019.", 0, 26))
