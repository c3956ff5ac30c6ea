"""Names of the sample's collection, set and pipelines, and its questions."""

from __future__ import annotations

import tomllib

from rag.storage.data_folder import RESOURCES

SAMPLE_COLLECTION = "Sample: Aurora 3 weather station"


SAMPLE_SET = "Sample: Aurora 3 questions"


SAMPLE_PIPELINES = ("Sample: hybrid, six passages", "Sample: BM25, two passages")


def sample_questions() -> list[str]:
    data = tomllib.loads((RESOURCES / "samples" / "questions.toml").read_text("utf-8"))
    return [str(item["text"]) for item in data["question"]]
