"""Spans are posted as OTLP asks; every way of failing is a reason, and whether it is worth another try."""

import socket
from collections.abc import Iterator

import pytest
from otlp_endpoint import OtlpEndpoint, otlp_endpoint, spans_in

from rag.errors import RagError
from rag.interchange.export.sending import read_headers, send_annotations, send_spans
from rag.interchange.rows import RawSpan

SPAN = RawSpan("ab" * 16, "cd" * 8, "", "chain", 1, 2, {"input.value": "Why?"}, service="Ragdeck")


@pytest.fixture
def endpoint() -> Iterator[OtlpEndpoint]:
    with otlp_endpoint() as made:
        yield made


def test_spans_arrive_with_the_headers_that_were_given(endpoint: OtlpEndpoint) -> None:
    assert send_spans(f"{endpoint.url}/v1/traces", [SPAN], {"Authorization": "Basic eA=="}).is_taken
    ((path, headers, body),) = endpoint.requests
    assert path == "/v1/traces" and headers["Authorization"] == "Basic eA=="
    assert headers["User-Agent"] == "Ragdeck", "it does not tell which system and Python this is"
    assert [s.attributes for s in spans_in(body)] == [{"input.value": "Why?"}]


@pytest.mark.parametrize(
    ("status", "may_retry"),
    [(400, False), (401, False), (404, False), (429, True), (503, True), (500, False)],
)
def test_a_refusal_says_whether_to_come_again(endpoint: OtlpEndpoint, status: int, may_retry: bool) -> None:
    endpoint.statuses, endpoint.retry_after = [status], "7"
    found = send_spans(endpoint.url + "/v1/traces", [SPAN], {})
    assert (found.is_taken, found.may_retry, found.retry_after_s) == (
        False,
        may_retry,
        7.0 if may_retry else None,
    )
    assert str(status) in found.reason


def test_a_redirect_is_not_followed(endpoint: OtlpEndpoint) -> None:
    endpoint.statuses = [302]
    found = send_spans(f"{endpoint.url}/v1/traces", [SPAN], {})
    assert not found.is_taken and "302" in found.reason and not endpoint.requests


def test_rejected_spans_are_a_refusal_with_the_endpoints_reason(endpoint: OtlpEndpoint) -> None:
    endpoint.rejected = [2]
    found = send_spans(f"{endpoint.url}/v1/traces", [SPAN], {})
    assert (found.is_taken, found.may_retry, found.reason) == (
        False,
        False,
        "the endpoint refused 2 spans: too old",
    )


def test_an_endpoint_that_is_away_is_worth_another_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        found = send_spans(f"http://127.0.0.1:{taken.getsockname()[1]}/v1/traces", [SPAN], {}, 2.0)
    assert found.may_retry and "cannot be reached" in found.reason
    assert not send_spans("http://127.0.0.1:99999/v1/traces", [SPAN], {}).is_taken


def test_annotations_go_beside_the_traces(endpoint: OtlpEndpoint) -> None:
    assert send_annotations(
        f"{endpoint.url}/v1/traces", [{"span_id": "cd" * 8, "name": "support"}], {}
    ).is_taken
    assert endpoint.annotations == [{"span_id": "cd" * 8, "name": "support"}]
    assert send_annotations("http://127.0.0.1:1/v1/traces", [], {}).is_taken, "nothing is not sent"


def test_headers_are_read_as_opentelemetry_writes_them() -> None:
    found = read_headers("H", {"H": "Authorization=Basic%20eA==, x-key = 1"})
    assert found == {"Authorization": "Basic eA==", "x-key": "1"} and read_headers("", {"": "a=b"}) == {}
    for text, said in (
        ("", "H is not set"),
        ("Authorization", "write name=value"),
        ("a=b%0Ac", "write name=value"),
    ):
        with pytest.raises(RagError, match=said):
            read_headers("H", {"H": text})


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
        (" a = b ", {"a": "b"}),
        ("a=%20x%2Cy", {"a": " x,y"}),
        ("a=1,b=2,a=3", {"a": "3", "b": "2"}),
    ],
)
def test_a_header_is_a_name_and_a_value(text: str, headers: dict[str, str]) -> None:
    assert read_headers("H", {"H": text}) == headers


@pytest.mark.parametrize("text", ["a=b,", "=b", ",", "a", "a=b%0d", "a=b\rc", "a=b%0D%0AHost: x"])
def test_what_is_no_header_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(RagError, match=r"^H has no headers: write name=value, with commas between them\.$"):
        read_headers("H", {"H": text})


@pytest.mark.parametrize("environment", [{}, {"H": ""}, {"H": " \n"}, {"h": "a=b"}])
def test_a_variable_that_is_named_and_not_set_is_said(environment: dict[str, str]) -> None:
    with pytest.raises(RagError, match="H is not set"):
        read_headers("H", environment)


@pytest.mark.parametrize(
    ("told", "seconds"), [("0", 0.0), ("120", 120.0), ("", None), ("-1", None), ("soon", None), ("1.5", None)]
)
def test_when_to_come_again_is_a_number_of_seconds_or_not_told(
    endpoint: OtlpEndpoint, told: str, seconds: float | None
) -> None:
    endpoint.statuses, endpoint.retry_after = [429], told
    found = send_spans(f"{endpoint.url}/v1/traces", [SPAN], {})
    assert (found.may_retry, found.retry_after_s) == (True, seconds)


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/traces?x=1", "", "/"])
def test_annotations_are_posted_beside_the_same_address_whatever_their_letters(
    endpoint: OtlpEndpoint, path: str
) -> None:
    assert send_annotations(f"{endpoint.url}{path}", [{"name": "ü\ud800"}], {"x-key": "1"}).is_taken
    assert endpoint.annotations == [{"name": "ü?"}]
    assert endpoint.requests[0][1]["X-Key"] == "1"


def test_refused_annotations_are_said_like_refused_spans(endpoint: OtlpEndpoint) -> None:
    endpoint.statuses = [503]
    found = send_annotations(f"{endpoint.url}/v1/traces", [{"name": "x"}], {})
    assert (found.is_taken, found.may_retry) == (False, True) and "503" in found.reason


@pytest.mark.parametrize(
    "url", ["nonsense", "", "http://", "http://[x/v1/traces", "http://a b/", "gopher://x/"]
)
def test_an_address_that_is_none_is_a_reason_and_no_exception(url: str) -> None:
    found = send_spans(url, [SPAN], {}, 0.5)
    assert not found.is_taken and found.reason.startswith("the endpoint cannot be reached (")
    assert len(found.reason) <= 300
