"""Reads the header of a GGUF file without llama.cpp.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little endian). Every
length in a header is a claim until it is checked: nothing is allocated before it is known to be within
bounds.
"""

from __future__ import annotations

import re
import stat
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import ModelError
from rag.models.kinds import check_sound, kind_of
from rag.models.rows import ModelHeader, ModelKind

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_STRING = 16 << 20
_MOST_ENTRIES = 65536
_MOST_ARRAY = 4 << 20
_MOST_HEADER = 256 << 20  # bytes; the largest vocabularies take about 20 MB
_DEEPEST_ARRAY = 3
_MOST_PARTS = 9999

# ggml type -> (name, values a block, bytes a block); https://github.com/ggml-org/ggml/blob/master/include/ggml.h
GGML_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}

# general.file_type -> name, from llama.cpp's llama_ftype
FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
    36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip


def read_header(path: Path) -> ModelHeader:
    """Read and check a GGUF header, and those of its other parts when the model is in several files.

    Raises ModelError with one sentence when the file is missing, not GGUF, truncated or inconsistent.
    """
    contents = _read(path)
    header = _header(path, contents)
    return _with_parts(path, header) if header.parts > 1 and header.part == 1 else header


@dataclass(frozen=True)
class _Contents:
    """What a file has before its data: the entries of its header, and the sums over its tensors."""

    size_bytes: int
    values: dict[str, Any]
    weights_bytes: int
    parameter_count: int
    embedding_rows: int
    tensor_names: frozenset[str]


def _read(path: Path) -> _Contents:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ModelError(f"{path} cannot be read: Is a directory.")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise ModelError(f"{path} is not a file.")
        with path.open("rb") as file:
            return _contents(path, file, status.st_size)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error


_DAMAGE = (
    struct.error,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
    MemoryError,
)


def _damaged(path: Path, error: BaseException) -> ModelError:
    why = _printable(str(error) or type(error).__name__)
    return ModelError(f"{path.name} has a damaged GGUF header ({why}); download or copy the file again.")


def _printable(text: str) -> str:
    """Return a text of a file as a part of a sentence."""
    return "".join(character if character.isprintable() else " " for character in text[:200])


def _contents(path: Path, file: BinaryIO, size_bytes: int) -> _Contents:
    magic = file.read(4)
    if magic != b"GGUF":
        raise ModelError(f"{path.name} is not a GGUF file; choose a model file that ends in .gguf.")
    (version,) = struct.unpack("<I", _exactly(file, 4))
    if version not in (2, 3):
        raise ModelError(f"{path.name} has GGUF version {version}, but only versions 2 and 3 are supported.")
    tensor_count, entry_count = struct.unpack("<QQ", _exactly(file, 16))
    if entry_count > _MOST_ENTRIES or tensor_count > _MOST_ENTRIES:
        raise ValueError(f"{entry_count} entries and {tensor_count} tensors")
    values: dict[str, Any] = {}
    for _ in range(entry_count):
        if file.tell() > _MOST_HEADER:
            raise ValueError("a header without end")
        key = _string(file)
        (kind,) = struct.unpack("<I", _exactly(file, 4))
        values[key] = _value(file, kind)
    if not tensor_count and int(values.get("split.count", 1)) < 2:  # a first part may have none
        raise ValueError("no tensors")
    weights_bytes, parameter_count, data_end, rows, names = _tensors(file, tensor_count)
    alignment = int(values.get("general.alignment", 32))
    if not 0 < alignment <= 1 << 20:
        raise ValueError(f"alignment {alignment}")
    data_start = -(-file.tell() // alignment) * alignment if tensor_count else 0
    if data_start + data_end > size_bytes:
        missing = data_start + data_end - size_bytes
        raise ModelError(
            f"{path.name} is truncated: {missing:,} bytes are missing; download or copy it again."
        )
    return _Contents(size_bytes, values, weights_bytes, parameter_count, rows, names)


def _header(path: Path, contents: _Contents) -> ModelHeader:
    try:
        kind = kind_of(contents.values, contents.tensor_names)
        part, parts = int(contents.values.get("split.no", 0)) + 1, int(contents.values.get("split.count", 1))
        if not 1 <= part <= max(parts, 1) <= _MOST_PARTS:
            raise ValueError(f"part {part} of {parts}")
        if kind is ModelKind.LANGUAGE_MODEL:
            check_sound(contents.values)
        header = _described(path, contents, kind)
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    header = replace(header, kind=kind, part=part, parts=max(parts, 1))
    return replace(header, missing=_of_a_later_part(path, part, parts)) if kind is ModelKind.PART else header


def _described(path: Path, contents: _Contents, kind: ModelKind) -> ModelHeader:
    values = contents.values
    architecture = str(values.get("general.architecture", ""))

    def number(key: str, default: int = 0) -> int:
        value = values.get(f"{architecture}.{key}", default)
        return max(value) if isinstance(value, list) else int(value)

    heads = number("attention.head_count", 1)
    embedding = number("embedding_length")
    per_head = embedding // max(heads, 1)
    layers = number("block_count")
    if kind is ModelKind.LANGUAGE_MODEL:
        # llama.cpp ends the process when there are more layers than it has room for (LLAMA_MAX_LAYERS).
        if not (0 < layers <= 512 and 0 < embedding < 1 << 20 and 0 < heads < 1 << 16):
            raise ValueError(f"{layers} layers of width {embedding} with {heads} heads")
        if number("context_length") < 0:
            raise ValueError(f"a context of {number('context_length')} tokens")
    tokens = values.get("tokenizer.ggml.tokens")
    return ModelHeader(
        path=str(path),
        size_bytes=contents.size_bytes,
        name=str(values.get("general.name") or path.stem),
        architecture=_printable(architecture),
        quantisation=FILE_TYPES.get(int(values.get("general.file_type", -1)), "unknown"),
        parameter_count=contents.parameter_count,
        context_length=number("context_length"),
        layer_count=layers,
        embedding_length=embedding,
        feed_forward_length=number("feed_forward_length", 4 * embedding),
        head_count=heads,
        kv_head_count=number("attention.head_count_kv", heads),
        key_length=number("attention.key_length", per_head),
        value_length=number("attention.value_length", per_head),
        vocabulary_size=len(tokens)
        if isinstance(tokens, list)
        else number("vocab_size", contents.embedding_rows),
        chat_template=str(values.get("tokenizer.chat_template", "")),
        weights_bytes=contents.weights_bytes,
    )


# --- a model in several files -----------------------------------------------------------------------------

_PART_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE | re.DOTALL)


def part_path(path: Path, number: int) -> Path | None:
    """Return where part `number` of a model in several files has to be; None: the name is no part's name."""
    match = _PART_NAME.fullmatch(path.name)
    return path.with_name(f"{match[1]}-{number:05d}-of-{match[3]}{match[4]}") if match else None


def _with_parts(path: Path, first: ModelHeader) -> ModelHeader:
    """Return the header of a first part with the sizes of all parts, and a sentence on those that miss."""
    example = f"NAME-00001-of-{first.parts:05d}.gguf"
    others = [part_path(path, number) for number in range(2, first.parts + 1)]
    if part_path(path, 1) != path or None in others or f"-of-{first.parts:05d}" not in path.name:
        sentence = (
            f"{path.name} is the first of {first.parts} parts of a model, and llama.cpp finds the others by "
            f"their names. Give the files their old names again, such as {example}."
        )
        return replace(first, missing=sentence)
    present = [other for other in others if other is not None and other.exists()]
    absent = [other.name for other in others if other is not None and not other.exists()]
    found = [_read(other) for other in present]
    missing = ""
    if absent:
        shown = ", ".join(absent[:3]) + (f" and {len(absent) - 3} more" if len(absent) > 3 else "")
        missing = (
            f"{path.name} is the first of {first.parts} parts of a model, and {len(absent)} of them "
            f"{'is' if len(absent) == 1 else 'are'} missing: {shown}. Put all parts into one folder."
        )
    return replace(
        first,
        size_bytes=first.size_bytes + sum(each.size_bytes for each in found),
        parameter_count=first.parameter_count + sum(each.parameter_count for each in found),
        weights_bytes=first.weights_bytes + sum(each.weights_bytes for each in found),
        missing=missing,
    )


def _of_a_later_part(path: Path, part: int, parts: int) -> str:
    first = part_path(path, 1)
    what = f"{path.name} is part {part} of {parts} of a model in several files. "
    if first is not None and first.exists():
        return f"{what}Choose its first part, {first.name}: it brings the others."
    name = (
        first.name if first is not None else f"its first part, whose name ends in -00001-of-{parts:05d}.gguf"
    )
    return (
        f"{what}It needs {name}, which is not beside it: put all parts into one folder and choose the first."
    )


# --- what the bytes say -----------------------------------------------------------------------------------


def _tensors(file: BinaryIO, count: int) -> tuple[int, int, int, int, frozenset[str]]:
    """Return bytes, parameters, the relative end of the data, rows of the token embedding, and all names."""
    total = parameters = end = rows = 0
    names = set()
    for _ in range(count):
        name = _string(file)
        (dimension_count,) = struct.unpack("<I", _exactly(file, 4))
        if not 0 < dimension_count <= 8:
            raise ValueError(f"tensor {name[:40]!r} has {dimension_count} dimensions")
        shape = struct.unpack(f"<{dimension_count}Q", _exactly(file, 8 * dimension_count))
        kind, offset = struct.unpack("<IQ", _exactly(file, 12))
        if kind not in GGML_TYPES:
            raise ValueError(f"tensor {name[:40]!r} has unknown type {kind}")
        values = 1
        for length in shape:
            values *= length
        _, block_values, block_bytes = GGML_TYPES[kind]
        size = values // block_values * block_bytes
        total += size
        parameters += values
        end = max(end, offset + size)
        names.add(name)
        if name == "token_embd.weight":
            rows = shape[-1]
    return total, parameters, end, rows, frozenset(names)


def _value(file: BinaryIO, kind: int, depth: int = 0) -> Any:
    if kind in _SCALARS:
        code = "<" + _SCALARS[kind]
        return struct.unpack(code, _exactly(file, struct.calcsize(code)))[0]
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        element, count = struct.unpack("<IQ", _exactly(file, 12))
        if depth >= _DEEPEST_ARRAY:
            raise ValueError("arrays nested too deep")
        if count > _MOST_ARRAY:
            raise ValueError(f"an array of {count} values")
        if element in _SCALARS:
            code = f"<{count}{_SCALARS[element]}"
            return list(struct.unpack(code, _exactly(file, struct.calcsize(code))))
        return [_value(file, element, depth + 1) for _ in range(count)]
    raise ValueError(f"value of unknown type {kind}")


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", _exactly(file, 8))
    if length > _MOST_STRING:
        raise ValueError(f"a text of {length} bytes")
    return _exactly(file, length).decode("utf-8", "replace")


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise EOFError("it ends in the middle of the header")
    return data
