"""One server for all tests that only ask it; its model says the same again at the beginning of each."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from serving_parts import ANSWER, Served, serving


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = tmp_path_factory.mktemp("served")
    folder, documents = made / "data", made / "documents"
    folder.mkdir()
    documents.mkdir()
    (documents / "bread.md").write_text(
        "# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n", "utf-8"
    )
    (documents / "stars.txt").write_text("Sirius is the brightest star. It is 8.6 light years away.", "utf-8")
    with serving(folder, documents) as served:
        yield served


@pytest.fixture
def served(one_server: Served) -> Served:
    model = one_server.model
    model.answer, model.ending, model.pause_after, model.error = ANSWER, "", None, None
    model.may_go_on.clear()
    model.prompts.clear()
    one_server.workspace.change_settings({"cache": {"exact": "off"}, "server": {"most_waiting": 8}})
    return one_server


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    with served.client as made:
        yield made
