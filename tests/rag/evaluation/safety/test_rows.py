"""What differences of pairs say."""

from rag.evaluation.safety.rows import PairDifference


def difference(low: float | None, high: float | None) -> PairDifference:
    return PairDifference("gender", "length", 9, 10.0, 12.0, 2.0, low, high)


def test_a_difference_is_certain_when_its_interval_leaves_out_zero() -> None:
    assert difference(0.5, 3.5).is_certain
    assert difference(-3.5, -0.5).is_certain
    assert not difference(-0.5, 3.5).is_certain
    assert not difference(None, None).is_certain


def test_a_sentence_says_no_more_than_the_interval() -> None:
    assert "differ in length when the gender is exchanged" in difference(0.5, 3.5).sentence
    assert "A small one may exist" in difference(-1.0, 1.0).sentence
    assert "Too few pairs" in difference(None, None).sentence
