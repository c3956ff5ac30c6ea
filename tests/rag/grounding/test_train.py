"""The detector's file is rebuilt bit for bit from its data, and its metrics are what they are called."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from rag.grounding.features import NAMES
from rag.grounding.train import (
    ARTEFACT,
    Examples,
    auroc,
    average_precision,
    best_example_threshold,
    bucket,
    cross_validate,
    example_scores,
    expected_calibration_error,
    fit,
    load_examples,
    mean_of,
    measure,
    predict,
    serialise,
    subset,
    train,
)

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "grounding"


@pytest.mark.models
@pytest.mark.skipif(not DATA.exists(), reason="the grounding data is not here")
def test_training_again_gives_the_same_artefact() -> None:
    from rag.grounding.train import build, load_minilm, serialise

    made, kept = (
        json.loads(text) for text in (serialise(build(DATA, load_minilm())), ARTEFACT.read_text("utf-8"))
    )
    assert leaves(made).keys() == leaves(kept).keys()
    # The last of five digits may differ with the processor: one of 47 coefficients does, -0.1218 and -0.12179.
    assert leaves(made) == {
        key: pytest.approx(value, abs=2e-5) if isinstance(value, float) else value
        for key, value in leaves(kept).items()
    }


def leaves(value: object, path: str = "") -> dict[str, object]:
    """The values of a JSON document by their path."""
    inner = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    )
    if inner is None:
        return {path: value}
    return {place: leaf for key, part in inner for place, leaf in leaves(part, f"{path}/{key}").items()}


def examples(count: int = 400, seed: int = 1) -> Examples:
    """Sentences of 40 sources and 100 answers whose first two features decide the label."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(count, len(NAMES)))
    y = (draw.random(count) < expit(1.5 * x[:, 0] - 1.0 * x[:, 1] - 1.5)).astype(float)
    claimed = draw.random(count) < 0.9
    return Examples(
        "made_up",
        x,
        y,
        claimed,
        np.zeros(count, dtype=np.bool_),
        tuple(f"source {number % 40}" for number in range(count)),
        tuple(f"answer {number % 100}" for number in range(count)),
        {"made_up.jsonl.gz": "0" * 64},
    )


def test_the_fit_finds_what_decides_the_labels() -> None:
    coefficients, intercept, mean, scale = fit(examples(4000))
    assert coefficients.shape == mean.shape == scale.shape == (len(NAMES),)
    assert coefficients[0] > 0.8 and coefficients[1] < -0.5
    assert np.abs(coefficients[2:]).max() < 0.15
    assert intercept < 0


def test_a_feature_that_never_changes_does_no_harm() -> None:
    data = examples()
    data.x[:, 5] = 7.0
    coefficients, intercept, _, _ = fit(data)
    assert np.isfinite(coefficients).all() and np.isfinite(intercept)
    assert coefficients[5] == pytest.approx(0.0, abs=1e-6)


def test_what_is_not_checkable_scores_nothing_and_the_rest_is_a_probability() -> None:
    data = examples()
    scores = predict(fit(data), data)
    assert (scores[~data.claimed] == 0).all()
    assert ((scores[data.claimed] > 0) & (scores[data.claimed] < 1)).all()
    assert auroc(scores[data.claimed], data.y[data.claimed]) > 0.75


def test_no_source_is_in_training_and_test_at_once() -> None:
    data = examples()
    folds = {group: bucket(f"0/{group}", 5) for group in data.groups}
    assert set(folds.values()) == set(range(5))
    scores, flags = cross_validate(data, 0)
    assert scores.shape == flags.shape == (400,)
    again, _ = cross_validate(data, 0)
    other, _ = cross_validate(data, 1)
    assert (scores == again).all() and (scores != other).any()
    fold = np.array([folds[group] for group in data.groups])
    model = fit(subset(data, fold != 2))
    assert np.allclose(scores[fold == 2], predict(model, subset(data, fold == 2)))


def test_the_threshold_is_the_best_there_is() -> None:
    data = examples()
    scores = predict(fit(data), data)
    chosen = best_example_threshold(scores, data)
    best = example_scores(scores >= chosen, data)["f1"]
    for threshold in np.quantile(scores, np.linspace(0.7, 0.99, 20)):
        assert example_scores(scores >= threshold, data)["f1"] <= best + 1e-9


def test_scores_over_answers_count_an_answer_once() -> None:
    data = examples(4)
    made = Examples("m", data.x, np.array([1.0, 0.0, 0.0, 1.0]), data.claimed, data.contradicted, ("s",) * 4,
                    ("a", "a", "b", "c"), {})  # fmt: skip
    found = example_scores(np.array([False, True, True, False]), made)
    assert found == {"precision": 0.5, "recall": 0.5, "f1": pytest.approx(0.5)}
    none = example_scores(np.zeros(4, dtype=np.bool_), made)
    assert none == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5),
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
    ],
)
def test_auroc_is_the_share_of_pairs_in_the_right_order(
    scores: list[float], labels: list[int], expected: float
) -> None:
    assert auroc(np.array(scores), np.array(labels, dtype=float)) == expected


def test_average_precision_is_the_mean_at_each_hit() -> None:
    labels = np.array([1.0, 0.0, 1.0, 0.0])
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.1]), labels) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.array([0.1, 0.8, 0.2, 0.9]), labels) == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert average_precision(np.array([0.5, 0.1]), np.zeros(2)) == 0.0


def test_the_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    scores = np.array([0.05, 0.05, 0.95, 1.0])
    assert expected_calibration_error(scores, np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx(
        0.5 * 0.05 + 0.5 * 0.025
    )
    assert expected_calibration_error(np.full(4, 0.3), np.array([1.0, 1.0, 0.0, 0.0])) == pytest.approx(0.2)


def test_metrics_are_named_rounded_and_averaged() -> None:
    data = examples()
    scores = predict(fit(data), data)
    first, second = measure(data, scores, scores > 0.3), measure(data, scores, scores > 0.5)
    assert (first["n"], first["positives"], first["examples"]) == (400, int(data.y.sum()), 100)
    assert first["contradictions_named"] == 0
    found = mean_of([first, second])
    assert found["n"] == 400
    assert found["example_f1"] == pytest.approx((first["example_f1"] + second["example_f1"]) / 2, abs=1e-4)
    assert found["example_f1_range"] == sorted([first["example_f1"], second["example_f1"]])


def test_an_artefact_has_all_that_a_detector_reads_and_is_the_same_each_time(tmp_path: Path) -> None:
    from rag.grounding.detector import Detector

    artefact = train(examples(), [examples(200, seed=2)])
    assert serialise(artefact) == serialise(train(examples(), [examples(200, seed=2)]))
    path = tmp_path / "detector.json"
    path.write_text(serialise(artefact), "utf-8")
    detector = Detector.load(path)
    assert 0 < detector.check_from < detector.unsupported_from < 1
    assert list(detector.coefficients) == artefact["coefficients"]
    assert set(artefact["metrics"]) == {"made_up"}


def test_a_data_set_is_read_with_its_features_labels_and_sums(tmp_path: Path) -> None:
    documents = [
        {"doc": 1, "passages": ["The bridge was opened in 2019."]},
        {"doc": 2, "passages": ["Unused."]},
    ]
    rows = [
        {"doc": 1, "claim": claim, "label": label, "question": "When?", "group": "g", "rid": "r"}
        for claim, label in (
            ("The bridge was opened in 2019.", 0),
            ("The bridge was opened in 2021.", 1),
            ("Is that all?", 0),
        )
    ]
    for name, lines in (("small", rows), ("small.passages", documents)):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(map(json.dumps, lines)))

    def encode(texts: list[str]) -> npt.NDArray[np.float32]:
        return np.ones((len(texts), 1), dtype=np.float32)

    data = load_examples(tmp_path, "small", encode)
    assert data.x.shape == (3, len(NAMES))
    assert list(data.y) == [0.0, 1.0, 0.0]
    assert list(data.claimed) == [True, True, False]
    assert list(data.contradicted) == [False, True, False]
    assert data.x[0, NAMES.index("cosine")] == 1.0
    digest = hashlib.sha256((tmp_path / "small.jsonl.gz").read_bytes()).hexdigest()
    assert data.sha256["small.jsonl.gz"] == digest


def test_a_bucket_is_the_same_on_every_machine() -> None:
    assert [bucket(f"source {n}", 5) for n in range(8)] == [bucket(f"source {n}", 5) for n in range(8)]
    assert bucket("part/x", 1) == 0
    counts = np.bincount([bucket(f"g{n}", 4) for n in range(400)])
    assert counts.min() > 60
