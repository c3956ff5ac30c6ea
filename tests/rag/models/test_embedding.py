"""The embedder is a local folder: what identifies it, how it counts, and the vectors it makes."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_detector import tiny_model

from rag.errors import ModelError
from rag.models.embedding import (
    STARTER_NAME,
    STARTER_SHA256,
    TOKEN_DIMENSIONS,
    CrossEncoder,
    Embedder,
    _projection,
    check_starter_embedder,
    file_sha256,
    starter_embedder_folder,
)

FOLDER = starter_embedder_folder()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The starter embedder without its weights."""
    folder = tmp_path / "mine"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
    return folder


def test_the_starter_embedder_is_the_expected_file() -> None:
    check_starter_embedder(FOLDER)
    assert file_sha256(FOLDER / "model.safetensors") == STARTER_SHA256


def test_other_weights_in_its_place_are_noticed(copied: Path) -> None:
    (copied / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match="is not the expected file; install the package"):
        check_starter_embedder(copied)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 7])
def test_a_file_is_hashed_whole_whatever_its_size(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "f").write_bytes(content[:size])
    assert file_sha256(tmp_path / "f") == hashlib.sha256(content[:size]).hexdigest()


def test_a_folder_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not a sentence-transformers folder: it has no modules\.json"):
        Embedder(tmp_path)


OWN = {"type": "sentence_transformers.models.Transformer", "path": ""}


@pytest.mark.parametrize(
    "kind", ["custom_st.Transformer", "subprocess.Popen", "sentence_transformers_evil.A", ""]
)
def test_a_folder_that_brings_code_of_its_own_is_refused_before_it_is_loaded(copied: Path, kind: str) -> None:
    (copied / "custom_st.py").write_text("raise SystemExit('code of the folder ran')", "utf-8")
    (copied / "modules.json").write_text(json.dumps([OWN, {"type": kind, "path": ""}]), "utf-8")
    with pytest.raises(ModelError, match="brings a module of its own"):
        Embedder(copied)
    (copied / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="brings a module of its own"):
        CrossEncoder(copied)


def test_a_folder_that_changed_after_it_was_chosen_is_refused_too(copied: Path) -> None:
    chosen = Embedder(copied)
    (copied / "modules.json").write_text(json.dumps([{"type": "custom_st.Transformer"}]), "utf-8")
    with pytest.raises(ModelError, match="brings a module of its own"):
        chosen.encode(["a"])


@pytest.mark.parametrize(
    "text",
    ["{", "{}x", '["a"]', '[{"path": ""}]', "3", '[{"type": "sentence_transformers.A", "path": "../x"}]'],
)
def test_a_list_of_modules_that_is_none_is_refused(copied: Path, text: str) -> None:
    (copied / "modules.json").write_text(text, "utf-8")
    with pytest.raises(ModelError, match=r"is damaged|outside of its folder"):
        Embedder(copied)


def test_the_starter_is_called_so_and_others_like_their_folder(copied: Path) -> None:
    assert Embedder(FOLDER).name == STARTER_NAME
    assert Embedder(copied).name == "mine"


def test_a_fingerprint_is_of_what_decides_vectors_and_not_of_the_place(copied: Path, tmp_path: Path) -> None:
    first = Embedder(copied).fingerprint
    assert len(first) == 32 and int(first, 16) >= 0
    shutil.copytree(copied, tmp_path / "moved")
    assert Embedder(tmp_path / "moved").fingerprint == first
    (copied / "README.md").write_text("notes")
    assert Embedder(copied).fingerprint == first
    (copied / "config_sentence_transformers.json").write_text('{"prompts": {"query": "q: "}}')
    assert Embedder(copied).fingerprint != first


def test_a_moved_file_changes_the_fingerprint(copied: Path) -> None:
    before = Embedder(copied).fingerprint
    (copied / "vocab.txt").write_text("a")
    with_file = Embedder(copied).fingerprint
    (copied / "vocab.txt").rename(copied / "vocab2.txt")
    assert len({before, with_file, Embedder(copied).fingerprint}) == 3


def test_its_tokenizer_counts_what_is_really_there() -> None:
    tokenizer = Embedder(FOLDER).tokenizer
    assert len(tokenizer.encode("word " * 1000, add_special_tokens=False).ids) == 1000
    short, long = tokenizer.encode_batch(["one", "one two three"], add_special_tokens=False)
    assert (len(short.ids), len(long.ids)) == (1, 3), "nothing is padded"


def test_the_longest_input_leaves_room_for_the_special_tokens(copied: Path) -> None:
    assert Embedder(FOLDER).longest_input == 254
    (copied / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    assert Embedder(copied).longest_input == 126
    (copied / "sentence_bert_config.json").unlink()
    assert Embedder(copied).longest_input == 510


def test_no_text_gives_no_vector_and_loads_nothing(copied: Path) -> None:
    vectors = Embedder(copied).encode([])
    assert (vectors.shape, vectors.dtype) == ((0, 384), np.float32)


def test_knowing_an_embedder_does_not_load_the_library() -> None:
    code = (
        "import sys; from rag.models.embedding import Embedder, starter_embedder_folder; "
        "e = Embedder(starter_embedder_folder()); e.fingerprint, e.dimension, e.longest_input, e.tokenizer; "
        "print([m for m in ('sentence_transformers', 'torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.models
def test_vectors_have_length_one_and_near_texts_are_near() -> None:
    embedder = Embedder(FOLDER)
    embedder.warm_up()
    texts = ["A dog runs in the park.", "A puppy is running outside.", "The bank raised its interest rate."]
    vectors = embedder.encode(texts)
    assert vectors.shape == (3, embedder.dimension) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert np.allclose(embedder.encode(texts[:1])[0], vectors[0], atol=1e-5)


@pytest.mark.models
def test_a_folder_without_weights_is_a_sentence_when_it_is_needed(copied: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        Embedder(copied).encode(["text"])


# --- parts ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def starter() -> Embedder:
    """The starter, loaded once."""
    return Embedder(FOLDER)


LONG = "The tide at the mole of Bremen is four metres high. " * 12


@pytest.mark.models
def test_one_reading_gives_the_vector_and_those_of_its_parts(starter: Embedder) -> None:
    texts = ["Rye bread needs sourdough and time.", LONG]
    vectors, fine = starter.encode_finely(texts)
    assert np.allclose(vectors, starter.encode(texts), atol=1e-6)
    assert [part.pieces.shape for part in fine] == [(1, 384), (2, 384)]
    assert all(part.pieces.dtype == np.float16 and part.tokens.dtype == np.int8 for part in fine)
    for part in fine:
        lengths = np.linalg.norm(part.pieces.astype(np.float32), axis=1)
        assert np.allclose(lengths, 1, atol=1e-3)
    # "and" and "." say nothing: rye, bread, needs, sour, ##dou, ##gh, time remain
    assert fine[0].tokens.shape == (7, TOKEN_DIMENSIONS)
    assert starter.encode_finely([])[1] == []


@pytest.mark.models
def test_the_only_piece_of_a_short_text_is_near_its_vector(starter: Embedder) -> None:
    (vector,), (fine,) = starter.encode_finely(["Rye bread needs sourdough and time."])
    assert float(fine.pieces[0].astype(np.float32) @ vector) > 0.97


@pytest.mark.models
def test_cosines_of_tokens_survive_the_projection(starter: Embedder) -> None:
    texts = ["Rye bread needs sourdough.", "The tide in Bremen is four metres high.", "Bread of rye."]
    vectors, tokens = starter.encode_with_tokens(texts)
    assert np.allclose(vectors, starter.encode(texts), atol=1e-6)
    assert all(one.shape[1] == TOKEN_DIMENSIONS for one in tokens)
    assert all(np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5) for one in tokens)

    def fits(asked: np.ndarray, shown: np.ndarray) -> float:
        return float((asked @ shown.T).max(axis=1).mean())

    assert fits(tokens[2], tokens[0]) > fits(tokens[2], tokens[1]) + 0.2
    assert fits(tokens[0], tokens[0]) == pytest.approx(1, abs=1e-5)
    assert starter.encode_with_tokens([])[1] == []


def test_the_projection_is_the_same_everywhere_and_keeps_lengths() -> None:
    matrix = _projection(384)
    assert matrix.shape == (384, TOKEN_DIMENSIONS)
    assert np.allclose(matrix.T @ matrix, np.eye(TOKEN_DIMENSIONS), atol=1e-5)
    # Stored token vectors of other computers must fit.
    assert matrix[0, :3] == pytest.approx([0.0921158, 0.0153178, 0.0526898], abs=1e-6)
    assert matrix[383, 61:] == pytest.approx([0.0333458, -0.0334237, -0.0279854], abs=1e-6)
    assert _projection(16).shape == (16, 16), "a small network keeps its dimensions"


@pytest.mark.parametrize(
    ("modules", "pooling", "has_parts"),
    [
        (["Transformer", "Pooling", "Normalize"], {"pooling_mode_mean_tokens": True}, True),
        (
            ["Transformer", "Pooling"],
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False},
            True,
        ),
        (["Transformer", "Pooling"], {"pooling_mode": "mean"}, True),
        (["Transformer", "Pooling"], {"pooling_mode_cls_token": True}, False),
        (
            ["Transformer", "Pooling"],
            {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True},
            False,
        ),
        (["Transformer", "Pooling", "Dense"], {"pooling_mode_mean_tokens": True}, False),
        (["WordEmbeddings", "Pooling"], {"pooling_mode_mean_tokens": True}, False),
        (["Transformer", "Pooling"], None, False),
    ],
)
def test_only_the_mean_over_tokens_has_parts(
    tmp_path: Path, modules: list[str], pooling: dict[str, object] | None, has_parts: bool
) -> None:
    listed = [
        {"idx": n, "name": str(n), "path": f"{n}_{kind}", "type": f"sentence_transformers.models.{kind}"}
        for n, kind in enumerate(modules)
    ]
    (tmp_path / "modules.json").write_text(json.dumps(listed))
    (tmp_path / "1_Pooling").mkdir()
    if pooling is not None:
        (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    assert Embedder(tmp_path).has_parts is has_parts


def test_only_the_starter_is_known_to_be_english(copied: Path) -> None:
    assert Embedder(FOLDER).is_english_only
    assert not Embedder(copied).is_english_only


# --- cross-encoders ---------------------------------------------------------------------------------------


def test_a_folder_that_is_no_cross_encoder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        CrossEncoder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ModelError, match="safetensors"):
        CrossEncoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot be loaded"):
        CrossEncoder(tmp_path).scores("q", ["p"])


def test_a_cross_encoder_gives_one_score_a_passage(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "cross", "pairs", {0: "relevance"}, 0)
    scores = CrossEncoder(folder).scores("is the bridge red", ["the bridge is red", "the river is blue"])
    assert len(scores) == 2 and all(isinstance(score, float) for score in scores)


@pytest.mark.models
def test_what_a_reader_cannot_see_does_not_change_a_vector(starter: Embedder) -> None:
    plain, seen = ["The compressor needs a filter."], ["The com\u00adpressor needs a \ufb01lter."]
    assert np.allclose(starter.encode(seen), starter.encode(plain), atol=1e-6)
    (one,), (other,) = starter.encode_finely(seen)[1], starter.encode_finely(plain)[1]
    assert np.array_equal(one.tokens, other.tokens)
