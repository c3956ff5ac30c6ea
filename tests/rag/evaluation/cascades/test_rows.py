"""The sentence of a comparison says what is saved, what became of quality, and what was shown."""

from dataclasses import replace

from rag.evaluation.cascades.rows import CascadeCurve, CostKind, Savings

FOUND = Savings(
    "cascade", "large", CostKind.MONEY, "EUR", 110, 0, 1.0, 0.38, 0.62, 0.55, 0.68, "Token F1", "share", 110,
    -0.004, -0.019, 0.011, 0.02, 0.01,
)  # fmt: skip


def test_a_saving_that_is_not_worse() -> None:
    assert FOUND.sentence() == (
        "saves 62 % [55, 68] of the cost; token F1 −0.4 points [−1.9, +1.1]; not worse by more than 2 points "
        "(p = 0.01)."
    )


def test_what_was_not_shown_is_not_claimed() -> None:
    assert "; may be worse by more than 2 points (p = 0.3)." in replace(FOUND, p=0.3).sentence()
    few = replace(FOUND, p=None, low=None, high=None).sentence()
    assert "token F1 −0.4 points; too few cases to show that it is not worse by more than 2 points." in few
    assert "no case has a value in both" in replace(FOUND, difference=None).sentence()


def test_a_cascade_that_costs_more_says_so() -> None:
    dearer = replace(FOUND, saved=-0.25, saved_low=-0.4, saved_high=-0.1).sentence()
    assert dearer.startswith("costs 25 % [10, 40] more; ")
    assert replace(FOUND, saved=None).sentence().startswith("the cost cannot be compared; ")


def test_times_and_what_is_left_out_have_units() -> None:
    times = replace(
        FOUND, kind=CostKind.SECONDS, metric="Time", metric_unit="ms", difference=12.0, low=3.0, high=21.0,
        margin=50.0, unknown=1,
    )  # fmt: skip
    assert times.sentence() == (
        "saves 62 % [55, 68] of the time; time +12 ms [+3, +21]; not worse by more than 50 ms (p = 0.01). "
        "Left out: 1 case of unknown time."
    )


def test_a_curve_without_a_threshold_recommends_the_large_pipeline() -> None:
    curve = CascadeCurve(
        "small", "large", "support", (), 1, 0.1, 10, 0.9, "Token F1", "EUR", None, 20, 20, None
    )
    assert "large alone is the better choice" in curve.sentence()
    shown = replace(curve, chosen=0.5, shown=FOUND).sentence()
    assert shown.startswith("From support 0.50 on, chosen on 20 cases. On the other 20 it saves 62 %")
