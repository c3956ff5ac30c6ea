"""The endpoints of a data folder: connecting and disconnecting them, and making models of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from sqlmodel import Session, select

from rag.errors import NotFoundError, RagError
from rag.models.chat_model import Served
from rag.models.endpoints import keys
from rag.models.endpoints.border import TYPED_HERE, Border, Permit
from rag.models.endpoints.client import BackgroundLoop, Client
from rag.models.endpoints.conformance import check_endpoint, model_names
from rag.models.endpoints.remote_embedder import RemoteEmbedder, RemoteIdentity, identify
from rag.models.endpoints.remote_model import RemoteModel
from rag.models.endpoints.rows import (
    ENDPOINT_CHANGE,
    CheckProgress,
    Conformance,
    Endpoint,
    KeyPlace,
    MayLeave,
    find_endpoint,
    list_endpoints,
)
from rag.settings import EndpointSettings, GenerationSettings
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import Store, now_ms
from rag.storage.tables.endpoints import EndpointChange, EndpointRow, RemoteEmbedderRow
from rag.storage.tables.knowledge import Collection
from rag.storage.tables.monitoring import AlertRule

Steps = Generator[CheckProgress, None, Endpoint]
_NAME = re.compile(r"[\w][\w .+-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


class Endpoints:
    """The endpoints of an open data folder, with the connections that are open to them."""

    def __init__(self, store: Store, database: Database, settings: Callable[[], EndpointSettings]) -> None:
        """Open none yet.

        Args:
            store: Where endpoints are stored.
            database: The same, for reading.
            settings: Returns the settings as they are now.
        """
        self.border = Border(database)
        self._store, self._database, self._settings = store, database, settings
        self._loop = BackgroundLoop()
        self._clients: dict[str, Client] = {}

    def find(self, name: str) -> Endpoint:
        """Return a connected endpoint. Raises NotFoundError."""
        return find_endpoint(self._database, name)

    def model(self, name: str, generation: GenerationSettings, collection: str | None) -> RemoteModel:
        """Return the model behind an endpoint, for texts of a collection; see Border.permit.

        Raises RagError when they may not be sent there: nothing need be prepared for it then.
        """
        client, permit = self.client(name), self.border.permit(collection)
        permit(client.endpoint)
        return RemoteModel(client, generation, permit, self.border.outgoing(collection, client.endpoint))

    def client(self, name: str) -> Client:
        """Return the way to an endpoint, opened once. Raises NotFoundError."""
        endpoint = self.find(name)
        known = self._clients.get(name)
        if known is None or _differs(known.endpoint, endpoint):
            if known is not None:
                known.close()
            known = self._clients[name] = Client(endpoint, self._loop, self._settings())
        known.endpoint = endpoint
        return known

    def add_embedder(self, name: str, collection: str) -> str:
        """Store what the embedder behind an endpoint is now, and return its fingerprint. Raises RagError."""
        client = self.client(name)
        found = identify(client, self.border.permit(collection))
        with self._store.session() as session:
            session.merge(
                RemoteEmbedderRow(
                    fingerprint=found.fingerprint, name=found.name, endpoint=name, url=client.endpoint.url,
                    model=client.endpoint.model, dimension=found.dimension,
                    sample=found.sample.astype("<f4").tobytes(), added_ms=now_ms(),
                )
            )  # fmt: skip
        return found.fingerprint

    def embedder(self, fingerprint: str) -> RemoteEmbedder | None:
        """Return an embedder that was stored, None when there is no such one; bind it before it is used.

        Raises RagError when its endpoint is no longer connected, or leads elsewhere.
        """
        with self._store.session() as session:
            row = session.get(RemoteEmbedderRow, fingerprint)
        if row is None:
            return None
        client = self.client(row.endpoint)
        if (client.endpoint.url, client.endpoint.model) != (row.url, row.model):
            raise RagError(
                f"This was made with the embedder {row.model} at {row.url}, and “{row.endpoint}” is another "
                "now. Connect it as it was, or choose a version of another embedder."
            )
        sample = np.frombuffer(row.sample, dtype="<f4").astype(np.float32)
        identity = RemoteIdentity(fingerprint, row.name, row.dimension, sample)
        return RemoteEmbedder(client, identity, self.border.permit(""))

    def connect(self, wanted: Endpoint, key: str = "") -> Steps:
        """Check a server and connect it, or connect a known endpoint in another way.

        Nothing is stored before the server has answered.

        Args:
            wanted: Its name, URL and model, and where its key is. Without a model the server's only one.
            key: For the keyring; not needed when it is there already.

        Raises:
            RagError: Something is missing or wrong, or the server does not answer.
        """
        wanted = _checked(wanted)
        is_new = all(known.name != wanted.name for known in list_endpoints(self._database))
        if wanted.key_place is KeyPlace.KEYRING:
            wanted = replace(wanted, key_name=wanted.name)
            if key:
                keys.keep_key(wanted.key_name, key.strip())
        elif key:
            raise RagError(
                "A key is kept in the system's keyring alone. Choose the keyring, or leave it out."
            )
        permit = self.border.permit(TYPED_HERE)
        client = Client(wanted, self._loop, self._settings())
        try:
            if not wanted.model:
                wanted = client.endpoint = replace(wanted, model=_only_model(client, permit))
            checks = yield from check_endpoint(client, permit)
        except BaseException:
            if is_new and key:
                keys.forget_key(wanted.key_name)
            raise
        finally:
            client.close()
        made = replace(wanted, checks=checks, created_ms=now_ms(), checked_ms=now_ms())
        with self._store.session() as session:
            known = session.get(EndpointRow, made.name)
            if known is not None:
                made = replace(made, created_ms=known.created_ms)
            session.merge(_row(made))
            audit_log.record(
                session, audit_log.Action.ENDPOINT_CONNECTED, made.name, f"{made.model} at {made.host}"
            )
        return made

    def check(self, name: str) -> Steps:
        """Ask a connected endpoint again what it does, and store that. Raises RagError."""
        client = self.client(name)
        checks = yield from check_endpoint(client, self.border.permit(TYPED_HERE))
        self._store_checks(name, checks)
        return self.find(name)

    def disconnect(self, name: str) -> None:
        """Forget an endpoint and its key in the keyring; traces keep its name. Raises NotFoundError."""
        endpoint = self.find(name)
        if (client := self._clients.pop(name, None)) is not None:
            client.close()
        with self._store.session() as session:
            session.delete(session.get_one(EndpointRow, name))
            audit_log.record(session, audit_log.Action.ENDPOINT_DISCONNECTED, name, endpoint.host)
        if endpoint.key_place is KeyPlace.KEYRING:
            keys.forget_key(endpoint.key_name)

    def set_at_once(self, name: str, count: int) -> Endpoint:
        """Choose how many requests an endpoint is sent at the same time, 1 to 64. Raises RagError."""
        if not 1 <= count <= 64:
            raise RagError("An endpoint can be sent 1 to 64 requests at the same time.")
        with self._store.session() as session:
            row = session.get(EndpointRow, self.find(name).name)
            assert row is not None
            row.at_once = count
            session.add(row)
        return self.find(name)

    def set_border(self, collection: str, setting: MayLeave) -> None:
        """Choose whether the texts of a collection may leave this computer. Raises NotFoundError."""
        with self._store.session() as session:
            found = session.exec(select(Collection).where(Collection.name == collection)).first()
            if found is None:
                raise NotFoundError(f"There is no collection named “{collection}”.")
            found.may_leave = setting
            session.add(found)
            audit_log.record(
                session, audit_log.Action.BORDER_CHANGED, collection, f"may leave this computer: {setting}"
            )

    def note_served(self, name: str, served: Served, trace_id: str) -> None:
        """Remember what an endpoint said of itself; when that is another than before, store the change."""
        endpoint = find_endpoint(self._database, name)
        before = endpoint.served_model, endpoint.system_fingerprint
        after = served.model or before[0], served.system_fingerprint or before[1]
        if before == after:
            return
        with self._store.session() as session:
            row = session.get(EndpointRow, name)
            if row is None:  # disconnected while it answered
                return
            row.served_model, row.system_fingerprint = after
            session.add(row)
            if _is_change(before, after):
                session.add(
                    EndpointChange(
                        endpoint=name, created_ms=now_ms(), trace_id=trace_id, model_before=before[0],
                        model_after=after[0], fingerprint_before=before[1], fingerprint_after=after[1],
                    )
                )  # fmt: skip
                _ensure_alert(session)
                audit_log.record(
                    session, audit_log.Action.ENDPOINT_CHANGED, name, f"{_both(before)} -> {_both(after)}"
                )

    def close(self) -> None:
        """Close all connections, and end what still runs."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._loop.close()

    def _store_checks(self, name: str, checks: Conformance) -> None:
        with self._store.session() as session:
            row = session.get_one(EndpointRow, name)
            row.checks, row.checked_ms = checks.as_json(), now_ms()
            session.add(row)


def checked_url(url: str) -> str:
    """Return the base URL of a server as it is stored. Raises RagError with what is wrong with it."""
    url = url.strip()
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # of a port, or of brackets
        valid = False
    if not valid:
        raise RagError(f"“{url}” is not the address of a server. Write it like http://127.0.0.1:8080/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise RagError(
            "The address of a server must not have anything behind “?” or before “@”. Give a key by its "
            "environment variable or put it into the keyring."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _checked(wanted: Endpoint) -> Endpoint:
    wanted = replace(wanted, url=checked_url(wanted.url))
    wanted = replace(wanted, name=wanted.name or re.sub(r"[^\w.-]+", "-", wanted.host).strip("-"))
    if not _NAME.fullmatch(wanted.name):
        raise RagError(
            "The name of an endpoint has 1 to 64 letters, digits, spaces and . _ + -, and begins with a "
            "letter or digit."
        )
    if wanted.key_place is KeyPlace.ENVIRONMENT and not _VARIABLE.fullmatch(wanted.key_name):
        raise RagError(
            "Give the name of the environment variable that has the key, such as OPENAI_API_KEY, not the key."
        )
    if not 0 <= wanted.context <= 100_000_000 or not 1 <= wanted.at_once <= 64:
        raise RagError("The context is a number of tokens, and requests at the same time are 1 to 64.")
    return wanted


def _only_model(client: Client, permit: Permit) -> str:
    names = model_names(client, permit)
    if len(names) == 1:
        return names[0]
    if not names:
        raise RagError("The server does not say which models it has. Give the name of one.")
    listed = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    raise RagError(f"The server has {len(names)} models: {listed}. Give the name of one.")


def _differs(old: Endpoint, new: Endpoint) -> bool:
    """Return whether another connection is needed."""
    return any(
        getattr(old, name) != getattr(new, name) for name in ("url", "key_place", "key_name", "at_once")
    )


def _is_change(before: tuple[str, str], after: tuple[str, str]) -> bool:
    """Return whether something was known before that is something else now."""
    return any(old and new and old != new for old, new in zip(before, after, strict=True))


def _ensure_alert(session: Session) -> None:
    """Make the rule that alerts people to changes of endpoints, if there is none yet."""
    if session.exec(select(AlertRule).where(AlertRule.measure == ENDPOINT_CHANGE)).first() is None:
        session.add(
            AlertRule(
                name="Endpoint changes", measure=ENDPOINT_CHANGE, comparison="above", threshold=0.0, window=5,
                minimum=5,
            )
        )  # fmt: skip


def _both(served: tuple[str, str]) -> str:
    return f"{served[0] or 'unnamed'} ({served[1]})" if served[1] else served[0] or "unnamed"


def _row(endpoint: Endpoint) -> EndpointRow:
    return EndpointRow(
        name=endpoint.name, url=endpoint.url, model=endpoint.model, key_place=endpoint.key_place,
        key_name=endpoint.key_name, context=endpoint.context, at_once=endpoint.at_once,
        created_ms=endpoint.created_ms, checked_ms=endpoint.checked_ms, checks=endpoint.checks.as_json(),
    )  # fmt: skip
