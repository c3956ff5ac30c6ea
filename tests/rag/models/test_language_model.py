"""A GGUF file answers: the same at temperature zero, in steps that can be stopped, within its context."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from fakes import tiny_gguf

from rag.errors import ModelError, RagError
from rag.models.language_model import (
    HOW_TO_GET_LLAMA,
    READ_STEP,
    STARTER_SHA256,
    GenerationEnd,
    LanguageModel,
    PromptRead,
    Token,
    gpu_supported,
    grammar_of,
    llama_available,
    model_name,
    starter_model_path,
)
from rag.settings import GenerationSettings

STARTER = starter_model_path()


@pytest.fixture(scope="module")
def starter() -> Iterator[LanguageModel]:
    loaded = LanguageModel(STARTER, GenerationSettings(context=2048, max_answer_tokens=24, threads=1))
    yield loaded
    loaded.close()


def run(model: LanguageModel, question: str) -> tuple[str, list[PromptRead], GenerationEnd]:
    prompt = model.render_chat([{"role": "user", "content": question}])
    events = list(model.generate(model.tokenize_prompt(prompt), model.settings))
    text = "".join(e.text for e in events if isinstance(e, Token))
    end = events[-1]
    assert isinstance(end, GenerationEnd)
    return text, [e for e in events if isinstance(e, PromptRead)], end


@pytest.mark.models
def test_the_starter_model_answers_the_same_at_temperature_zero_and_reuses_the_prompt(
    starter: LanguageModel,
) -> None:
    first, _, _ = run(starter, "What is the capital of France?")
    second, reads, end = run(starter, "What is the capital of France?")
    assert first == second
    assert len(first.split()) > 3
    assert reads[0].tokens_cached == reads[0].tokens_total - 1
    assert 0 < end.completion_tokens <= 24


@pytest.mark.models
def test_a_prompt_is_read_in_steps_and_stopping_leaves_the_model_usable(starter: LanguageModel) -> None:
    before, _, _ = run(starter, "What is the capital of France?")
    long = "The station measures wind. " * 120
    prompt = starter.tokenize_prompt(starter.render_chat([{"role": "user", "content": long}]))
    stream = starter.generate(prompt, starter.settings)
    reads = [next(stream) for _ in range(3)]
    assert all(isinstance(event, PromptRead) for event in reads)
    stream.close()
    after, _, _ = run(starter, "What is the capital of France?")
    assert after == before


@pytest.mark.models
def test_a_prompt_longer_than_the_context_is_a_sentence(starter: LanguageModel) -> None:
    with pytest.raises(RagError, match="2048"):
        list(starter.generate(list(range(3000)), starter.settings))


@pytest.mark.models
def test_characters_of_several_tokens_arrive_whole(starter: LanguageModel) -> None:
    text, _, _ = run(starter, "Repeat exactly: 🙂 über 東京")
    assert "\ufffd" not in text.rstrip("\ufffd")


# --- text and tokens --------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_model_knows_itself(starter: LanguageModel) -> None:
    assert starter.name == STARTER.stem == model_name(starter.header)
    assert starter.sha256 == STARTER_SHA256
    assert starter.context == 2048
    assert starter.has_chat_template
    assert starter.vocabulary_size == starter.header.vocabulary_size


@pytest.mark.models
def test_the_context_is_never_longer_than_the_model_s(tmp_path: Path) -> None:
    model = LanguageModel(STARTER, GenerationSettings(context=16_384))
    assert model.context == model.header.context_length == 8192
    model.close()


@pytest.mark.models
def test_tokens_are_counted_without_a_beginning_and_give_their_text_back(starter: LanguageModel) -> None:
    assert starter.count_tokens("") == 0
    text = "Grüße aus 東京 🙂, Größe 5."
    tokens = starter.tokenize_prompt(text)
    assert starter.count_tokens(text) <= len(tokens)
    assert b"".join(starter.text_of(token) for token in tokens).decode() == text


@pytest.mark.models
def test_special_tokens_of_a_prompt_count_as_one_and_show_no_text(starter: LanguageModel) -> None:
    prompt = starter.render_chat([{"role": "user", "content": "Hi"}])
    assert prompt.count("<|im_start|>") >= 2
    assert prompt.endswith("<|im_start|>assistant\n")
    (token,) = starter.tokenize_prompt("<|im_end|>")[-1:]
    assert starter.ends(token)
    assert starter.text_of(token) == b""
    assert starter.count_tokens("<|im_end|>") > 1, "in a text of a person it is text"


@pytest.mark.models
def test_a_model_without_a_template_gets_a_plain_conversation(starter: LanguageModel) -> None:
    known = starter.header
    starter.header = replace(known, chat_template="")
    try:
        assert not starter.has_chat_template
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
        assert starter.render_chat(messages) == "System: Be brief.\n\nUser: Hi\n\nAssistant:"
    finally:
        starter.header = known


@pytest.mark.models
@pytest.mark.parametrize(
    "template",
    [
        "{{ unclosed",
        "{{ raise_exception('roles must alternate') }}",
        "{{ messages[0].content + 1 }}",
        "{{ ''.__class__.__mro__ }}",
        "{% include 'secret' %}",
    ],
)
def test_a_template_that_cannot_be_used_is_a_sentence(starter: LanguageModel, template: str) -> None:
    known = starter.header
    starter.header = replace(known, chat_template=template)
    try:
        with pytest.raises(ModelError, match=r"chat template of .* cannot be used"):
            starter.render_chat([{"role": "user", "content": "Hi"}])
    finally:
        starter.header = known


# --- generating -------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_long_prompt_is_read_in_steps_of_equal_size(starter: LanguageModel) -> None:
    tokens = starter.tokenize_prompt("The valve opens at noon and the pump moves water. " * 14)
    events = list(starter.generate(tokens, starter.settings.model_copy(update={"max_answer_tokens": 1})))
    reads = [event for event in events if isinstance(event, PromptRead)]
    assert reads[-1].tokens_done == len(tokens) == reads[0].tokens_total
    steps = [b.tokens_done - a.tokens_done for a, b in pairwise(reads)]
    assert set(steps[:-1]) == {READ_STEP} and 0 < steps[-1] <= READ_STEP


@pytest.mark.models
def test_an_answer_ends_at_its_limit_and_every_token_has_a_probability(starter: LanguageModel) -> None:
    tokens = starter.tokenize_prompt(starter.render_chat([{"role": "user", "content": "Count to fifty."}]))
    events = list(starter.generate(tokens, starter.settings.model_copy(update={"max_answer_tokens": 5})))
    assert events[-1] == GenerationEnd("length", 5)
    found = [event for event in events if isinstance(event, Token)]
    assert len(found) == 5
    assert all(token.logprob <= 0 for token in found)
    assert found[0].logprob > -3, "the most probable token was taken"


@pytest.mark.models
def test_a_seed_gives_the_same_sample_and_another_seed_another(starter: LanguageModel) -> None:
    tokens = starter.tokenize_prompt(starter.render_chat([{"role": "user", "content": "Tell me a story."}]))

    def sample(seed: int) -> str:
        warm = starter.settings.model_copy(update={"temperature": 1.5, "seed": seed, "max_answer_tokens": 8})
        return "".join(e.text for e in starter.generate(tokens, warm) if isinstance(e, Token))

    sample(
        1
    )  # the prompt is read once: a processor with AMX reads a batch by other kernels than single tokens
    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(1, 5)}) > 1


@pytest.mark.models
def test_a_grammar_leaves_no_other_answer(starter: LanguageModel) -> None:
    tokens = starter.tokenize_prompt(starter.render_chat([{"role": "user", "content": "Hi"}]))
    events = starter.generate(tokens, starter.settings, 'root ::= "yes" | "no"')
    assert "".join(e.text for e in events if isinstance(e, Token)) in ("yes", "no")


@pytest.mark.models
def test_a_prompt_that_leaves_no_room_for_an_answer_is_a_sentence(starter: LanguageModel) -> None:
    (token,) = starter.tokenize_prompt("a")[:1]
    with pytest.raises(RagError, match=r"2041 tokens and the model's context 2048: lower the passage budget"):
        next(starter.generate([token] * 2041, starter.settings))


# --- loading ----------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_file_that_llama_cannot_load_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    with pytest.raises(ModelError, match=r"tiny\.gguf cannot be loaded by llama\.cpp"):
        LanguageModel(path, GenerationSettings())


def test_a_file_that_is_no_model_is_refused_before_llama_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"PK not a model")
    with pytest.raises(ModelError, match="not a GGUF file"):
        LanguageModel(tmp_path / "x.gguf", GenerationSettings())


def test_without_llama_it_is_said_how_to_get_it_with_and_without_a_checkout() -> None:
    assert "`python main.py setup`" in HOW_TO_GET_LLAMA
    assert "`pip install llama-cpp-python`" in HOW_TO_GET_LLAMA
    assert "main.py`" not in HOW_TO_GET_LLAMA.replace("main.py setup`", "")


def test_a_missing_package_is_missing_and_the_starter_says_how_to_get_it() -> None:
    code = (
        "import importlib.metadata as m\n"
        "def missing(*_):\n    raise m.PackageNotFoundError\n"
        "m.version = m.files = missing\n"
        "from rag.models.language_model import *\n"
        "from rag.models.embedding import starter_embedder_folder\n"
        "from rag.errors import ModelError\n"
        "print(llama_available(), gpu_supported())\n"
        "for find in (starter_model_path, starter_embedder_folder):\n"
        "    try: find()\n"
        "    except ModelError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    available, *sentences = done.stdout.strip().split("\n")
    assert available == "False False"
    assert len(sentences) == 2
    assert all("python main.py setup" in each and "pip install" in each for each in sentences)


def test_whether_llama_is_there_is_known_without_importing_it() -> None:
    assert llama_available() is (importlib.util.find_spec("llama_cpp") is not None)
    code = (
        "import sys; from rag.models.language_model import llama_available; llama_available(); "
        "print('llama_cpp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.models
def test_a_build_for_the_processor_says_that_it_has_no_gpu() -> None:
    import llama_cpp

    assert gpu_supported() is bool(llama_cpp.llama_supports_gpu_offload())


@pytest.mark.skipif(not llama_available(), reason="llama.cpp is not installed")
def test_a_json_schema_becomes_a_grammar_and_what_cannot_is_a_sentence() -> None:
    schema = {"type": "object", "properties": {"needs": {"enum": ["rye", "rest"]}}, "required": ["needs"]}
    assert "root ::=" in grammar_of(schema) and "rest" in grammar_of(schema)
    assert "root ::=" in grammar_of({"type": "object"})
    for wrong in ({"$ref": "#/never"}, {"$ref": "https://example.org/schema"}, {"type": "never"}):
        with pytest.raises(ModelError, match="cannot follow this JSON schema"):
            grammar_of(wrong)
