"""The forecast of a model's memory, and what is said about it."""

import mmap
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import tiny_gguf
from hypothesis import given
from hypothesis import strategies as st

from rag.models.catalogue import add_model
from rag.models.gguf import read_header
from rag.models.language_model import starter_model_path
from rag.models.rows import (
    RUNTIME_BYTES,
    VOCABULARY_ENTRY_BYTES,
    MemoryForecast,
    ModelHeader,
    ModelState,
    forecast_memory,
    free_memory_bytes,
    list_added_models,
    memory_sentence,
    resident_bytes,
)
from rag.workspace import Workspace

STARTER = starter_model_path()


def test_the_memory_grows_with_the_context() -> None:
    header = read_header(STARTER)
    small, large = forecast_memory(header, 2048), forecast_memory(header, 8192)
    assert large.kv_cache == 4 * small.kv_cache == 8192 * 30 * 3 * 128 * 2
    assert large.weights == small.weights


@pytest.fixture
def header(tmp_path: Path) -> ModelHeader:
    (tmp_path / "t.gguf").write_bytes(tiny_gguf())
    return read_header(tmp_path / "t.gguf")


def test_a_forecast_is_the_sum_of_its_parts(header: ModelHeader) -> None:
    forecast = forecast_memory(header, 100, batch=10)
    assert forecast.weights == header.weights_bytes == 768
    assert forecast.kv_cache == 2 * 100 * 4 * (16 + 16) * 2
    activations = 10 * 4 * (4 * 64 + 2 * 256)
    assert forecast.compute == activations + 3 * VOCABULARY_ENTRY_BYTES + RUNTIME_BYTES
    assert forecast.total == forecast.weights + forecast.kv_cache + forecast.compute
    assert MemoryForecast(1, 2, 3).total == 6


def test_fewer_heads_for_keys_need_less_cache_and_a_smaller_batch_less_room(header: ModelHeader) -> None:
    grouped = replace(header, kv_head_count=1)
    assert forecast_memory(grouped, 512).kv_cache * 4 == forecast_memory(header, 512).kv_cache
    assert forecast_memory(header, 512, batch=64).compute < forecast_memory(header, 512).compute


def test_a_model_that_fits_is_said_to_and_one_that_does_not_says_what_to_do(header: ModelHeader) -> None:
    assert re.fullmatch(r"needs about \d+ MB of [\d.]+ [GM]B free\.", memory_sentence(header, 512))
    huge = replace(header, weights_bytes=1 << 50)
    assert re.fullmatch(
        r"needs about 1048576\.0 GB, but only [\d.]+ [GM]B is free: choose a shorter context or a smaller model\.",
        memory_sentence(huge, 512),
    )


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="this system says it elsewhere")
def test_free_memory_is_less_than_all_and_this_process_uses_some() -> None:
    free = free_memory_bytes()
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert free is not None and 0 < free < total
    before = resident_bytes()
    assert 10 << 20 < before < total
    with mmap.mmap(-1, 64 << 20) as block:  # not from what this process has freed before
        block.write(os.urandom(1 << 20) * 64)
        assert resident_bytes() - before > 32 << 20


def test_added_models_are_listed_in_the_order_in_which_they_came(
    workspace: Workspace, tmp_path: Path
) -> None:
    assert list_added_models(workspace.database) == []
    for name in ("b.gguf", "a.gguf"):
        (tmp_path / name).write_bytes(tiny_gguf())
        add_model(workspace.store, str(tmp_path / name))
    assert sorted(Path(path).name for path in list_added_models(workspace.database)) == ["a.gguf", "b.gguf"]


def test_no_model_is_an_empty_name() -> None:
    assert (ModelState().name, ModelState().memory_bytes) == ("", 0)


def test_importing_the_values_loads_no_heavy_library() -> None:
    code = (
        "import sys, rag.models.rows; "
        "print([m for m in ('llama_cpp', 'torch', 'numpy', 'sqlmodel', 'tokenizers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(st.integers(0, 1 << 20), st.integers(0, 1 << 20), st.integers(1, 4096))
def test_a_longer_context_never_needs_less_memory(shorter: int, more: int, batch: int) -> None:
    model = ModelHeader(
        "m.gguf", 10, "m", "llama", "Q8_0", 100, 4096, 12, 768, 3072, 12, 4, 64, 64, 32_000, "", 1 << 20
    )
    one, other = forecast_memory(model, shorter, batch), forecast_memory(model, shorter + more, batch)
    assert other.kv_cache - one.kv_cache == more * 12 * 4 * (64 + 64) * 2
    assert (one.weights, one.compute) == (other.weights, other.compute)
