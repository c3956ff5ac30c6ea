"""The catalogue: complete, of several makers and purposes, and honest about what fits."""

from __future__ import annotations

import re

import pytest

from rag.models.getting.rows import Fit, Offer, Purpose, list_offers

OFFERS = list_offers()


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_every_offer_says_what_a_person_must_know(offer: Offer) -> None:
    assert offer.maker and offer.licence and offer.languages and offer.size_mb > 0
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", offer.repository)
    assert offer.sha256 == "" or re.fullmatch("[0-9a-f]{64}", offer.sha256)
    if offer.purpose is Purpose.ANSWERS:
        assert offer.file.endswith(".gguf") and offer.layers and offer.kv_heads and offer.head_size
    else:
        assert not offer.file and not offer.sha256


def test_there_are_models_for_every_purpose_of_several_makers_and_sizes() -> None:
    answers = list_offers(Purpose.ANSWERS)
    assert len({offer.maker for offer in answers}) >= 4
    assert min(offer.size_mb for offer in answers) < 600 and max(offer.size_mb for offer in answers) > 4000
    assert all(list_offers(purpose) for purpose in Purpose)
    assert any("many" in offer.languages for offer in list_offers(Purpose.EMBEDS))
    assert len({offer.name for offer in OFFERS}) == len(OFFERS)
    assert len({(offer.repository, offer.file) for offer in OFFERS}) == len(OFFERS)
    assert all(purpose.noun and purpose.next_step for purpose in Purpose)


def test_memory_grows_with_the_context_of_an_answer_model() -> None:
    offer = Offer(
        "m", Purpose.ANSWERS, "x", "MIT", "a/b", 1000, "m.gguf", layers=28, kv_heads=2, head_size=128
    )
    grown = offer.memory_bytes(8192) - offer.memory_bytes(4096)
    assert grown == 2 * 28 * 4096 * 2 * 128 * 2
    other = Offer("m", Purpose.EMBEDS, "x", "MIT", "a/b", 1000)
    assert other.memory_bytes(8192) == other.memory_bytes(4096) > other.size_bytes


@pytest.mark.parametrize(
    ("memory", "fit"),
    [(None, Fit.UNKNOWN), (10**10, Fit.FITS), (1_600_000_000, Fit.TIGHT), (10**9, Fit.TOO_LARGE)],
)
def test_what_fits_is_told_by_the_memory_that_is_free(memory: int | None, fit: Fit) -> None:
    offer = Offer(
        "m", Purpose.ANSWERS, "x", "MIT", "a/b", 1000, "m.gguf", layers=28, kv_heads=2, head_size=128
    )
    assert offer.fit(4096, memory) is fit
