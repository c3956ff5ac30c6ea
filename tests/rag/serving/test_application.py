"""Only what is wanted is served; the rest is not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from rag.serving.application import make_application
from rag.serving.desk import Desk
from rag.serving.otlp_receiver import OtlpReceiver
from rag.serving.tokens import make_token
from rag.settings import ServerSettings
from rag.workspace import Workspace


def nowhere(lane: str, function: Callable[[], None]) -> None:
    function()


@pytest.mark.parametrize(
    ("openai", "mcp", "otlp"), [(True, False, False), (False, True, False), (False, False, True)]
)
def test_each_part_is_there_alone(workspace: Workspace, openai: bool, mcp: bool, otlp: bool) -> None:
    desk = Desk(workspace, nowhere)
    secret = make_token(workspace.folder, "editor").secret
    wanted = ServerSettings(openai=openai, mcp=mcp, otlp=otlp)
    receiver = OtlpReceiver(workspace.store) if otlp else None
    application = make_application(desk, wanted, receiver)
    headers = {"authorization": f"Bearer {secret}"}
    with TestClient(application, base_url="http://127.0.0.1", headers=headers) as client:
        assert (client.get("/v1/models").status_code == 200) is openai
        assert (client.post("/mcp", json={}).status_code != 404) is mcp
        sent = client.post("/v1/traces", content=b"{}", headers={"content-type": "application/json"})
        assert (sent.status_code == 200) is otlp
        assert client.get("/").json() == {"ragdeck": True, "openai": openai, "mcp": mcp, "waiting": 0}
        assert client.get("/", headers={"authorization": ""}).status_code == 401
        assert client.get("/", headers={"host": "evil.example"}).status_code == 400
