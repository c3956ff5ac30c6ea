"""Compares the memory forecast with what loading a model and reading a prompt really adds to the process."""

from __future__ import annotations

import subprocess
import sys

from rag.models.gguf import read_header
from rag.models.language_model import LanguageModel, starter_model_path
from rag.models.rows import forecast_memory, resident_bytes
from rag.settings import GenerationSettings


def main() -> None:
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
        return
    for context in (1024, 2048, 4096, 8192):  # each in its own process: memory is not given back
        subprocess.run([sys.executable, "-m", "benchmarks.memory", str(context)], check=True)


def measure(context: int) -> None:
    import llama_cpp  # the library itself is not the model's

    llama_cpp.llama_backend_init()
    before = resident_bytes()
    model = LanguageModel(starter_model_path(), GenerationSettings(context=context, max_answer_tokens=16))
    prompt = model.render_chat(
        [{"role": "user", "content": "The station measures wind. " * min(context // 12, 100)}]
    )
    for _ in model.generate(model.tokenize_prompt(prompt), model.settings):
        pass
    measured = resident_bytes() - before
    forecast = forecast_memory(read_header(starter_model_path()), model.context).total
    print(
        f"context {context:5}: forecast {forecast / 2**20:5.0f} MB, measured {measured / 2**20:5.0f} MB, "
        f"off by {100 * (forecast / measured - 1):+5.1f} %   (goal: within 15 %)"
    )


if __name__ == "__main__":
    main()
