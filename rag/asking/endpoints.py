"""What a person does with endpoints: connect and check them, and decide what may be sent there."""

from __future__ import annotations

from collections.abc import Generator

from rag.models.endpoints.rows import CheckProgress, Endpoint, KeyPlace, MayLeave
from rag.workspace import Workspace

Steps = Generator[CheckProgress, None, Endpoint]


def connect_endpoint(
    workspace: Workspace,
    url: str,
    name: str = "",
    model: str = "",
    key_variable: str = "",
    key: str = "",
    context: int = 0,
    at_once: int = 1,
) -> Steps:
    """Check a server and connect the model that it offers.

    Args:
        workspace: Where the endpoint is stored.
        url: Base URL of its API.
        name: What to call it; "": by its host.
        model: The model's name at the server; "": the only one it has.
        key_variable: The environment variable that has the key.
        key: A key for the keyring.
        context: Its context in tokens, 0 when the server is to say.
        at_once: How many requests it is sent at the same time.

    Raises:
        RagError: Something is wrong with these, or the server does not answer.
    """
    place = KeyPlace.ENVIRONMENT if key_variable else KeyPlace.KEYRING if key else KeyPlace.NONE
    wanted = Endpoint(name.strip(), url, model.strip(), place, key_variable.strip(), context, at_once)
    return (yield from workspace.endpoints.connect(wanted, key))


def check_endpoint(workspace: Workspace, name: str) -> Steps:
    """Ask an endpoint's server again what it does, and store that. Raises RagError."""
    return (yield from workspace.endpoints.check(name))


def disconnect_endpoint(workspace: Workspace, name: str) -> None:
    """Forget an endpoint and its key in the keyring. Raises NotFoundError."""
    workspace.endpoints.disconnect(name)


def set_at_once(workspace: Workspace, name: str, count: int) -> Endpoint:
    """Choose how many requests an endpoint is sent at the same time. Raises RagError."""
    return workspace.endpoints.set_at_once(name, count)


def set_border(workspace: Workspace, collection: str, setting: str) -> None:
    """Choose whether the texts of a collection may leave this computer: a MayLeave. Raises NotFoundError."""
    workspace.endpoints.set_border(collection, MayLeave(setting))


def allow_leaving(workspace: Workspace, collection: str, endpoint: str = "") -> None:
    """Let a collection's texts go to an endpoint until the program ends; "": to every one of them.

    Counts only while the collection's setting is "ask".
    """
    workspace.endpoints.border.allow(collection, endpoint)
