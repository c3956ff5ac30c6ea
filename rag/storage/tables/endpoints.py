"""Tables of endpoints: models that a server offers, and embedders among them. No key is ever in here."""

from __future__ import annotations

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class EndpointRow(SQLModel, table=True):
    """A model behind an OpenAI-compatible API."""

    __tablename__ = "endpoint"
    name: str = Field(primary_key=True)
    url: str
    model: str  # its name at the server
    key_place: str = "none"  # a KeyPlace
    key_name: str = ""  # of an environment variable or an entry in the keyring
    context: int = 0  # tokens; 0: as the server says
    at_once: int = 1  # requests at the same time
    created_ms: int
    checked_ms: int | None = None
    served_model: str = ""  # as the server named it last
    system_fingerprint: str = ""
    checks: str = ""  # JSON of a Conformance


class EndpointChange(SQLModel, table=True):
    """A provider's change that was noticed: another model or configuration answers under the same name."""

    id: int | None = Field(default=None, primary_key=True)
    endpoint: str = Field(index=True)
    created_ms: int
    trace_id: str = ""  # of the first answer after it
    model_before: str
    model_after: str
    fingerprint_before: str
    fingerprint_after: str


class RemoteEmbedderRow(SQLModel, table=True):
    """An embedder behind an endpoint that made vectors here."""

    __tablename__ = "remoteembedder"
    fingerprint: str = Field(primary_key=True)
    name: str
    endpoint: str
    url: str
    model: str
    dimension: int
    sample: bytes = Field(sa_type=LargeBinary)  # float32: its vector of a fixed text, L2-normalised
    added_ms: int


mark(EndpointRow, name="name url model key_name served_model",
     technical="key_place system_fingerprint checks")  # fmt: skip
mark(EndpointChange, name="endpoint model_before model_after",
     technical="trace_id fingerprint_before fingerprint_after")  # fmt: skip
mark(RemoteEmbedderRow, name="name endpoint url model", technical="fingerprint")
