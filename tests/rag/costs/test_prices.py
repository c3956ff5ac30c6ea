"""Prices are found by the name of a model, own tables first, and what is not named has no price."""

from pathlib import Path

import pytest

from rag.costs.prices import PROVIDED, find_price, read_prices
from rag.errors import RagError

TABLE = 'source = "A list"\ndate = 2026-01-02\ncurrency = "EUR"\n'


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of a person's own tables, in a data folder."""
    made = tmp_path / "prices"
    made.mkdir()
    return made


def test_every_table_that_comes_with_the_program_is_valid_and_says_its_source_and_day() -> None:
    prices = read_prices()
    assert len(list(PROVIDED.glob("*.toml"))) >= 2
    assert all(price.source and price.day >= "2025-01-01" and price.currency == "USD" for price in prices)
    assert all(price.input is not None for price in prices)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("GPT-4o-Mini", "gpt-4o-mini"),
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4*"),
        ("gpt-4o-minimal", None),
        ("SmolLM2 135M Instruct", None),
        ("", None),
    ],
)
def test_a_price_is_found_by_name_maker_and_release_but_never_by_likeness(
    asked: str, found: str | None
) -> None:
    price = find_price(read_prices(), asked)
    assert (price.model if price else None) == found


def test_own_tables_go_first_and_a_thousand_tokens_are_scaled(own: Path) -> None:
    (own / "mine.toml").write_text(
        TABLE + 'per_tokens = 1000\n[[model]]\nname = "gpt-4o*"\ninput = 0.001\noutput = 0.002\n', "utf-8"
    )
    price = find_price(read_prices(own.parent), "gpt-4o-mini")
    assert price is not None
    assert (price.input, price.output, price.currency, price.is_own) == (1.0, 2.0, "EUR", True)


def test_a_full_name_goes_before_a_pattern_and_a_longer_pattern_before_a_shorter(own: Path) -> None:
    models = "".join(f'[[model]]\nname = "{name}"\ninput = 1\n' for name in ("m*", "m-large*", "m-large-2"))
    (own / "mine.toml").write_text(TABLE + models, "utf-8")
    prices = read_prices(own.parent)
    found = [find_price(prices, name) for name in ("m-small", "m-large-1", "m-large-2")]
    assert [price.model for price in found if price] == ["m*", "m-large*", "m-large-2"]


def test_a_call_costs_its_tokens_and_cached_ones_less() -> None:
    price = find_price(read_prices(), "gpt-4o-mini")
    assert price is not None
    assert price.cost(1_000_000, 0, 0) == pytest.approx(0.15)
    assert price.cost(1_000_000, 400_000, 1_000_000) == pytest.approx(0.6 * 0.15 + 0.4 * 0.075 + 0.60)


def test_tokens_of_a_kind_without_a_price_make_the_cost_unknown() -> None:
    price = find_price(read_prices(), "text-embedding-3-small")
    assert price is not None
    assert price.cost(1_000_000, 0, 0) == pytest.approx(0.02)
    assert price.cost(1_000_000, 500_000, 0) == pytest.approx(
        0.02
    )  # without a price of its own it costs as much
    assert price.cost(10, 0, 1) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("source = ", "The price table bad.toml is not TOML"),
        ('date = 2026-01-02\ncurrency = "EUR"\nmodel = []', "bad.toml: source: Field required"),
        (TABLE.replace("EUR", "euros") + "model = []", "bad.toml: currency"),
        (TABLE + '[[model]]\nname = "m"\ninput = -1\n', "bad.toml: model.0.input"),
        (TABLE + '[[model]]\nname = "m"\ninput = nan\n', "bad.toml: model.0.input"),
        (TABLE + '[[model]]\nname = "m"\nprice = 1\n', "bad.toml: model.0.price"),
    ],
)
def test_a_wrong_table_is_a_sentence_that_names_file_and_key(own: Path, text: str, sentence: str) -> None:
    (own / "bad.toml").write_text(text, "utf-8")
    with pytest.raises(RagError) as caught:
        read_prices(own.parent)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("Correct or remove it.")
