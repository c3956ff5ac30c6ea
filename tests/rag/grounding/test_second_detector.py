"""A second detector is recognised by its config, reads long premises in chunks, and runs no code of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_detector import WORDS, tiny_model

from rag.errors import ModelError
from rag.grounding.second_detector import SecondDetector, recognise


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


def config(folder: Path, architecture: str, labels: dict[str, str] | None) -> Path:
    data: dict[str, Any] = {"architectures": [architecture]}
    if labels is not None:
        data["id2label"] = labels
    (folder / "config.json").write_text(json.dumps(data))
    return folder


@pytest.mark.parametrize(
    ("architecture", "labels", "name", "label", "says_supported"),
    [
        ("BertForSequenceClassification", {"0": "Entailment", "1": "Neutral"}, "nli", 0, True),
        ("XForSequenceClassification", {"0": "no", "1": "yes"}, "consistency", 1, True),
        ("XForSequenceClassification", {"0": "a", "1": "hallucination"}, "consistency", 1, False),
        ("XForSequenceClassification", {"0": "unsupported"}, "consistency", 0, False),
        ("XForSequenceClassification", {"0": "consistent"}, "consistency", 0, True),
        ("XForTokenClassification", {"0": "x", "1": "Supported", "2": "y"}, "tokens", 1, True),
        ("XForTokenClassification", {"0": "no", "1": "Supported"}, "tokens", 0, False),
        ("XForTokenClassification", None, "tokens", 1, False),
    ],
)
def test_the_config_says_what_a_folder_is(
    tmp_path: Path,
    architecture: str,
    labels: dict[str, str] | None,
    name: str,
    label: int,
    says_supported: bool,
) -> None:
    kind, found = recognise(config(tmp_path, architecture, labels))
    assert (kind.name, kind.label, kind.says_supported) == (name, label, says_supported)
    assert kind.single is (labels is not None and len(labels) == 1)
    assert found == architecture


@pytest.mark.parametrize(
    ("architecture", "labels", "said"),
    [
        ("XForSequenceClassification", None, "do not say which one means supported"),
        (
            "XForTokenClassification",
            {"0": "PER", "1": "LOC", "2": "O"},
            "do not say which one means unsupported",
        ),
        ("XForCausalLM", {}, "contains XForCausalLM; a second detector is"),
        ("", {}, "contains no architecture"),
    ],
)
def test_a_folder_whose_labels_say_nothing_is_refused(
    tmp_path: Path, architecture: str, labels: dict[str, str] | None, said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        recognise(config(tmp_path, architecture, labels))


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"id2label": {"a": "b"}}', '{"id2label": []}', '{"architectures": 5}', '"text"']
)
def test_a_damaged_config_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ModelError):
        recognise(tmp_path)


def test_claims_are_read_one_by_one_and_none_gives_none(tmp_path: Path) -> None:
    detector = SecondDetector.open(tiny_model(tmp_path, "sequence", {0: "entailment", 1: "neutral"}, 0))
    assert detector.unsupported("", [], ["it is red ."]).shape == (0,)
    scores = detector.unsupported("is it red ?", ["it is red .", "it is blue ."], ["it is red ."])
    assert scores.shape == (2,)
    assert (scores < 0.1).all()


def test_a_claim_longer_than_the_input_is_cut_and_still_read(tmp_path: Path) -> None:
    detector = SecondDetector.open(tiny_model(tmp_path, "tokens", {0: "supported", 1: "hallucinated"}, 1))
    (score,) = detector.unsupported("", ["the bridge was opened in 2019 . " * 30], ["it is red . " * 30])
    assert score > 0.9


def test_a_folder_without_a_fast_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, "sequence", {0: "entailment", 1: "neutral"}, 0)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer|cannot be loaded"):
        SecondDetector.open(folder)
