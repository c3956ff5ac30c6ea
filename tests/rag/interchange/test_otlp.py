"""OTLP requests are read in both forms, within bounds, and written back as they were."""

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.interchange.otlp import (
    JSON,
    PROTOBUF,
    BadRequestError,
    read_json,
    read_request,
    response,
    to_json,
    unpack,
    write_request,
)
from rag.interchange.rows import RawEvent, RawSpan, Received

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def request_of(**changes: Any) -> dict[str, Any]:
    """Return the example of the OTLP specification, with changes to its span."""
    span = {
        "traceId": TRACE.upper(),
        "spanId": SPAN,
        "parentSpanId": "eee19b7ec3c1b173",
        "name": "I'm a server span",
        "startTimeUnixNano": "1544712660000000000",
        "endTimeUnixNano": 1544712661000000000,
        "kind": 2,
        "attributes": [
            {"key": "text", "value": {"stringValue": "some value"}},
            {"key": "whole", "value": {"intValue": "7"}},
            {"key": "many", "value": {"arrayValue": {"values": [{"boolValue": True}, {"doubleValue": 0.5}]}}},
            {"key": "pairs", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}},
        ],
        "somethingNew": {"x": 1},
    } | changes
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]}
    scope = {"scope": {"name": "my.library"}, "spans": [span]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def test_the_example_of_the_specification_is_read() -> None:
    (span,) = read_request(json.dumps(request_of()).encode(), "application/json; charset=utf-8").spans
    assert (span.trace_id, span.span_id, span.parent_id) == (TRACE, SPAN, "eee19b7ec3c1b173")
    assert (span.service, span.scope, span.name) == ("my.service", "my.library", "I'm a server span")
    assert span.end_ns - span.start_ns == 1_000_000_000
    assert span.attributes == {"text": "some value", "whole": 7, "many": [True, 0.5], "pairs": {"a": 1}}
    assert span.error == ""


def test_a_status_of_error_has_its_message() -> None:
    for status, message in (
        ({"code": 2, "message": "broke"}, "broke"),
        ({"code": 2}, "error"),
        ({"code": 1}, ""),
    ):
        (span,) = read_json(request_of(status=status)).spans
        assert span.error == message


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"traceId": ""}, "trace id"),
        ({"traceId": "0" * 32}, "trace id"),
        ({"traceId": "not hex"}, "trace id"),
        ({"spanId": "ab"}, "span id"),
        ({"attributes": [{"key": str(n), "value": {"intValue": n}} for n in range(4001)]}, "attributes"),
    ],
)
def test_a_span_that_cannot_be_kept_is_counted_and_named(changes: dict[str, Any], reason: str) -> None:
    good = request_of()
    bad = request_of(**changes)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    good["resourceSpans"][0]["scopeSpans"][0]["spans"].append(bad)
    received = read_json(good)
    assert len(received.spans) == 1 and received.refused == 1 and reason in received.reason


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "status", "words"),
    [
        (b"{}", "text/plain", "", 415, "neither"),
        (b"{}", "", "", 415, "(none)"),
        (b"{", JSON, "", 400, "not JSON"),
        (b"[]", JSON, "", 400, "not an object"),
        (b'{"resourceSpans": 5}', JSON, "", 400, "ExportTraceServiceRequest"),
        (b"[" * 100_000, JSON, "", 400, "not JSON"),
        (b'{"a":' * 90 + b"1" + b"}" * 90, JSON, "", 400, "nested deeper"),
        (b"\xff\xff\xff", PROTOBUF, "", 400, "ExportTraceServiceRequest"),
        (b"{}", JSON, "br", 415, "use gzip"),
        (b"{}", JSON, "gzip", 400, "not gzip"),
        (gzip.compress(b"{}", mtime=0)[:-9], JSON, "gzip", 400, "cut off"),
    ],
)
def test_what_is_no_request_is_answered_with_a_status_and_a_sentence(
    body: bytes, content_type: str, encoding: str, status: int, words: str
) -> None:
    with pytest.raises(BadRequestError, match=words.replace("(", r"\(").replace(")", r"\)")) as found:
        read_request(body, content_type, encoding)
    assert found.value.status == status and "\n" not in str(found.value)


def test_a_bomb_is_stopped_at_the_limit() -> None:
    packed = gzip.compress(b"\0" * 10_000_000)
    with pytest.raises(BadRequestError) as found:
        unpack(packed, "gzip", most=1_000_000)
    assert found.value.status == 413
    with pytest.raises(BadRequestError):
        unpack(b"x" * 11, "", most=10)
    assert unpack(zlib.compress(b"abc"), "deflate") == b"abc"


def test_the_answer_has_the_form_of_the_request() -> None:
    assert response(Received(()), "application/json; charset=utf-8") == (b"{}", JSON)
    assert response(Received(()), PROTOBUF) == (b"", PROTOBUF)
    body, _ = response(Received((), 2, "a span has no trace id"), JSON)
    assert json.loads(body) == {
        "partialSuccess": {"rejectedSpans": "2", "errorMessage": "a span has no trace id"}
    }


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(TEXTS, VALUES, max_size=4)
TIMES = st.integers(0, 2**63)
SPANS = st.builds(
    RawSpan,
    trace_id=st.binary(min_size=16, max_size=16).filter(any).map(bytes.hex),
    span_id=st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex),
    parent_id=st.just("") | st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex),
    name=TEXTS,
    start_ns=TIMES,
    end_ns=TIMES,
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(RawEvent, TEXTS, TIMES, ATTRIBUTES), max_size=2).map(tuple),
    error=TEXTS,
    resource=st.just({"service.name": "an application"}),
    service=st.just("an application"),
    scope=TEXTS,
)


@settings(max_examples=150)
@given(st.lists(SPANS, max_size=4))
def test_what_is_written_is_read_again(spans: list[RawSpan]) -> None:
    request = write_request(spans)
    ordered = sorted(spans, key=repr)
    assert sorted(read_request(request.SerializeToString(), PROTOBUF).spans, key=repr) == ordered
    assert sorted(read_request(to_json(request).encode(), JSON).spans, key=repr) == ordered


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from([PROTOBUF, JSON]), st.sampled_from(["", "gzip"]))
def test_any_bytes_are_spans_or_one_sentence(body: bytes, content_type: str, encoding: str) -> None:
    try:
        read_request(body, content_type, encoding)
    except BadRequestError as error:
        assert "\n" not in str(error)


@settings(max_examples=200)
@given(st.binary(min_size=1, max_size=4), st.integers(0, 10**6))
def test_a_damaged_request_is_spans_or_one_sentence(damage: bytes, place: int) -> None:
    whole = write_request(read_json(request_of()).spans).SerializeToString()
    at = place % len(whole)
    try:
        read_request(whole[:at] + damage + whole[at + 1 :], PROTOBUF)
    except BadRequestError as error:
        assert "\n" not in str(error)
