"""Defines the settings: one pydantic model, stored as settings.toml in the data folder.

Every number is bounded and unknown keys are refused, so that a typo is a sentence and not a surprise. What a
dataset version depends on (chunking, embedder) is copied into the version; what an answer depends on is
copied into its trace.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import RagError


class Section(BaseModel):
    """A table of settings.toml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    def fingerprint(self) -> str:
        """Return the first 16 hex digits of the sha256 of the section's canonical JSON."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


# (section, name before, name now): a file that an older version wrote opens as it is.
_RENAMED_KEYS = (("monitors", "run_frozen_after_change", "run_regression_after_change"),)


class ChunkingSettings(Section):
    """The sizes of chunks; every dataset version has a copy."""

    max_tokens: Annotated[
        int, Field(ge=32, le=2048, description="Longest chunk, in the embedder's tokens.")
    ] = 200
    overlap_tokens: Annotated[
        int, Field(ge=0, le=512, description="Tokens that neighbouring chunks share.")
    ] = 24


class RetrievalSettings(Section):
    """The ways in which passages are found, and how many of them go into a prompt."""

    search: Annotated[
        Literal["hybrid", "dense", "BM25"],
        Field(description="Search by meaning (dense), by words (BM25), or fuse both (hybrid)."),
    ] = "hybrid"
    candidates: Annotated[
        int, Field(ge=1, le=500, description="Candidates taken from each of dense and BM25 search.")
    ] = 40
    rrf_k: Annotated[int, Field(ge=1, le=1000, description="Rank constant of reciprocal rank fusion.")] = 60
    max_passages: Annotated[
        int, Field(ge=1, le=50, description="Maximum number of passages in a prompt.")
    ] = 6
    context_tokens: Annotated[
        int, Field(ge=64, le=131072, description="Token budget for passages, in the model's tokens.")
    ] = 1400
    min_similarity: Annotated[
        float,
        Field(
            ge=-1.0,
            le=1.0,
            description="Candidates below this cosine similarity are dropped unless they contain all words "
            "of the question.",
        ),
    ] = 0.3


class GenerationSettings(Section):
    """The options with which a model is loaded and answers."""

    context: Annotated[
        int, Field(ge=512, le=1048576, description="Context length to load the model with.")
    ] = 4096
    max_answer_tokens: Annotated[int, Field(ge=8, le=16384, description="Longest answer, in tokens.")] = 256
    temperature: Annotated[
        float, Field(ge=0.0, le=2.0, description="0 always picks the most likely token.")
    ] = 0.0
    top_p: Annotated[float, Field(gt=0.0, le=1.0, description="Nucleus sampling threshold.")] = 0.95
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="Seed of the sampler.")] = 42
    repeat_penalty: Annotated[float, Field(ge=1.0, le=2.0, description="1.0 turns the penalty off.")] = 1.0
    gpu_layers: Annotated[int, Field(ge=-1, le=1000, description="Layers put on the GPU; -1 means all.")] = 0
    threads: Annotated[
        int, Field(ge=0, le=256, description="Processor threads; 0 lets llama.cpp choose.")
    ] = 0
    ask_without_passages: Annotated[
        bool, Field(description="Ask the model even when no passage was found.")
    ] = False


class MonitorSettings(Section):
    """The checks that run by themselves."""

    run_regression_after_change: Annotated[
        bool,
        Field(
            description="Ask the regression questions again after every change of model, prompt, settings or "
            "documents while the window is open."
        ),
    ] = False


class AppearanceSettings(Section):
    """The look of the window."""

    theme: Annotated[Literal["system", "light", "dark"], Field(description="Colours of the window.")] = (
        "system"
    )


class ModelSettings(Section):
    """The models to use and the folders to find them in."""

    active: Annotated[
        str, Field(description="Path of the GGUF file used for answers; empty: the starter.")
    ] = ""
    folders: Annotated[list[str], Field(description="Folders searched for GGUF files.")] = []


class Settings(Section):
    """The settings of a data folder, one field a section."""

    chunking: ChunkingSettings = ChunkingSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    generation: GenerationSettings = GenerationSettings()
    models: ModelSettings = ModelSettings()
    monitors: MonitorSettings = MonitorSettings()
    appearance: AppearanceSettings = AppearanceSettings()

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Return what settings.toml says; a missing file means defaults.

        Raises:
            RagError: The file is not TOML, or a value is not allowed; the sentence names the key.
        """
        if not path.exists():
            return cls()
        try:
            return cls.model_validate(_renamed(tomllib.loads(path.read_text("utf-8"))))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RagError(
                f"{path.name} is not valid TOML ({error}). Correct it, or delete it to get the defaults."
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise RagError(
                f"{path.name}: {key}: {first['msg']}. Correct it, or delete the line to get the default."
            ) from error

    def save(self, path: Path) -> None:
        """Write the file as a whole, so that a kill leaves the old one."""
        scratch = path.with_suffix(".toml.new")
        scratch.write_text(_as_toml(self.model_dump(mode="json")), "utf-8")
        scratch.replace(path)

    def changed(self, section: str, key: str, value: Any) -> Settings:
        """Return a copy with one value changed.

        Args:
            section: The name of a section.
            key: A key of the section.
            value: The new value.

        Raises:
            RagError: There is no such setting, or the value is not allowed.
        """
        data = self.model_dump(mode="json")
        if section not in data or key not in data[section]:
            raise RagError(f"There is no setting {section}.{key}.")
        data[section][key] = value
        try:
            return Settings.model_validate(data)
        except ValidationError as error:
            raise RagError(f"{section}.{key}: {error.errors()[0]['msg']}.") from error


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a file with the names that keys have now."""
    for section, old, new in _RENAMED_KEYS:
        part = values.get(section)
        if isinstance(part, dict) and old in part and new not in part:
            part[new] = part.pop(old)
    return values


def _as_toml(sections: dict[str, dict[str, Any]]) -> str:
    """Write two levels of plain values. JSON's spelling of strings, numbers and lists is valid TOML."""
    lines: list[str] = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        for key, value in values.items():
            plain = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML allows no DEL
            lines.append(f"{key} = {plain}")
        lines.append("")
    return "\n".join(lines)
