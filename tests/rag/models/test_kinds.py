"""What a GGUF file is for is read from its header, and what llama.cpp does not survive is refused before it is loaded."""

import struct
from pathlib import Path

import pytest
from fakes import nested_gguf, small_gguf, split_gguf

from rag.errors import ModelError
from rag.models.gguf import read_header
from rag.models.language_model import LanguageModel
from rag.models.rows import ModelHeader, ModelKind, forecast_memory, why_it_cannot_answer
from rag.settings import GenerationSettings


def header_of(tmp_path: Path, content: bytes, name: str = "x.gguf") -> ModelHeader:
    (tmp_path / name).write_bytes(content)
    return read_header(tmp_path / name)


KINDS = {
    "a language model": (small_gguf(), ModelKind.LANGUAGE_MODEL),
    "one that says so": (small_gguf({"general.type": "model"}), ModelKind.LANGUAGE_MODEL),
    "one that pools nothing": (small_gguf({"llama.pooling_type": 0}), ModelKind.LANGUAGE_MODEL),
    "an unknown architecture": (small_gguf(architecture="brandnew"), ModelKind.LANGUAGE_MODEL),
    "bert": (small_gguf(architecture="bert"), ModelKind.EMBEDDER),
    "nomic-bert": (small_gguf({"nomic-bert.pooling_type": 1}, architecture="nomic-bert"), ModelKind.EMBEDDER),
    "qwen3 as an embedder": (small_gguf({"qwen3.pooling_type": 3}, architecture="qwen3"), ModelKind.EMBEDDER),
    "qwen3 as a reranker": (small_gguf({"qwen3.pooling_type": 4}, architecture="qwen3"), ModelKind.RERANKER),
    "one that looks ahead": (small_gguf({"llama.attention.causal": False}), ModelKind.EMBEDDER),
    "one that looks back": (small_gguf({"llama.attention.causal": True}), ModelKind.LANGUAGE_MODEL),
    "a cross-encoder": (small_gguf(architecture="bert", tensors=["cls.weight"]), ModelKind.RERANKER),
    "clip": (
        small_gguf({"general.architecture": "clip", "clip.has_vision_encoder": True}, bare=True),
        ModelKind.PROJECTOR,
    ),
    "mmproj": (small_gguf({"general.type": "mmproj", "general.architecture": "clip"}, bare=True), ModelKind.PROJECTOR),
    "LoRA": (
        small_gguf({"general.type": "adapter", "general.architecture": "llama", "adapter.type": "lora"}, bare=True),
        ModelKind.ADAPTER,
    ),
    "a control vector": (small_gguf({"general.architecture": "controlvector"}, bare=True), ModelKind.ADAPTER),
    "a model of pictures": (small_gguf({"general.architecture": "flux"}, bare=True), ModelKind.OTHER),
    "an importance matrix": (
        small_gguf({"general.type": "imatrix", "general.architecture": "llama"}, bare=True),
        ModelKind.OTHER,
    ),
    "a later part": (split_gguf(2, 3), ModelKind.PART),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_of_a_file_is_read_from_its_header(tmp_path: Path, name: str) -> None:
    content, kind = KINDS[name]
    header = header_of(tmp_path, content)
    assert header.kind is kind
    problem = why_it_cannot_answer(header)
    assert bool(problem) is (kind is not ModelKind.LANGUAGE_MODEL)
    if problem:
        assert problem.startswith("x.gguf is ")
        assert "damaged" not in problem and "download" not in problem
        with pytest.raises(ModelError) as refused:
            LanguageModel(tmp_path / "x.gguf", GenerationSettings())
        assert str(refused.value) == problem


def test_the_reason_says_what_to_do(tmp_path: Path) -> None:
    said = why_it_cannot_answer(header_of(tmp_path, small_gguf(architecture="bert")))
    assert "embedding model (bert)" in said and "sentence-transformers folder" in said
    said = why_it_cannot_answer(header_of(tmp_path, small_gguf({"general.type": "adapter"})))
    assert "Merge it into its base model" in said


# --- models in several files ------------------------------------------------------------------------------


def write_parts(folder: Path, parts: int, *present: int) -> Path:
    for part in present:
        (folder / f"m-{part:05d}-of-{parts:05d}.gguf").write_bytes(split_gguf(part, parts))
    return folder / f"m-00001-of-{parts:05d}.gguf"


def test_size_and_forecast_count_all_parts(tmp_path: Path) -> None:
    first = write_parts(tmp_path, 3, 1, 2, 3)
    header = read_header(first)
    alone = header_of(tmp_path, small_gguf())
    assert (header.part, header.parts, header.missing) == (1, 3, "")
    assert header.size_bytes == sum(path.stat().st_size for path in tmp_path.glob("m-*"))
    assert header.weights_bytes == 3 * alone.weights_bytes
    assert header.parameter_count == 3 * alone.parameter_count
    assert forecast_memory(header, 512).weights == 3 * alone.weights_bytes
    assert why_it_cannot_answer(header) == ""


def test_a_first_part_may_have_no_tensors_of_its_own(tmp_path: Path) -> None:
    first = write_parts(tmp_path, 2, 2)
    first.write_bytes(small_gguf({"split.no": 0, "split.count": 2}, tensors=[]))
    assert read_header(first).weights_bytes == 64 * 3 * 4


def test_a_lone_first_part_says_which_parts_are_missing(tmp_path: Path) -> None:
    said = why_it_cannot_answer(read_header(write_parts(tmp_path, 3, 1, 3)))
    assert said == (
        "m-00001-of-00003.gguf is the first of 3 parts of a model, and 1 of them is missing: "
        "m-00002-of-00003.gguf. Put all parts into one folder."
    )
    said = why_it_cannot_answer(read_header(write_parts(tmp_path, 9, 1)))
    assert (
        "8 of them are missing: m-00002-of-00009.gguf, m-00003-of-00009.gguf, m-00004-of-00009.gguf and 5 more"
        in said
    )


def test_a_part_whose_name_was_changed_says_which_name_it_needs(tmp_path: Path) -> None:
    said = why_it_cannot_answer(header_of(tmp_path, split_gguf(1, 2), "renamed.gguf"))
    assert "renamed.gguf is the first of 2 parts" in said and "NAME-00001-of-00002.gguf" in said


def test_a_later_part_points_to_the_first(tmp_path: Path) -> None:
    first = write_parts(tmp_path, 2, 1, 2)
    said = why_it_cannot_answer(read_header(tmp_path / "m-00002-of-00002.gguf"))
    assert said.endswith("Choose its first part, m-00001-of-00002.gguf: it brings the others.")
    first.unlink()
    said = why_it_cannot_answer(read_header(tmp_path / "m-00002-of-00002.gguf"))
    assert "It needs m-00001-of-00002.gguf, which is not beside it" in said
    assert "whose name ends in -00001-of-00002.gguf" in why_it_cannot_answer(
        header_of(tmp_path, split_gguf(2, 2), "renamed.gguf")
    )


def test_a_part_that_is_cut_is_named(tmp_path: Path) -> None:
    first = write_parts(tmp_path, 2, 1, 2)
    second = tmp_path / "m-00002-of-00002.gguf"
    second.write_bytes(second.read_bytes()[:-50])
    with pytest.raises(ModelError, match=r"m-00002-of-00002\.gguf is truncated: 50 bytes"):
        read_header(first)


# --- headers that llama.cpp does not survive --------------------------------------------------------------

NAN = struct.pack("<If", 6, float("nan"))
LIES = {
    "9999 layers": small_gguf({"llama.block_count": 9999}),
    "an epsilon that is no number": small_gguf({"llama.attention.layer_norm_rms_epsilon": NAN}),
    "a negative epsilon": small_gguf({"llama.attention.layer_norm_rms_epsilon": -1.0}),
    "an infinite base": small_gguf({"llama.rope.freq_base": float("inf")}),
    "no merges": small_gguf({"tokenizer.ggml.model": "gpt2"}),
    "an empty list of merges": small_gguf({"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.merges": []}),
    "lists in lists": nested_gguf(3000),
    "tokens that are lists": nested_gguf(1),
    "fewer types than tokens": small_gguf({"tokenizer.ggml.token_type": struct.pack("<IIQI", 9, 5, 1, 1)}),
    "no architecture": small_gguf({"general.name": "x"}, bare=True),
    "part 5 of 3": small_gguf({"split.no": 4, "split.count": 3}),
    "a million parts": small_gguf({"split.no": 0, "split.count": 1_000_000}),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_llama_does_not_survive_is_a_damaged_header(tmp_path: Path, lie: str) -> None:
    with pytest.raises(ModelError, match=r"^x\.gguf has a damaged GGUF header \(.*\); download or copy"):
        header_of(tmp_path, LIES[lie])


def test_a_tokenizer_with_merges_is_sound(tmp_path: Path) -> None:
    values = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.merges": ["a b"]}
    assert header_of(tmp_path, small_gguf(values)).kind is ModelKind.LANGUAGE_MODEL


def test_what_a_file_says_of_itself_cannot_steer_a_terminal_or_fill_a_screen(tmp_path: Path) -> None:
    header = header_of(tmp_path, small_gguf(architecture="bert\n\x1b[2J" + "x" * 999))
    said = why_it_cannot_answer(
        header_of(tmp_path, small_gguf({"llama.pooling_type": 1, "general.name": "a\nb"}))
    )
    assert "\n" not in header.architecture + said and len(header.architecture) == 200
    with pytest.raises(ModelError) as found:
        header_of(tmp_path, small_gguf({"llama.\x1b[2J" + "y" * 999: float("nan")}))
    assert "\x1b" not in str(found.value) and len(str(found.value)) < 400
