"""Names of the sample's collection, set and pipelines, and its questions."""

from __future__ import annotations

import tomllib
from pathlib import Path

import resources

SAMPLE_COLLECTION = "Sample: Aurora 3 weather station"


SAMPLE_SET = "Sample: Aurora 3 questions"


SAMPLE_PIPELINES = ("Sample: hybrid, six passages", "Sample: BM25, two passages")

# The demo model answers this one wrongly, so that a flag can be seen.
FLAGGED_QUESTION = "How long does the battery last in winter?"


def sample_questions() -> list[str]:
    """Return the questions that a first start suggests."""
    data = tomllib.loads((Path(resources.__file__).parent / "samples" / "questions.toml").read_text("utf-8"))
    return [str(item["text"]) for item in data["question"]]
