"""The tokens by which other programs are known to the server.

They are in a file of the data folder that its owner alone can read, as the database beside it: who can read
the one has the other already. A keyring would ask for a password whenever the server starts.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import threading
from dataclasses import asdict
from pathlib import Path

from rag.errors import NotFoundError, RagError
from rag.serving.rows import Token
from rag.storage.store import now_ms

FILE = "server-tokens.json"
FIRST = "default"
_NAME = re.compile(r"[\w .@-]{1,60}")
_lock = threading.Lock()


def list_tokens(folder: Path) -> list[Token]:
    """Return the tokens of a data folder, oldest first. Raises RagError for a damaged file."""
    try:
        return [Token(**entry) for entry in json.loads((folder / FILE).read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise RagError(f"{FILE} cannot be read ({error}). Delete it, and make new tokens.") from error


def ensure_token(folder: Path) -> Token:
    """Return the oldest token, which is made where there is none: no server runs without one."""
    return next(iter(list_tokens(folder)), None) or make_token(folder, FIRST)


def make_token(folder: Path, name: str) -> Token:
    """Make a token for a program; one of the same name is replaced, and holds no more. Raises RagError."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise RagError("A token needs a name: at most 60 letters, digits, spaces and signs such as @ and -.")
    made = Token(name, f"rd-{secrets.token_urlsafe(32)}", now_ms())
    with _lock:
        _write(folder, [*(token for token in list_tokens(folder) if token.name != name), made])
    return made


def revoke_token(folder: Path, name: str) -> None:
    """Let a token hold no more. Raises NotFoundError."""
    with _lock:
        tokens = list_tokens(folder)
        kept = [token for token in tokens if token.name != name]
        if len(kept) == len(tokens):
            raise NotFoundError(f"There is no token “{name}”.")
        _write(folder, kept)


class TokenBook:
    """The tokens as they are now: the file is read again when it changes."""

    def __init__(self, folder: Path) -> None:
        """Read nothing yet."""
        self._folder = folder
        self._stamp: tuple[int, int] | None = None
        self._tokens: list[Token] = []

    def name_of(self, header: str) -> str:
        """Return whose token an Authorization header has, "" for nobody's."""
        scheme, _, given = header.partition(" ")
        if scheme.lower() != "bearer":
            return ""
        found = ""
        for token in self._current():  # all of them, so that the time says nothing
            if hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.secret.encode()):
                found = token.name
        return found

    def _current(self) -> list[Token]:
        try:
            status = (self._folder / FILE).stat()
        except FileNotFoundError:
            return []
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._tokens, self._stamp = list_tokens(self._folder), stamp
        return self._tokens


def _write(folder: Path, tokens: list[Token]) -> None:
    """Write the file as a whole; it is nobody else's from its first byte on."""
    scratch = folder / f"{FILE}.new"
    scratch.unlink(missing_ok=True)
    opened = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        json.dump([asdict(token) for token in tokens], file, indent=1)
    scratch.replace(folder / FILE)
