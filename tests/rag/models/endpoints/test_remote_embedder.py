"""An embedder behind an endpoint: it is what it was, or it is refused; and nothing leaves without permission."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from endpoint_server import EndpointServer, add_endpoint
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.errors import ModelError, RagError
from rag.knowledge.trials import build_trial
from rag.knowledge.versions import activate_version
from rag.models.endpoints.rows import MayLeave
from rag.workspace import Workspace

FAR = [0.0, 3.0, 4.0]


@pytest.fixture
def workspace(data: Path) -> Iterator[Workspace]:
    with Workspace(
        data, embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as opened:
        yield opened


@pytest.fixture
def far(workspace: Workspace, server: EndpointServer) -> Workspace:
    server.vector = list(FAR)
    add_endpoint(workspace, server.elsewhere)
    return workspace


def test_documents_are_embedded_again_by_an_endpoint_and_found(
    far: Workspace, server: EndpointServer
) -> None:
    far.endpoints.set_border("A", MayLeave.ALWAYS)
    made = drive(build_trial(far, "A", embedder_folder="endpoint:far"))
    drive(activate_version(far, "A", made.number))
    result = drive(answer_question(far, Question("What does rye bread need?", "A")))
    trace = get_trace(far.database, result.trace_id)
    assert trace.passage_count and trace.hits[0].dense_score == pytest.approx(1.0)
    sent = [body["input"] for path, _, body in server.requests if path.endswith("/embeddings")]
    assert any("rye bread" in text for texts in sent for text in texts)


def test_no_text_is_embedded_elsewhere_unless_the_collection_allows_it(
    far: Workspace, server: EndpointServer
) -> None:
    with pytest.raises(RagError, match="may not leave this computer"):
        drive(build_trial(far, "A", embedder_folder="endpoint:far"))
    assert server.requests == []
    far.endpoints.set_border("A", MayLeave.ALWAYS)
    embedder = far.add_remote_embedder("far", "A")
    far.endpoints.set_border("A", MayLeave.NEVER)
    count = len(server.requests)
    for collection in ("A", "", "B"):
        with pytest.raises(RagError, match="may not leave this computer"):
            far.encode(["a text"], far.embedder_of(embedder.fingerprint, collection=collection))
    assert len(server.requests) == count


def test_the_same_embedder_has_the_same_fingerprint_and_its_vectors_have_length_1(
    far: Workspace, server: EndpointServer
) -> None:
    far.endpoints.set_border("A", MayLeave.ALWAYS)
    embedder = far.add_remote_embedder("far", "A")
    server.vector = [0.0, 3.0001, 4.0]  # the last digits change
    assert far.add_remote_embedder("far", "A").fingerprint == embedder.fingerprint
    vectors = far.encode(["one", "two", ""], embedder)
    assert vectors.shape == (3, 3) and np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert far.encode([], embedder).shape == (0, 3)
    assert (embedder.name, embedder.dimension, embedder.has_parts) == ("tiny (far)", 3, False)


def test_an_embedder_that_became_another_is_refused_before_it_embeds(
    far: Workspace, server: EndpointServer
) -> None:
    far.endpoints.set_border("A", MayLeave.ALWAYS)
    fingerprint = far.add_remote_embedder("far", "A").fingerprint
    for vector in ([3.0, 0.0, 4.0], [0.0, 3.0, 4.0, 0.0]):
        server.vector = vector
        with pytest.raises(ModelError, match="no longer the one that made these vectors"):
            far.encode(["a text"], far.embedder_of(fingerprint, collection="A"))
        assert server.requests[-1][2]["input"] != ["a text"]


@pytest.mark.parametrize("vector", [[], [0.0, 0.0]])
def test_vectors_that_are_none_are_refused(
    far: Workspace, server: EndpointServer, vector: list[float]
) -> None:
    server.vector = vector
    far.endpoints.set_border("A", MayLeave.ALWAYS)
    with pytest.raises(ModelError):
        far.add_remote_embedder("far", "A")


def test_an_endpoint_that_leads_elsewhere_now_is_not_asked(far: Workspace, server: EndpointServer) -> None:
    far.endpoints.set_border("A", MayLeave.ALWAYS)
    fingerprint = far.add_remote_embedder("far", "A").fingerprint
    with far.store.session() as session:
        session.connection().exec_driver_sql("UPDATE endpoint SET model = 'another'")
    far._embedders.clear()  # as after a new start
    with pytest.raises(RagError, match="is another now"):
        far.embedder_of(fingerprint, collection="A")
