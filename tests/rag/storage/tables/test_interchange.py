"""What another application sent is known as text that may quote documents."""

from rag.storage.tables.contents import Content, marked_columns
from rag.storage.tables.interchange import ReceivedSpan


def test_a_received_span_may_copy_documents() -> None:
    found = {str(table.name): names for table, names in marked_columns(Content.COPY)}
    assert found[str(ReceivedSpan.__tablename__)] == ["body"]
