"""Compares asking with bare llama-cpp-python on the same prompts, in turns, and times the flags."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import llama_cpp

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceDetail, TraceSource, get_trace
from rag.models.language_model import starter_model_path
from rag.sample.making import ingest_sample
from rag.sample.rows import SAMPLE_COLLECTION
from rag.workspace import Workspace

QUESTIONS = (
    "Which sensors does the Aurora 3 weather station have and what do they measure?",
    "What has to be considered when the sensor head is installed and mounted?",
    "What does the warranty of the Aurora 3 cover and what does it not cover?",
    "Which spare parts of the Aurora 3 are there and what do they cost?",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch, Workspace(Path(scratch)) as workspace:
        for _ in ingest_sample(workspace):
            pass
        workspace.language_model()
        settings = workspace.settings.generation
        bare = llama_cpp.Llama(
            str(starter_model_path()), n_ctx=settings.context, seed=settings.seed, verbose=False
        )
        speeds: list[float] = []
        firsts: list[float] = []
        sentences, check_ms = 0, 0.0
        for round_number in range(3):
            for question in QUESTIONS:
                trace = ask(workspace, question)
                if trace.completion_tokens < 8:
                    continue
                speed, first = ask_bare(bare, trace.prompt, trace.completion_tokens)
                if round_number:  # the first round warms both up
                    speeds.append(trace.tokens_per_s / speed)
                    firsts.append(first / trace.read_ms)
                    sentences += max(trace.claim_count, 1)
                    check_ms += trace.check_ms
        print(
            f"tokens/s             {statistics.median(speeds):5.2f} of bare llama-cpp-python   (goal: 0.95 or more)"
        )
        print(
            f"time to first token  {statistics.median(firsts):5.2f} of bare llama-cpp-python   (goal: 0.95 or more)"
        )
        print(
            f"flags                {check_ms / sentences:5.1f} ms a sentence               (goal: 15 or less)"
        )


def ask(workspace: Workspace, question: str) -> TraceDetail:
    """Ask one question without a shared prefix and return its trace."""
    model = workspace.language_model()
    model._llama.reset()
    model._llama._ctx.kv_cache_clear()
    events = answer_question(workspace, Question(question, SAMPLE_COLLECTION, source=TraceSource.EVALUATION))
    try:
        while True:
            next(events)
    except StopIteration as end:
        return get_trace(workspace.database, end.value.trace_id)


def ask_bare(bare: llama_cpp.Llama, prompt: str, count: int) -> tuple[float, float]:
    """Return tokens/s and milliseconds to the first token of a plain streamed completion of the same prompt."""
    bare.reset()
    bare._ctx.kv_cache_clear()
    began = time.perf_counter()
    first = 0.0
    seen = 0
    for _ in bare.create_completion(
        prompt, max_tokens=count, temperature=0.0, stream=True, repeat_penalty=1.0
    ):
        if not seen:
            first = time.perf_counter()
        seen += 1
    end = time.perf_counter()
    return (seen - 1) / max(end - first, 1e-9), (first - began) * 1000


if __name__ == "__main__":
    main()
