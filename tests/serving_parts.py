"""A server on a free port for tests, over a workspace with a scripted model and one collection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import openai
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.asking.rows import TraceDetail, TraceSource, TraceStatus
from rag.index.rows import Hit
from rag.knowledge.ingest import ingest_files
from rag.serving.openai_api.answering import Answer
from rag.serving.running import RunningServer
from rag.serving.tokens import make_token
from rag.serving.work import Lanes
from rag.settings import ServerSettings
from rag.workspace import Workspace

COLLECTION = "Kitchen"
QUESTION = "What does rye bread need?"
ANSWER = "Rye bread needs sourdough [1]."


class Served:
    """A running server with its workspace, its model and a token."""

    def __init__(self, workspace: Workspace, model: ScriptedModel, server: RunningServer, token: str) -> None:
        self.workspace, self.model, self.server, self.token = workspace, model, server, token

    @property
    def client(self) -> openai.OpenAI:
        """The real client, which does not try again by itself."""
        return openai.OpenAI(
            base_url=f"{self.server.address}/v1", api_key=self.token, max_retries=0, timeout=30
        )


@contextmanager
def serving(
    folder: Path, documents: Path, model: ScriptedModel | None = None, **settings: object
) -> Iterator[Served]:
    """Serve a data folder with one collection until the block ends."""
    model = model or ScriptedModel(ANSWER)
    wanted = ServerSettings.model_validate({"port": 0, **settings})
    lanes = Lanes()
    try:
        with Workspace(
            folder, "a test", embedder=FakeEmbedder(), load_model=model.load, reader=DirectReader()
        ) as workspace:
            drive(ingest_files(workspace, COLLECTION, [documents]))
            token = make_token(folder, "editor").secret
            for key in ("most_waiting", "mcp_tools"):
                workspace.change_settings({"server": {key: getattr(wanted, key)}})
            workspace.server = server = RunningServer(workspace, lanes.put, wanted)
            yield Served(workspace, model, server, token)
    finally:
        lanes.close()


def answered(rest: str = "", **values: Any) -> Answer:
    """Return an answer without any server: its trace has no figures but those that are given."""
    empty: dict[str, Any] = {one.name: "" for one in fields(TraceDetail)}
    numbers = {one.name: 0 for one in fields(TraceDetail) if str(one.type) == "int"}
    tuples = {one.name: () for one in fields(TraceDetail) if str(one.type).startswith("tuple")}
    usual = {"id": "ab", "status": TraceStatus.DONE, "source": TraceSource.SERVER, "finish_reason": "stop"}
    return Answer(TraceDetail(**{**empty, **numbers, **tuples, **usual, **values}), rest, False, ())


def passage(marker: int | None, document: str = "bread.md", place: str = "", text: str = "x") -> Hit:
    """Return a passage of the document with the id 7."""
    return Hit(1, 7, document, "", place, "", None, 3, 3 + len(text), text, 1, marker=marker)
