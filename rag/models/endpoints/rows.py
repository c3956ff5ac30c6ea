"""Values of endpoints: where a model is served, what its server can do, and which texts may go there."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from rag.errors import NotFoundError
from rag.storage.database import Database

ENDPOINT_CHANGE = "endpoint_change"  # the measure of the alert on a provider's silent change
PREFIX = "endpoint:"  # begins what names an endpoint where a model file's path may stand


class KeyPlace(StrEnum):
    """Where the key of an endpoint is; it is never in a file of the program."""

    NONE = "none"
    KEYRING = "keyring"  # of the system
    ENVIRONMENT = "environment"  # a variable of that name


class MayLeave(StrEnum):
    """Whether the texts of a collection may be sent to an endpoint that is not on this computer."""

    NEVER = "never"
    ASK = "ask"
    ALWAYS = "always"


class Usage(StrEnum):
    """Where the counts of tokens of an answer come from."""

    HERE = ""  # this program counted the tokens that it read and wrote
    TOLD = "told"  # by the endpoint
    UNKNOWN = "unknown"  # the endpoint did not tell: the counts are this program's estimates


class Finding(StrEnum):
    """What the check of an endpoint found out about one thing."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Ability:
    """A line of the table that a check makes: what the server does, and what follows for the program."""

    name: str
    finding: Finding
    detail: str
    follows: str


@dataclass(frozen=True)
class CheckProgress:
    """A step of checking an endpoint: what is asked now."""

    what: str
    done: int
    total: int


@dataclass(frozen=True)
class Conformance:
    """What a server does, as a check found it. The defaults are for one that was never checked.

    Attributes:
        abilities: The table that people read.
        refused: Names of parameters that the server refuses: they are not sent.
        limit: The parameter that bounds the length of an answer.
        usage: Whether streams end with a count of tokens.
        logprobs: Whether log-probabilities come with the tokens.
        json_form: "json_schema", "json_object" or "": how an answer in JSON can be asked for.
        thinks: Whether the model sent thoughts apart from its answer.
        context: Length of its context in tokens, 0 when the server does not say.
        bytes_per_token: Of the texts of the check, as the server counted them; 0.0 when it does not count.
    """

    abilities: tuple[Ability, ...] = ()
    refused: tuple[str, ...] = ()
    limit: str = "max_tokens"
    usage: bool = True
    logprobs: bool = False
    json_form: str = ""
    thinks: bool = False
    context: int = 0
    bytes_per_token: float = 0.0

    @property
    def chats(self) -> bool:
        """Whether it answers, as far as that is known: some endpoints only embed."""
        return not any(row.name == "chat" and row.finding is Finding.NO for row in self.abilities)

    def as_json(self) -> str:
        """Return it as it is stored."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Conformance:
        """Return what was stored; "" gives the defaults."""
        if not text:
            return cls()
        values = json.loads(text)
        found = tuple(
            Ability(row["name"], Finding(row["finding"]), row["detail"], row["follows"])
            for row in values.pop("abilities")
        )
        return cls(abilities=found, **{**values, "refused": tuple(values["refused"])})


@dataclass(frozen=True)
class Endpoint:
    """A model that a server offers, as it was connected.

    Attributes:
        name: What people call it.
        url: Base URL of the server's API, such as http://127.0.0.1:8080/v1.
        model: The model's name at the server.
        key_place: Where its key is.
        key_name: The variable that has the key, or the name of the entry in the keyring.
        context: Length of its context in tokens as a person gave it; 0: as the server says.
        at_once: How many requests it is sent at the same time.
        created_ms: When it was connected.
        checked_ms: When its conformance was checked last; None: never.
        served_model: Which model the server said it used last; "" before the first answer.
        system_fingerprint: What the server said of its configuration last.
        checks: What the last check found.
    """

    name: str
    url: str
    model: str
    key_place: KeyPlace = KeyPlace.NONE
    key_name: str = ""
    context: int = 0
    at_once: int = 1
    created_ms: int = 0
    checked_ms: int | None = None
    served_model: str = ""
    system_fingerprint: str = ""
    checks: Conformance = field(default_factory=Conformance)

    @property
    def reference(self) -> str:
        """What stands for it where a model file's path may stand."""
        return f"{PREFIX}{self.name}"

    @property
    def identity(self) -> str:
        """The sha256 of URL and model, 64 hex digits: all that is known for certain of what answers."""
        return hashlib.sha256(f"{self.url}\0{self.model}".encode()).hexdigest()

    @property
    def host(self) -> str:
        """The host, with the port where the URL names one."""
        return urlsplit(self.url).netloc

    @property
    def is_here(self) -> bool:
        """Whether the server is on this computer, so that nothing that it is sent leaves."""
        return is_on_this_computer(self.url)

    @property
    def sent_to(self) -> str:
        """The host that texts leave this computer for; "" when they stay."""
        return "" if self.is_here else self.host


def is_on_this_computer(url: str) -> bool:
    """Return whether a URL's host is this computer by its own name or address.

    A name that a server of names resolves is not, whatever it resolves to now: it may be another tomorrow.
    """
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or no URL at all
        return False


def endpoint_named_by(model: str | Path) -> str:
    """Return the name of the endpoint that a reference to a model names; "" when it is a file."""
    text = str(model)
    return text.removeprefix(PREFIX) if text.startswith(PREFIX) else ""


def list_endpoints(database: Database) -> list[Endpoint]:
    """Return all connected endpoints, oldest first."""
    return [
        Endpoint(**{**dict(row), "checks": Conformance.from_json(row["checks"]),
                    "key_place": KeyPlace(row["key_place"])})
        for row in database.query("SELECT * FROM endpoint ORDER BY created_ms, name")
    ]  # fmt: skip


def find_endpoint(database: Database, name: str) -> Endpoint:
    """Return an endpoint. Raises NotFoundError, which names those that there are."""
    known = list_endpoints(database)
    for endpoint in known:
        if endpoint.name == name:
            return endpoint
    names = ", ".join(endpoint.name for endpoint in known) or "none"
    raise NotFoundError(f"There is no endpoint “{name}”. Connected endpoints: {names}.")


@dataclass(frozen=True)
class ChangeRow:
    """A provider's silent change: what an endpoint said of itself before and after."""

    endpoint: str
    created_ms: int
    trace_id: str
    model_before: str
    model_after: str
    fingerprint_before: str
    fingerprint_after: str

    def sentence(self) -> str:
        """Return what changed, with before and after."""
        pairs = (
            ("the model", self.model_before, self.model_after),
            ("the configuration", self.fingerprint_before, self.fingerprint_after),
        )
        said = [f"{what} was {old} and is {new} now" for what, old, new in pairs if old and old != new]
        return f"“{self.endpoint}” changed: {'; '.join(said)}"


def list_changes(database: Database, since_ms: int = 0) -> list[ChangeRow]:
    """Return the changes of endpoints after a moment, newest first."""
    return database.rows(
        ChangeRow,
        "SELECT * FROM endpointchange WHERE created_ms > ? ORDER BY created_ms DESC, id DESC",
        (since_ms,),
    )


def may_leave(database: Database, collection: str) -> MayLeave:
    """Return whether the texts of a collection may leave this computer; one that is not known: never."""
    found = database.cells("SELECT may_leave FROM collection WHERE name = ?", (collection,))
    return MayLeave(found[0][0]) if found else MayLeave.NEVER


def list_may_leave(database: Database) -> list[tuple[str, MayLeave]]:
    """Return every collection with whether its texts may leave this computer, by name."""
    return [
        (name, MayLeave(value))
        for name, value in database.cells("SELECT name, may_leave FROM collection ORDER BY name")
    ]
