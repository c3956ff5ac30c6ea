"""Texts become tokens and tokens become texts, special ones only where they are wanted."""

from collections.abc import Iterator

import pytest

from rag.models.language_model import LanguageModel, starter_model_path
from rag.models.vocabulary import Vocabulary
from rag.settings import GenerationSettings

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    model = LanguageModel(starter_model_path(), GenerationSettings(context=512, threads=1))
    yield Vocabulary(model.handle)
    model.close()


def test_a_text_and_its_tokens_are_the_same(vocabulary: Vocabulary) -> None:
    text = "Grüße aus 東京 🙂" + " " * 100 + "=" * 100
    tokens = vocabulary.tokenize(text, special=False)
    assert b"".join(vocabulary.text_of(token) for token in tokens).decode() == text
    assert vocabulary.tokenize("", special=False) == []
    assert vocabulary.tokenize("a\udce9b", special=False), "half a character does not stop it"


def test_special_tokens_are_read_where_they_are_wanted_and_written_nowhere(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.tokenize("<|im_end|>", special=False)) > 1
    (token,) = vocabulary.tokenize("<|im_end|>", special=True)
    assert vocabulary.special(token) == "<|im_end|>" == vocabulary.eos
    assert vocabulary.ends(token) and vocabulary.text_of(token) == b""
    assert vocabulary.special(-1) == ""


def test_the_beginning_of_a_sequence_is_put_before_a_prompt_once(vocabulary: Vocabulary) -> None:
    (bos,) = vocabulary.tokenize(vocabulary.bos, special=True)
    assert not vocabulary.wants_bos(vocabulary.bos + "Hi")
    assert vocabulary.tokenize(vocabulary.bos + "Hi", special=True)[0] == bos
