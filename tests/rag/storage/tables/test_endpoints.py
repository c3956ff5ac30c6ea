"""Tables of endpoints hold no key, and every text column says what it contains."""

from rag.storage.tables.contents import content_of, is_text
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
