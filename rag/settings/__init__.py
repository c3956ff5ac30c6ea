"""Defines the settings: one pydantic model, stored as settings.toml in the data folder.

Every number is bounded and unknown keys are refused, so that a typo is a sentence and not a surprise. What a
dataset version depends on (chunking, embedder) is copied into the version; what an answer depends on is
copied into its trace.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from rag.errors import RagError
from rag.settings.control import GovernanceSettings as GovernanceSettings
from rag.settings.exchange import ExportSettings as ExportSettings
from rag.settings.exchange import ReceivingSettings as ReceivingSettings
from rag.settings.exchange import ServerSettings as ServerSettings
from rag.settings.section import Section

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
    keep_encoded: Annotated[
        bool, Field(description="Also search base64, hexadecimal dumps and minified code.")
    ] = False


class RetrievalSettings(Section):
    """The ways in which passages are found, and how many of them go into a prompt.

    The defaults are the preset Balanced: see PRESETS.
    """

    search: Annotated[
        Literal["hybrid", "dense", "BM25"],
        Field(description="Search by meaning (dense), by words (BM25), or fuse both (hybrid)."),
    ] = "hybrid"
    candidates: Annotated[
        int, Field(ge=1, le=500, description="Candidates taken from each of dense and BM25 search.")
    ] = 40
    pieces: Annotated[
        bool,
        Field(
            description="Score a chunk by its best piece of about 64 tokens, not by the whole: a sentence "
            "that answers is not lost among others."
        ),
    ] = True
    stemming: Annotated[
        bool, Field(description="BM25 takes words of one stem for one word: survive, survives, surviving.")
    ] = True
    spelling: Annotated[
        bool, Field(description="Search also for words that look misspelt as they were probably meant.")
    ] = True
    identifiers: Annotated[
        bool,
        Field(
            description="Search for identifiers such as 4.4.6 or XR-2075 as a whole, and put rare ones first."
        ),
    ] = True
    follow_ups: Annotated[
        Literal["both", "joined"],
        Field(
            description="Search for a follow-up alone and joined with the question before it, or joined only."
        ),
    ] = "both"
    rrf_k: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Rank constant of reciprocal rank fusion: a small one lets the first of a list win.",
        ),
    ] = 5
    rerank: Annotated[
        Literal["none", "late interaction", "cross-encoder"],
        Field(
            description="Order the first candidates again: by the tokens of the embedder (MaxSim), or by a "
            "cross-encoder folder."
        ),
    ] = "late interaction"
    rerank_count: Annotated[
        int, Field(ge=2, le=100, description="How many candidates are ordered again.")
    ] = 20
    cross_encoder: Annotated[
        str,
        Field(description="Folder of a sentence-transformers cross-encoder; used when rerank asks for it."),
    ] = ""
    contents_last: Annotated[
        bool, Field(description="Rank tables of contents and indexes behind everything else.")
    ] = True
    diversity: Annotated[
        float,
        Field(
            ge=0.0,
            le=1.0,
            description="How much a passage loses that says what another one says (maximal marginal "
            "relevance); 0 turns it off.",
        ),
    ] = 0.0
    neighbours: Annotated[
        int,
        Field(ge=0, le=5, description="Chunks before and after each passage that go into the prompt, too."),
    ] = 0
    whole_documents: Annotated[
        bool,
        Field(
            description="Put a document in whole when it fits and two of its chunks are among the best, or "
            "when the question asks for a list of what it contains."
        ),
    ] = True
    max_passages: Annotated[
        int, Field(ge=1, le=50, description="Maximum number of passages in a prompt.")
    ] = 50
    context_tokens: Annotated[
        int, Field(ge=64, le=131072, description="Token budget for passages, in the model's tokens.")
    ] = 1400
    small_model_tokens: Annotated[
        int,
        Field(
            ge=0,
            le=131072,
            description="Token budget for passages when the model has fewer than 0.5 billion parameters: it "
            "loses the thread in more. 0 turns it off.",
        ),
    ] = 400
    min_similarity: Annotated[
        float,
        Field(
            ge=-1.0,
            le=1.0,
            description="Candidates below this cosine similarity are dropped unless they contain all words "
            "of the question; -1 turns it off.",
        ),
    ] = -1.0
    weak_below: Annotated[
        float,
        Field(
            ge=-1.0,
            le=1.0,
            description="Below this best cosine similarity, the answer says that the match is weak.",
        ),
    ] = 0.25


# Named ways to search, by what differs from the defaults. Classic is how collections answered before
# schema 8.
PRESETS: dict[str, dict[str, Any]] = {
    "Fast": {"pieces": False, "spelling": False, "rerank": "none"},
    "Balanced": {},
    "Thorough": {"candidates": 80, "rerank_count": 60, "context_tokens": 2000},
    "Classic": {
        "pieces": False,
        "stemming": False,
        "spelling": False,
        "identifiers": False,
        "follow_ups": "joined",
        "rrf_k": 60,
        "rerank": "none",
        "contents_last": False,
        "whole_documents": False,
        "max_passages": 6,
        "small_model_tokens": 0,
        "min_similarity": 0.3,
        "weak_below": -1.0,
    },
}
# What a person is told of each. Measured by `python -m benchmarks.questions` on 80 questions over real
# documents.
PRESET_FACTS = {
    "Fast": "Meaning and words, fused; nothing looks inside a chunk. The quickest.",
    "Balanced": "Also scores the best piece of each chunk, corrects spelling, and compares question and "
    "passage token by token. Adds about 7 KB a chunk to the data folder, and no time to an import.",
    "Thorough": "Like Balanced, with twice the candidates and 2,000 tokens of passages: answers take longer.",
    "Classic": "How collections were searched before presets came: six passages at most, and none below a "
    "similarity of 0.3.",
}
CUSTOM = "Custom"  # settings that are no preset


def preset(name: str) -> RetrievalSettings:
    """Return the settings of a preset. Raises RagError for a name that there is not."""
    if name not in PRESETS:
        raise RagError(f"There is no preset “{name}”. The presets are {', '.join(PRESETS)}.")
    return RetrievalSettings.model_validate(PRESETS[name])


def preset_of(settings: RetrievalSettings) -> str:
    """Return the name of the preset that settings are equal to, else CUSTOM."""
    return next((name for name in PRESETS if preset(name) == settings), CUSTOM)


def classic_retrieval(path: Path) -> RetrievalSettings:
    """Return how a program before schema 8 searched with this settings.toml.

    Its own values win over those of the preset Classic; a file that is not valid says nothing.
    """
    try:
        written = tomllib.loads(path.read_text("utf-8-sig")).get("retrieval", {}) if path.exists() else {}
        known = {key: value for key, value in written.items() if key in RetrievalSettings.model_fields}
        return RetrievalSettings.model_validate(PRESETS["Classic"] | (known if is_classic(known) else {}))
    except (OSError, ValueError, AttributeError, RecursionError):
        return preset("Classic")


def retrieval_as_written(values: dict[str, Any]) -> dict[str, Any]:
    """Return retrieval settings with the behaviour of the program that wrote them.

    Before schema 8 every setting was written out, and there were fewer: what is missing was not done then.
    """
    return PRESETS["Classic"] | values if is_classic(values) else values


def is_classic(values: dict[str, Any]) -> bool:
    """Return whether retrieval settings were written out before schema 8."""
    return "search" in values and "stemming" not in values


class GenerationSettings(Section):
    """The options with which a model is loaded and answers."""

    context: Annotated[
        int, Field(ge=512, le=1048576, description="Context length to load the model with.")
    ] = 4096
    max_answer_tokens: Annotated[int, Field(ge=1, le=16384, description="Longest answer, in tokens.")] = 256
    max_thinking_tokens: Annotated[
        int,
        Field(
            ge=0,
            le=32768,
            description="Tokens that a reasoning model may think before it answers; its thinking is ended "
            "then. 0 lets it answer at once.",
        ),
    ] = 1024
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
    ask_endpoints_daily: Annotated[
        bool,
        Field(
            description="While an endpoint is the active model and the window is open, ask the regression "
            "questions once a day: the endpoint may change without a word."
        ),
    ] = True


class CostSettings(Section):
    """What the time of this computer costs: costs of local models are estimates that rest on it."""

    power_watts: Annotated[
        float,
        Field(
            ge=0,
            le=10_000,
            description="Power that this computer draws while it works on an answer, in watts.",
        ),
    ] = 30.0
    price_per_kwh: Annotated[
        float, Field(ge=0, le=1000, description="Price of a kilowatt-hour of electricity.")
    ] = 0.30
    currency: Annotated[
        str, Field(pattern="^[A-Z]{3}$", description="Currency of that price, such as EUR or USD.")
    ] = "EUR"
    compare_with: Annotated[
        str, Field(description="A model of the price tables: what the answers would have cost with it.")
    ] = "gpt-4o-mini"


class EndpointSettings(Section):
    """How long a server that models are behind is waited for."""

    timeout_s: Annotated[
        float,
        Field(ge=1, le=3600, description="Seconds that an endpoint may be silent before it is given up."),
    ] = 120.0
    retries: Annotated[
        int,
        Field(ge=0, le=10, description="How often an endpoint is asked again before its first token."),
    ] = 2


class CacheSettings(Section):
    """Which answers are given again, and how many of them are stored."""

    exact: Annotated[
        Literal["off", "temperature 0", "always"],
        Field(
            description="Give the answer to the same question again, as long as documents, search, prompt, "
            "model and sampling are the same: never, only at temperature 0, or always."
        ),
    ] = "temperature 0"
    similar: Annotated[
        Literal["off", "measure", "on"],
        Field(
            description="Give it also to a question that says the same in other words; or only measure how "
            "often that would be right."
        ),
    ] = "off"
    threshold: Annotated[
        float,
        Field(
            ge=0.5,
            le=1.0,
            description="Similar questions have at least this cosine similarity. Their numbers, names, "
            "negations and content words must agree besides.",
        ),
    ] = 0.8
    max_answers: Annotated[
        int, Field(ge=0, le=1_000_000, description="Answers that may be given again, at most.")
    ] = 5000
    max_age_days: Annotated[
        int, Field(ge=1, le=3650, description="Days after which an answer is not given again.")
    ] = 30
    check_share: Annotated[
        float,
        Field(
            ge=0.0,
            le=1.0,
            description="Share of the answers given again that are also answered afresh and compared, while "
            "the window is open and nothing else is running; 0 turns it off.",
        ),
    ] = 0.05


class AppearanceSettings(Section):
    """The look of the window."""

    theme: Annotated[Literal["system", "light", "dark"], Field(description="Colours of the window.")] = (
        "system"
    )
    text_percent: Annotated[
        int, Field(ge=75, le=200, description="Size of text and everything around it, in percent.")
    ] = 100
    density: Annotated[
        Literal["comfortable", "compact"],
        Field(description="Room around rows, buttons and tabs; compact shows more at once."),
    ] = "comfortable"


ChatTemplate = Literal["chatml", "llama-3", "gemma", "mistral", "phi-3", "plain"]
_CHOSEN_TEMPLATE = f"(?s)^.+=({'|'.join(get_args(ChatTemplate))})$"


class ModelSettings(Section):
    """The models to use and the folders to find them in."""

    active: Annotated[
        str, Field(description="Path of the GGUF file used for answers; empty: the starter.")
    ] = ""
    folders: Annotated[list[str], Field(description="Folders searched for GGUF files.")] = []
    chat_templates: Annotated[
        list[Annotated[str, Field(pattern=_CHOSEN_TEMPLATE)]],
        Field(description="Built-in chat templates to use instead of those in the files: MODEL=TEMPLATE."),
    ] = []

    def chat_template_of(self, model: str) -> str:
        """Return the name of the built-in chat template of a model; "" means the file's own."""
        chosen = dict(entry.rsplit("=", 1) for entry in self.chat_templates)
        return chosen.get(model, "")

    def with_chat_template(self, model: str, template: str) -> list[str]:
        """Return chat_templates with the choice for one model changed; "" chooses the file's own."""
        others = [entry for entry in self.chat_templates if entry.rsplit("=", 1)[0] != model]
        return [*others, f"{model}={template}"] if template else others


class Settings(Section):
    """The settings of a data folder, one field a section."""

    chunking: ChunkingSettings = ChunkingSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    generation: GenerationSettings = GenerationSettings()
    models: ModelSettings = ModelSettings()
    monitors: MonitorSettings = MonitorSettings()
    costs: CostSettings = CostSettings()
    endpoints: EndpointSettings = EndpointSettings()
    cache: CacheSettings = CacheSettings()
    server: ServerSettings = ServerSettings()
    governance: GovernanceSettings = GovernanceSettings()
    receiving: ReceivingSettings = ReceivingSettings()
    export: ExportSettings = ExportSettings()
    appearance: AppearanceSettings = AppearanceSettings()

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Return what settings.toml says; a missing file means defaults.

        Raises:
            RagError: The file is not TOML, or a value is not allowed; the sentence names the key.
        """
        try:
            return cls.model_validate(_brought_up(tomllib.loads(path.read_text("utf-8-sig"))))
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise RagError(
                f"{path} cannot be read ({error.strerror or error}). Check what it is and its permissions."
            ) from error
        except RecursionError as error:
            raise RagError(
                f"{path.name} is nested too deeply. Correct it, or delete it to get the defaults."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RagError(
                f"{path.name} is not valid TOML ({error}). Correct it, or delete it to get the defaults."
            ) from error
        except ValidationError as error:
            raise RagError(f"{path.name}: {_what_is_wrong(error)}") from error

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


def _what_is_wrong(error: ValidationError) -> str:
    """Return the first problem of a file: the key, what is wrong with it, and where it belongs."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    key, name = ".".join(place), place[-1]
    if first["type"] != "extra_forbidden":
        if len(place) == 1 and place[0] in Settings.model_fields:
            return f"{key} must be a section, [{key}] with its keys below. Correct it, or delete the line."
        return f"{key}: {first['msg']}. Correct it, or delete the line to get the default."
    keys = {section: type(getattr(Settings(), section)).model_fields for section in Settings.model_fields}
    if home := next((section for section in keys if name in keys[section]), ""):
        return f"{key} is in the wrong place: it belongs below [{home}]. Move it there, or delete it."
    if name in keys:
        return f"[{key}] is in the wrong place: it is a section of its own, [{name}]. Move it, or delete it."
    inner = next((section for section in keys if section in first["input"]), "") if _is_table(first) else ""
    if inner:
        return f"[{key}.{inner}] is nested: it is a section of its own. Write it as [{inner}]."
    if len(place) == 1:
        return f"there is no section {key}; the sections are {', '.join(keys)}. Correct or delete it."
    return f"{key}: there is no such key; [{place[0]}] has {', '.join(keys[place[0]])}. Correct or delete it."


def _is_table(problem: ErrorDetails) -> bool:
    return isinstance(problem["input"], dict)


def own_retrieval(own: str, settings: Settings) -> RetrievalSettings:
    """Return how a collection is searched: by the JSON of its own settings; empty: by the data folder's."""
    return RetrievalSettings.model_validate_json(own) if own else settings.retrieval


def _brought_up(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a file as this program would have written them."""
    retrieval = values.get("retrieval")
    if isinstance(retrieval, dict) and is_classic(retrieval):
        # The file named every value: what was the default then is the default now, what a person chose stays.
        values["retrieval"] = {
            key: value for key, value in retrieval.items() if PRESETS["Classic"].get(key) != value
        }
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
