"""Every address needs a token and this computer's name, and answers whatever is sent to it."""

from __future__ import annotations

import http.client
import json
from typing import Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving_parts import COLLECTION, QUESTION, Served

PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")


def send(
    served: Served, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Send a request as it is, with a token unless `Authorization` says otherwise."""
    connection = http.client.HTTPConnection("127.0.0.1", served.server._server.port, timeout=30)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {served.token}", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(), {key.lower(): value for key, value in answer.getheaders()}
    finally:
        connection.close()


def test_models_are_listed_and_described(served: Served, client: openai.OpenAI) -> None:
    found = {model.id: model for model in client.models.list()}
    assert found["collection/Kitchen"].context_length == 4096  # type: ignore[attr-defined]
    assert found["embedder/fake"].owned_by == "ragdeck"
    assert client.models.retrieve("collection/Kitchen").id == "collection/Kitchen"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("nobody")
    assert refused.value.code == "model_not_found" and refused.value.param == "model"


@pytest.mark.parametrize("path", ["/", "/v1/models", *PATHS, "/v1/other", "/mcp", "/nowhere"])
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic eDp5", "Bearer rd-é"])
def test_nobody_gets_in_without_a_token(served: Served, path: str, header: str) -> None:
    for method in ("GET", "POST"):
        status, body, headers = send(
            served, method, path, b"{}", Authorization=header.encode().decode("latin-1")
        )
        assert status == 401 and headers["www-authenticate"] == "Bearer"
        assert json.loads(body)["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4318", "127.0.0.1.evil.example", ""])
def test_a_page_of_the_web_does_not_reach_it_by_a_name_of_its_own(served: Served, host: str) -> None:
    for path in ("/v1/models", "/mcp"):
        assert send(served, "GET", path, Host=host)[0] in (400, 403, 421)
    assert send(served, "GET", "/v1/models", Host="localhost:1")[0] == 200


def test_no_page_of_the_web_may_read_an_answer(served: Served) -> None:
    origin = {"Origin": "https://evil.example"}
    status, _, headers = send(served, "GET", "/v1/models", **origin)
    assert status == 200 and not any(name.startswith("access-control") for name in headers)
    asked = {
        **origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    status, _, headers = send(served, "OPTIONS", PATHS[0], **asked)
    assert status in (400, 405) and not any(name.startswith("access-control") for name in headers)
    status, _, headers = send(served, "OPTIONS", PATHS[0], Authorization="", **asked)
    assert status == 401 and not any(name.startswith("access-control") for name in headers)


def test_an_address_that_is_not_served_says_so(served: Served, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="POST /v1/images/generations is not served here"):
        client.images.generate(prompt="bread")
    assert send(served, "DELETE", "/v1/models/x")[0] in (404, 405)


def test_a_body_that_is_too_large_or_no_text_is_refused(served: Served) -> None:
    status, body, _ = send(served, "POST", PATHS[0], b" " * 16_000_001)
    assert status == 413 and "16,000,000" in json.loads(body)["error"]["message"]
    half = json.dumps({"model": COLLECTION, "messages": [{"role": "user", "content": "\ud800"}]}).encode()
    for broken in (half, b"\xff\xfe", b"[" * 100_000, b"[]", b"", b"nan"):
        status, body, _ = send(served, "POST", PATHS[0], broken)
        assert status == 400 and json.loads(body)["error"]["message"]


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(PATHS),
    st.one_of(
        st.binary(max_size=60),
        st.dictionaries(
            st.sampled_from(
                ["model", "messages", "input", "stream", "stop", "n", "temperature", "text", "dimensions"]
            ),
            _VALUES | st.just(COLLECTION) | st.just([{"role": "user", "content": QUESTION}]),
            max_size=6,
        ).map(lambda body: json.dumps(body).encode()),
    ),
)
def test_any_body_ends_in_an_answer(served: Served, path: str, body: bytes) -> None:
    status, answer, headers = send(served, "POST", path, body)
    assert 200 <= status < 500, answer
    if status >= 400:
        error: dict[str, Any] = json.loads(answer)["error"]
        assert error["message"] and set(error) == {"message", "type", "param", "code"}
    elif "event-stream" not in headers["content-type"]:
        assert json.loads(answer)["object"]


def test_after_all_that_it_still_answers(served: Served, client: openai.OpenAI) -> None:
    assert client.responses.create(model=COLLECTION, input=QUESTION).status == "completed"
    assert served.server.desk.bench.waiting == 0
