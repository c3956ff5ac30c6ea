"""Keys of endpoints, in the system's keyring or an environment variable. Never in a file.

keyring is imported when a key is wanted: it looks for the system's service then.
"""

from __future__ import annotations

import os

from rag.errors import RagError
from rag.models.endpoints.rows import Endpoint, KeyPlace

SERVICE = "Ragdeck endpoints"  # under which the keyring shows the keys
_NO_KEYRING = (
    "This system has no keyring that keeps keys. Put the key into an environment variable, and connect with "
    "the name of that variable."
)


def read_key(endpoint: Endpoint) -> str:
    """Return the key of an endpoint, "" when it needs none. Raises RagError when it is not there."""
    if endpoint.key_place is KeyPlace.NONE:
        return ""
    if endpoint.key_place is KeyPlace.ENVIRONMENT:
        found = os.environ.get(endpoint.key_name, "").strip()
        where = f"the environment variable {endpoint.key_name} is not set. Set it and start Ragdeck again"
    else:
        found = _from_keyring(endpoint.key_name)
        where = "the keyring has no such key any more. Connect the endpoint again with its key"
    if not found:
        raise RagError(f"The key of “{endpoint.name}” is missing: {where}.")
    return found


def keep_key(name: str, key: str) -> None:
    """Put a key into the system's keyring. Raises RagError when there is none."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, name, key)
    except KeyringError:
        raise RagError(_NO_KEYRING) from None  # its text may quote what was to be kept


def forget_key(name: str) -> None:
    """Take a key out of the system's keyring; that it is not there is no failure."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        keyring.delete_password(SERVICE, name)
    except PasswordDeleteError:
        return
    except KeyringError:
        raise RagError(_NO_KEYRING) from None


def _from_keyring(name: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, name) or ""
    except KeyringError:
        raise RagError(_NO_KEYRING) from None
