"""Tables of endpoints hold no key, and every text column says what it contains."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.contents import Content, content_of, is_text
from rag.storage.tables.endpoints import EndpointChange, EndpointRow, RemoteEmbedderRow


def test_no_column_is_for_a_key_itself() -> None:
    names = {
        name for table in (EndpointRow, EndpointChange, RemoteEmbedderRow) for name in table.model_fields
    }
    assert {name for name in names if "key" in name} == {"key_place", "key_name"}
    assert not names & {"key", "token", "secret", "password"}


def test_every_text_column_is_marked_for_erasures() -> None:
    for table in (EndpointRow, EndpointChange, RemoteEmbedderRow):
        for column in table.__table__.columns:  # type: ignore[attr-defined]
            assert not is_text(column) or content_of(column) is not None, column.name


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (EndpointRow, {"name": "near"}, {"name": "far"}),
        (RemoteEmbedderRow, {"fingerprint": "f"}, {"fingerprint": "g"}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_one_server_may_be_connected_under_two_names() -> None:
    assert saves(*(row(EndpointRow, name=name, url="http://x/v1") for name in ("near", "far")))


def test_an_endpoint_may_change_any_number_of_times() -> None:
    changes = [row(EndpointChange, endpoint="near", trace_id="t", created_ms=1) for _ in range(3)]
    assert saves(*changes)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("key_place", "none"),
        ("key_name", ""),
        ("context", 0),
        ("at_once", 1),
        ("checked_ms", None),
        ("served_model", ""),
        ("system_fingerprint", ""),
        ("checks", ""),
    ],
)
def test_a_new_endpoint_has_no_key_and_was_never_checked(column: str, value: object) -> None:
    assert stored(row(EndpointRow, name="near"))[column] == value


def test_the_vector_of_an_embedder_is_stored_byte_by_byte() -> None:
    sample = bytes(range(256))
    assert stored(row(RemoteEmbedderRow, fingerprint="f", sample=sample))["sample"] == sample


@pytest.mark.parametrize("model", [EndpointRow, EndpointChange, RemoteEmbedderRow])
def test_an_endpoint_has_names_and_figures_and_no_words_of_a_document(model: type[SQLModel]) -> None:
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    kinds = {content_of(column) for column in table.columns if is_text(column)}
    assert kinds <= {Content.NAME, Content.TECHNICAL}
