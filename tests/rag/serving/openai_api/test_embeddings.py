"""Embeddings, by the real client, which asks for base64; they are those that the collection is searched with."""

from __future__ import annotations

import numpy as np
import openai
import pytest
from serving_parts import COLLECTION, Served


@pytest.mark.parametrize("form", ["float", "base64", None])
def test_the_vectors_are_the_embedders(served: Served, client: openai.OpenAI, form: str | None) -> None:
    wanted = {} if form is None else {"encoding_format": form}
    made = client.embeddings.create(model=COLLECTION, input=["rye bread", "stars"], **wanted)  # type: ignore[arg-type]
    expected = served.workspace.embedder.encode(["rye bread", "stars"])
    found = [one.embedding for one in made.data]
    if form == "base64":
        import base64

        found = [np.frombuffer(base64.b64decode(one), "<f4") for one in found]  # type: ignore[misc, arg-type]
    assert np.allclose(np.array(found), expected, atol=1e-6)
    assert made.usage.prompt_tokens > 0 and made.model == COLLECTION


def test_one_text_and_the_embedders_own_name(client: openai.OpenAI) -> None:
    assert len(client.embeddings.create(model="embedder/fake", input="rye").data[0].embedding) == 1024


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"input": [[1, 2, 3]]}, "list of texts"),
        ({"input": []}, "list of texts"),
        ({"input": ""}, "none of them empty"),
        ({"input": "x", "dimensions": 7}, "1024 dimensions"),
        ({"input": "x", "encoding_format": "int8"}, "float or base64"),
        ({"input": "x", "model": "nobody"}, "no collection or pipeline"),
        ({"input": ["x"] * 2049}, "2,048 texts"),
    ],
)
def test_what_cannot_be_embedded_is_an_error(
    client: openai.OpenAI, wanted: dict[str, object], sentence: str
) -> None:
    with pytest.raises(openai.APIStatusError, match=sentence):
        client.embeddings.create(**{"model": COLLECTION, **wanted})  # type: ignore[arg-type]
