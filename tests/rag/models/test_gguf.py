"""The header of a GGUF file is read without llama.cpp; whatever it claims, it is read or refused with a sentence."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import tiny_gguf
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import ModelError
from rag.models.embedding import file_sha256
from rag.models.gguf import FILE_TYPES, GGML_TYPES, read_header
from rag.models.language_model import STARTER_SHA256, starter_model_path
from rag.models.rows import ModelHeader, forecast_memory

STARTER = starter_model_path()


def test_the_starter_model_is_the_expected_file_and_its_header_is_read() -> None:
    header = read_header(STARTER)
    assert file_sha256(STARTER) == STARTER_SHA256
    assert (header.architecture, header.quantisation, header.context_length) == ("llama", "Q4_1", 8192)
    assert "im_start" in header.chat_template
    assert header.size_bytes == STARTER.stat().st_size
    assert 0 < header.weights_bytes < header.size_bytes
    assert 130e6 < header.parameter_count < 170e6


def test_a_small_header_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.gguf").write_bytes(tiny_gguf())
    header = read_header(tmp_path / "t.gguf")
    assert (header.name, header.layer_count, header.vocabulary_size, header.parameter_count) == (
        "Tiny",
        2,
        3,
        192,
    )


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\3\4 not a model", b"GGUF" + bytes(20)])
def test_what_is_no_gguf_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.gguf"):
        read_header(tmp_path / "x.gguf")


def test_a_truncated_file_is_a_sentence_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(tiny_gguf()[:-100])
    with pytest.raises(ModelError, match="truncated"):
        read_header(tmp_path / "x.gguf")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_header_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(tiny_gguf())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, 420))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("m") / "x.gguf"
    path.write_bytes(bytes(content))
    try:
        header = read_header(path)
    except ModelError as error:
        assert str(error).endswith(".")
    else:
        assert forecast_memory(header, 512).total > 0


# --- headers made by hand ---------------------------------------------------------------------------------

Entry = tuple[str, int, bytes]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def number(key: str, value: int) -> Entry:
    return (key, 4, struct.pack("<I", value))


ENTRIES: tuple[Entry, ...] = (
    ("general.architecture", 8, text("llama")),
    number("llama.block_count", 2),
    number("llama.embedding_length", 64),
    number("llama.attention.head_count", 4),
)


def tensor(
    name: str = "token_embd.weight", shape: tuple[int, ...] = (64, 3), kind: int = 0, at: int = 0
) -> bytes:
    return (
        text(name)
        + struct.pack("<I", len(shape))
        + struct.pack(f"<{len(shape)}Q", *shape)
        + struct.pack("<IQ", kind, at)
    )


def gguf(
    *more: Entry,
    tensors: tuple[bytes, ...] = (tensor(),),
    version: int = 3,
    counts: tuple[int, int] | None = None,
    data: int = 64 * 3 * 4,
    without: tuple[str, ...] = (),
) -> bytes:
    entries = [entry for entry in ENTRIES if entry[0] not in without] + list(more)
    tensor_count, entry_count = counts or (len(tensors), len(entries))
    header = b"GGUF" + struct.pack("<IQQ", version, tensor_count, entry_count)
    header += b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in entries)
    header += b"".join(tensors)
    return header + bytes(-len(header) % 32) + bytes(data)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], ModelHeader]:
    def reader(content: bytes) -> ModelHeader:
        path = tmp_path / "model.gguf"
        path.write_bytes(content)
        return read_header(path)

    return reader


Read = Callable[[bytes], ModelHeader]


def test_what_a_header_does_not_say_follows_from_what_it_says(read: Read) -> None:
    header = read(gguf())
    assert (header.name, header.quantisation, header.context_length) == ("model", "unknown", 0)
    assert (header.kv_head_count, header.key_length, header.value_length) == (4, 16, 16)
    assert (header.feed_forward_length, header.vocabulary_size, header.chat_template) == (256, 3, "")
    assert header.weights_bytes == 64 * 3 * 4


def test_what_a_header_says_is_read(read: Read) -> None:
    header = read(
        gguf(
            ("general.name", 8, text("Größe")),
            number("general.file_type", 15),
            number("llama.context_length", 4096),
            number("llama.attention.head_count_kv", 1),
            number("llama.attention.key_length", 32),
            number("llama.feed_forward_length", 99),
            number("llama.vocab_size", 7),
            ("tokenizer.chat_template", 8, text("{{ messages }}")),
        )
    )
    assert (header.name, header.quantisation, header.context_length) == ("Größe", "Q4_K_M", 4096)
    assert (header.kv_head_count, header.key_length, header.value_length) == (1, 32, 16)
    assert (header.feed_forward_length, header.vocabulary_size) == (99, 7)
    assert header.chat_template == "{{ messages }}"


def test_a_list_of_heads_a_layer_counts_by_its_largest(read: Read) -> None:
    heads = struct.pack("<IQ", 4, 3) + struct.pack("<3I", 2, 8, 4)
    assert read(gguf(("llama.attention.head_count_kv", 9, heads))).kv_head_count == 8


@pytest.mark.parametrize("version", [2, 3])
def test_the_versions_of_today_are_read(read: Read, version: int) -> None:
    assert read(gguf(version=version)).layer_count == 2


@pytest.mark.parametrize("version", [0, 1, 4, 1 << 31])
def test_other_versions_are_named(read: Read, version: int) -> None:
    with pytest.raises(ModelError, match=f"GGUF version {version}, but only versions 2 and 3"):
        read(gguf(version=version))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (0, struct.pack("<B", 7), 7),
        (1, struct.pack("<b", 7), 7),
        (2, struct.pack("<H", 700), 700),
        (5, struct.pack("<i", 700), 700),
        (10, struct.pack("<Q", 1 << 33), 1 << 33),
        (6, struct.pack("<f", 700.0), 700),
    ],
)
def test_a_number_may_have_any_type(read: Read, kind: int, value: bytes, expected: int) -> None:
    assert read(gguf(("llama.context_length", kind, value))).context_length == expected


@pytest.mark.parametrize("kind", sorted(GGML_TYPES))
def test_the_bytes_of_a_tensor_follow_from_its_type(read: Read, kind: int) -> None:
    _, values, size = GGML_TYPES[kind]
    header = read(gguf(tensors=(tensor(shape=(values, 5), kind=kind),), data=5 * size))
    assert (header.weights_bytes, header.parameter_count, header.vocabulary_size) == (5 * size, 5 * values, 5)


def test_every_file_type_has_a_name_of_its_own() -> None:
    assert len(set(FILE_TYPES.values())) == len(FILE_TYPES)


LIES = {
    "more tensors than bytes": gguf(counts=(1 << 40, 4)),
    "no tensor": gguf(counts=(0, 4)),
    "more entries than bytes": gguf(counts=(1, 1 << 40)),
    "entries that are not there": gguf(counts=(1, 2000)),
    "an endless text": gguf(("general.name", 8, struct.pack("<Q", 1 << 60))),
    "an endless list": gguf(("x", 9, struct.pack("<IQ", 4, 1 << 60))),
    "a list of lists without end": gguf(("x", 9, struct.pack("<IQ", 9, 1 << 22))),
    "a value of no type": gguf(("x", 99, b"")),
    "a list of no type": gguf(("x", 9, struct.pack("<IQ", 99, 1))),
    "a tensor of no type": gguf(tensors=(tensor(kind=77),)),
    "a tensor without dimensions": gguf(tensors=(tensor(shape=()),)),
    "a tensor of many dimensions": gguf(tensors=(tensor(shape=(1,) * 9),)),
    "no architecture": gguf(without=("general.architecture",)),
    "no layers": gguf(without=("llama.block_count",)),
    "no width": gguf(without=("llama.embedding_length",)),
    "no heads": gguf(number("llama.attention.head_count", 0)),
    "too many layers": gguf(number("llama.block_count", 1 << 20)),
    "an alignment of nothing": gguf(number("general.alignment", 0)),
    "a huge alignment": gguf(number("general.alignment", 1 << 30)),
    "a text where a number is": gguf(("llama.context_length", 8, text("many"))),
    "an empty list of heads": gguf(("llama.attention.head_count", 9, struct.pack("<IQ", 4, 0))),
    "a number that is none": gguf(("llama.context_length", 6, struct.pack("<f", float("nan")))),
    "a number without end": gguf(("llama.context_length", 12, struct.pack("<d", float("inf")))),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_one_sentence_and_takes_no_memory(read: Read, lie: str) -> None:
    with pytest.raises(ModelError, match=r"^model\.gguf has a damaged GGUF header \(.*\); download or copy"):
        read(LIES[lie])


@pytest.mark.parametrize(
    "tensors",
    [
        (tensor(at=1 << 50),),
        (tensor(shape=(1 << 40, 1 << 20)),),
        (tensor(), tensor("output.weight", at=768)),
    ],
)
def test_tensors_beyond_the_end_of_the_file_are_counted_as_missing_bytes(
    read: Read, tensors: tuple[bytes, ...]
) -> None:
    with pytest.raises(ModelError, match=r"truncated: [\d,]+ bytes are missing"):
        read(gguf(tensors=tensors))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        read_header(tmp_path)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 460))
def test_a_header_that_is_cut_anywhere_is_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    content = tiny_gguf()
    path = tmp_path_factory.mktemp("cut") / "x.gguf"
    path.write_bytes(content[: min(length, len(content) - 1)])
    with pytest.raises(ModelError):
        read_header(path)


@settings(max_examples=60, deadline=None)
@given(
    layers=st.integers(1, 200),
    heads=st.sampled_from([1, 2, 4, 8, 32]),
    width=st.sampled_from([64, 256, 4096]),
    context=st.integers(0, 1 << 20),
    rows=st.integers(1, 50),
    name=st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text),
)
def test_any_sound_header_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    layers: int,
    heads: int,
    width: int,
    context: int,
    rows: int,
    name: str,
) -> None:
    content = gguf(
        number("llama.block_count", layers),
        number("llama.attention.head_count", heads),
        number("llama.embedding_length", width),
        number("llama.context_length", context),
        ("general.name", 8, text(name)),
        tensors=(tensor(shape=(64, rows)),),
        data=64 * rows * 4,
        without=("llama.block_count", "llama.attention.head_count", "llama.embedding_length"),
    )
    path = tmp_path_factory.mktemp("sound") / "x.gguf"
    path.write_bytes(content)
    header = read_header(path)
    assert (header.layer_count, header.head_count, header.embedding_length) == (layers, heads, width)
    assert (header.context_length, header.name, header.vocabulary_size) == (context, name, rows)
    assert (header.key_length, header.parameter_count) == (width // heads, 64 * rows)
