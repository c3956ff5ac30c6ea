"""Chunks fit the embedder, never cross a place, and say exactly where they are."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import DocumentError
from rag.models.embedding import Embedder, starter_embedder_folder
from rag.parsing.chunking import CHUNKER, Chunker, TextChunk, chunking_fingerprint, with_left_out
from rag.parsing.rows import AccountLine, ParsedDocument, Place
from rag.settings import ChunkingSettings

EMBEDDER = Embedder(starter_embedder_folder())
SMALL = ChunkingSettings(max_tokens=32, overlap_tokens=0)


def document(text: str, *spans: tuple[int, int], markup: str = "text") -> ParsedDocument:
    places = tuple(Place("page", n, f"page {n}", *span) for n, span in enumerate(spans, 1))
    return ParsedDocument("T", "text/plain", text, places, markup)


def chunks_of(
    parsed: ParsedDocument, chosen: ChunkingSettings = SMALL, longest: int = 254
) -> list[TextChunk]:
    return Chunker(EMBEDDER.tokenizer, chosen, longest).split(parsed)


SENTENCES = "The pump moves water. The valve opens at noon. A lamp shows the state. "


def test_a_short_document_is_one_chunk_without_a_place() -> None:
    (chunk,) = chunks_of(document("The pump moves water."))
    assert (chunk.start, chunk.end, chunk.text, chunk.place) == (0, 21, "The pump moves water.", None)
    assert chunk.token_count == 5


def test_a_long_text_is_cut_at_sentences_within_the_limit() -> None:
    text = SENTENCES * 20
    found = chunks_of(document(text))
    assert len(found) > 5
    assert all(0 < chunk.token_count <= 32 for chunk in found)
    assert all(chunk.text.endswith(".") for chunk in found)
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in found)
    assert [chunk.start for chunk in found] == sorted(chunk.start for chunk in found)


def test_a_chunk_never_crosses_from_one_place_to_the_next() -> None:
    text = "Short page.\n\n" + SENTENCES * 8
    parsed = document(text, (0, 11), (13, len(text)))
    found = chunks_of(parsed)
    assert found[0].text == "Short page."
    assert found[0].place == parsed.places[0]
    for chunk in found:
        assert chunk.place is not None
        assert chunk.place.start <= chunk.start < chunk.end <= chunk.place.end


def test_the_embedder_s_longest_input_limits_the_settings() -> None:
    found = chunks_of(
        document(SENTENCES * 40), ChunkingSettings(max_tokens=1000, overlap_tokens=0), longest=40
    )
    assert max(chunk.token_count for chunk in found) <= 40


def test_neighbours_overlap_when_that_is_asked_for() -> None:
    apart = chunks_of(document(SENTENCES * 10))
    chosen = ChunkingSettings(max_tokens=32, overlap_tokens=12)
    together = chunks_of(document(SENTENCES * 10), chosen)
    assert all(a.end <= b.start for a, b in pairwise(apart))
    assert any(a.end > b.start for a, b in pairwise(together))
    assert len(together) > len(apart)


def test_markdown_is_cut_above_its_headings() -> None:
    text = "# One\n\n" + SENTENCES + "\n\n# Two\n\n" + SENTENCES * 2
    found = chunks_of(document(text, markup="markdown"), ChunkingSettings(max_tokens=40, overlap_tokens=0))
    assert [chunk.text.split("\n")[0] for chunk in found if "#" in chunk.text] == ["# One", "# Two"]
    assert not any("# Two" in chunk.text and "# One" in chunk.text for chunk in found)


def test_white_space_is_no_chunk() -> None:
    assert chunks_of(document("  \n\n  ")) == []
    assert chunks_of(document("")) == []


def test_a_word_longer_than_the_limit_is_cut_and_nothing_of_it_is_lost() -> None:
    word = "pump-valve/" * 60
    found = chunks_of(document(word))
    assert len(found) > 1
    assert "".join(chunk.text for chunk in found) == word


def test_a_very_long_text_is_cut_into_pieces_without_losing_a_word() -> None:
    paragraphs = "\n\n".join(f"Paragraph {n}. " + SENTENCES * 3 for n in range(120))
    found = chunks_of(document(paragraphs), ChunkingSettings(max_tokens=128, overlap_tokens=0))
    words = " ".join(chunk.text for chunk in found).split()
    assert words == paragraphs.split()


class CountingTokenizer:
    """The starter's tokenizer, which counts the characters that it is given."""

    def __init__(self) -> None:
        self.characters = 0

    def encode_batch(self, texts: list[str], add_special_tokens: bool) -> list[Any]:
        self.characters += sum(map(len, texts))
        return EMBEDDER.tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)


LONG_LINES = {
    "code": "x = compute(a, b) + foo[bar].baz(12); ",
    "one word": "abcdefgh",
    "japanese": "東京の港は嵐の日に閉まります",
    "numbers": "12.5,33.1;",
    "prose": SENTENCES,
}


@pytest.mark.parametrize("markup", ["text", "code", "markdown"])
@pytest.mark.parametrize("line", LONG_LINES.values(), ids=LONG_LINES)
def test_a_line_of_any_length_is_tokenised_a_bounded_number_of_times(line: str, markup: str) -> None:
    tokenizer = CountingTokenizer()
    text = (line * 3000)[:60_000]
    found = Chunker(tokenizer, SMALL, 254).split(document(f"```\n{text}\n```", markup=markup))  # type: ignore[arg-type]
    assert tokenizer.characters < 3 * len(text)
    assert all(0 < chunk.token_count <= 32 and len(chunk.text) <= 32 * 20 for chunk in found)
    assert sum(len(chunk.text) for chunk in found) > 0.95 * len(text)


def test_splitting_tells_how_far_it_is_and_can_be_stopped() -> None:
    parsed = document(SENTENCES * 9000)
    steps = Chunker(EMBEDDER.tokenizer, SMALL, 254).split_steps(parsed)
    done = [next(steps), next(steps)]
    steps.close()
    assert 0 < done[0] < done[1] < len(parsed.text)
    assert done[0] < 400_000


BLOB = "".join(f"{chr(65 + n % 26)}{chr(97 + n * 7 % 26)}{n * 3 % 10}" for n in range(1000))


def test_encoded_text_is_in_no_chunk_and_named_unless_it_is_wanted() -> None:
    text = f"Before the picture.\n{BLOB}\nAfter the picture."
    parsed = document(text)
    assert [chunk.text for chunk in chunks_of(parsed)] == ["Before the picture.", "After the picture."]
    (line,) = with_left_out(parsed, SMALL).account
    assert line.text == (
        "1 stretch of encoded text not read (base64 or hexadecimal; the chunk setting “Keep encoded text” includes it): "
        "line 2 (3,000 characters)"
    )
    assert line.left_out == 1
    wanted = SMALL.model_copy(update={"keep_encoded": True})
    assert BLOB[:20] in "".join(chunk.text for chunk in chunks_of(parsed, wanted))
    assert with_left_out(parsed, wanted).account == ()


def test_the_account_of_other_settings_is_made_anew() -> None:
    read = AccountLine("1 footnote read")
    parsed = replace(document(BLOB + "\n" + SENTENCES), account=(read,))
    once = with_left_out(parsed, SMALL)
    assert once.account[0] == read and len(once.account) == 2
    assert with_left_out(once, SMALL) == once
    assert with_left_out(once, SMALL.model_copy(update={"keep_encoded": True})) == parsed


def test_encoded_text_over_several_places_is_left_out_of_each() -> None:
    text = f"Page one.\n{BLOB}\nPage two."
    middle = 400
    found = chunks_of(document(text, (0, middle), (middle, len(text))))
    assert [(chunk.text, chunk.place.number) for chunk in found if chunk.place] == [
        ("Page one.", 1),
        ("Page two.", 2),
    ]


def test_a_file_of_encoded_text_alone_says_so() -> None:
    with pytest.raises(DocumentError, match="nothing but encoded or minified text"):
        chunks_of(document(BLOB))


def test_the_sentences_that_are_shared_are_whole() -> None:
    chosen = ChunkingSettings(max_tokens=32, overlap_tokens=8)
    found = chunks_of(document(SENTENCES * 4), chosen)
    assert all(chunk.text.startswith(("The ", "A ")) and chunk.text.endswith(".") for chunk in found)
    assert any(a.end > b.start for a, b in pairwise(found))


def test_code_keeps_its_indentation_and_a_comment_in_a_fence_is_no_heading() -> None:
    (chunk,) = chunks_of(document("\n\n    return 1\n", markup="code"))
    assert chunk.text == "    return 1"
    fenced = "```\n# a comment\n```\n" + SENTENCES + "\n# Heading\n" + SENTENCES
    texts = [chunk.text for chunk in chunks_of(document(fenced, markup="markdown"))]
    assert texts[0].startswith("```\n# a comment\n```\nThe pump")
    assert any(text.startswith("# Heading") for text in texts)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["word ", "Zürich ", "東京", ". ", "\n\n", "🙂", "  ", "a-b "]), max_size=80))
def test_every_letter_is_in_a_chunk_and_every_chunk_is_where_it_says(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = chunks_of(document(text))
    covered = bytearray(len(text))
    for chunk in found:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.token_count <= 32
        covered[chunk.start : chunk.end] = b"\x01" * (chunk.end - chunk.start)
    assert all(covered[n] for n, letter in enumerate(text) if letter.isalnum())


def test_equal_texts_share_a_hash_and_other_texts_do_not() -> None:
    chunk = TextChunk(0, 4, "text", 1, None)
    assert chunk.text_hash == replace(chunk, start=90, end=94).text_hash
    assert chunk.text_hash != replace(chunk, text="Text").text_hash
    assert len(TextChunk(0, 1, "\ud800", 1, None).text_hash) == 64  # a lone surrogate is not an error


@pytest.mark.parametrize(
    ("chosen", "parser", "tokenizer"),
    [
        (ChunkingSettings(max_tokens=64), "parser/1", "tok"),
        (ChunkingSettings(overlap_tokens=5), "parser/1", "tok"),
        (ChunkingSettings(), "parser/2", "tok"),
        (ChunkingSettings(), "parser/1", "other"),
    ],
)
def test_the_fingerprint_changes_with_all_that_decides_where_chunks_end(
    chosen: ChunkingSettings, parser: str, tokenizer: str
) -> None:
    plain = chunking_fingerprint(ChunkingSettings(), "parser/1", "tok")
    assert plain == chunking_fingerprint(ChunkingSettings(), "parser/1", "tok")
    assert len(plain) == 16 and int(plain, 16) >= 0
    assert chunking_fingerprint(chosen, parser, tokenizer) != plain
    assert "/" in CHUNKER
