"""Reads OTLP/HTTP: ExportTraceServiceRequest as protobuf or JSON, gzipped or not, within bounds.

Specification: OTLP 1.8. JSON differs from protobuf's own JSON mapping: ids are hex
digits, and unknown fields are ignored.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from rag.errors import RagError
from rag.interchange.rows import RawEvent, RawSpan, Received

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MOST_BYTES = 64_000_000  # of a request when it is unpacked
MOST_SPANS = 20_000  # of a request
MOST_ATTRIBUTES = 4_000  # of a span: OpenInference flattens every document and message into several
_MOST_DEPTH = 60
_ID_KEYS = {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}
_ERROR = 2  # Status.StatusCode


class BadRequestError(RagError):
    """A request that is not OTLP; `status` is the HTTP status to answer with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def read_request(body: bytes, content_type: str, encoding: str = "") -> Received:
    """Return the spans of a request.

    Spans without usable ids are refused and counted; the others are kept.

    Args:
        body: The bytes as they came.
        content_type: Of the request; parameters such as charset are ignored.
        encoding: The Content-Encoding: "", "identity", "gzip" or "deflate".

    Raises:
        BadRequestError: The request as a whole cannot be read.
    """
    kind = media_type(content_type)
    if kind not in (PROTOBUF, JSON):
        raise BadRequestError(f"The content type {kind or '(none)'} is neither {PROTOBUF} nor {JSON}.", 415)
    data = unpack(body, encoding)
    return spans_of(_parse_json(data) if kind == JSON else _parse_protobuf(data))


def media_type(content_type: str) -> str:
    """Return a Content-Type without its parameters, in small letters."""
    return content_type.partition(";")[0].strip().lower()


def read_json(value: Any) -> Received:
    """Return the spans of an ExportTraceServiceRequest that is JSON already. Raises BadRequestError."""
    return spans_of(_request_of(value))


def response(received: Received, content_type: str) -> tuple[bytes, str]:
    """Return the body and content type of the answer, in the form of the request; refused spans are said."""
    answer = ExportTraceServiceResponse()
    if received.refused:
        answer.partial_success.rejected_spans = received.refused
        answer.partial_success.error_message = received.reason
    if media_type(content_type) == JSON:
        return json_format.MessageToJson(answer, indent=None).encode(), JSON
    return answer.SerializeToString(), PROTOBUF


def unpack(body: bytes, encoding: str = "", most: int = MOST_BYTES) -> bytes:
    """Return the body without its compression. Raises BadRequestError past `most` bytes."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        data = body
    elif encoding in ("gzip", "deflate"):
        reader = zlib.decompressobj(47)  # 47: gzip or zlib, whichever it is
        try:
            data = reader.decompress(body, most + 1)
        except zlib.error as error:
            raise BadRequestError(f"The body is not {encoding} ({error}).") from error
        if not reader.eof and len(data) <= most:
            raise BadRequestError(f"The {encoding} body is cut off.")
    else:
        raise BadRequestError(f"The content encoding {encoding} is not supported; use gzip.", 415)
    if len(data) > most:
        raise BadRequestError(f"The body is larger than {most:,} bytes.", 413)
    return data


def spans_of(request: ExportTraceServiceRequest) -> Received:
    """Return the spans of a request; those without a trace or span id are refused."""
    spans: list[RawSpan] = []
    refused = 0
    reason = ""
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        service = str(resource.get("service.name", ""))
        for scoped in group.scope_spans:
            for span in scoped.spans:
                why = _why_not(span, len(spans))
                if why:
                    refused, reason = refused + 1, why
                else:
                    spans.append(_raw(span, service, resource, scoped.scope.name))
    return Received(tuple(spans), refused, reason)


def _why_not(span: Span, count: int) -> str:
    if count >= MOST_SPANS:
        return f"a request may have {MOST_SPANS:,} spans"
    if len(span.trace_id) != 16 or not any(span.trace_id):
        return "a span has no trace id of 16 bytes"
    if len(span.span_id) != 8 or not any(span.span_id):
        return "a span has no span id of 8 bytes"
    if len(span.attributes) > MOST_ATTRIBUTES:
        return f"a span has more than {MOST_ATTRIBUTES:,} attributes"
    return ""


def _raw(span: Span, service: str, resource: dict[str, Any], scope: str) -> RawSpan:
    return RawSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() if any(span.parent_span_id) else "",
        name=span.name,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=tuple(RawEvent(e.name, e.time_unix_nano, _attributes(e.attributes)) for e in span.events),
        error=(span.status.message or "error") if span.status.code == _ERROR else "",
        service=service,
        resource=resource,
        scope=scope,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    """Return an attribute's value as JSON has it; bytes as base64, and what is no number as text."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value" and not math.isfinite(value.double_value):
        return str(value.double_value)
    return getattr(value, kind)


def _parse_protobuf(data: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(data)
    except DecodeError as error:
        raise BadRequestError(f"The body is not an ExportTraceServiceRequest ({error}).") from error
    return request


def _parse_json(data: bytes) -> ExportTraceServiceRequest:
    try:
        return _request_of(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"The body is not JSON ({error}).") from error


def _request_of(value: Any) -> ExportTraceServiceRequest:
    if not isinstance(value, dict):
        raise BadRequestError("The JSON is not an object with resourceSpans.")
    try:
        request = ExportTraceServiceRequest()
        json_format.ParseDict(_with_base64_ids(value, 0), request, ignore_unknown_fields=True)
        return request
    except (json_format.ParseError, TypeError, ValueError, RecursionError, AttributeError) as error:
        why = " ".join(str(error).split())[:200]
        raise BadRequestError(f"The JSON is not an ExportTraceServiceRequest ({why}).") from error


def _with_base64_ids(value: Any, depth: int) -> Any:
    """Return the JSON with its hex ids as base64, which protobuf's own JSON has for bytes."""
    if depth > _MOST_DEPTH:
        raise ValueError(f"it is nested deeper than {_MOST_DEPTH}")
    if isinstance(value, list):
        return [_with_base64_ids(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            key: _base64(item)
            if key in _ID_KEYS and isinstance(item, str)
            else _with_base64_ids(item, depth + 1)
            for key, item in value.items()
        }
    return value


def _base64(text: str) -> str:
    """Return a hex id as base64; one that is no hex stays, and is refused by its length."""
    try:
        return base64.b64encode(binascii.unhexlify(text)).decode()
    except (binascii.Error, ValueError):
        return ""


# --- writing ----------------------------------------------------------------------------------------------


def write_request(spans: Iterable[RawSpan]) -> ExportTraceServiceRequest:
    """Return a request with these spans, grouped by application; reading it gives them back."""
    request = ExportTraceServiceRequest()
    groups: dict[str, Any] = {}
    for span in spans:
        key = json.dumps([span.service, span.resource, span.scope], sort_keys=True)
        if key not in groups:
            group = request.resource_spans.add()
            resource = {"service.name": span.service} | dict(span.resource) if span.service else span.resource
            _put_all(group.resource.attributes, resource)
            groups[key] = group.scope_spans.add()
            groups[key].scope.name = span.scope
        made = groups[key].spans.add()
        made.trace_id, made.span_id = bytes.fromhex(span.trace_id), bytes.fromhex(span.span_id)
        made.parent_span_id, made.name = bytes.fromhex(span.parent_id), span.name
        made.start_time_unix_nano, made.end_time_unix_nano = span.start_ns, span.end_ns
        _put_all(made.attributes, span.attributes)
        if span.error:
            made.status.code, made.status.message = _ERROR, span.error
        for event in span.events:
            noted = made.events.add()
            noted.name, noted.time_unix_nano = event.name, event.time_ns
            _put_all(noted.attributes, event.attributes)
    return request


def to_json(request: Message) -> str:
    """Return a request as OTLP's JSON, in one line."""
    return json.dumps(
        _with_hex_ids(json_format.MessageToDict(request, use_integers_for_enums=True)), ensure_ascii=False
    )


def _put_all(target: Any, values: Any) -> None:
    for key, value in values.items():
        target.append(KeyValue(key=key, value=_any(value)))


def _any(value: Any) -> AnyValue:
    """Return a JSON value as an attribute; a whole number past 64 bits becomes text."""
    made = AnyValue()
    if isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, int):
        if -(2**63) <= value < 2**63:
            made.int_value = value
        else:
            made.string_value = str(value)
    elif isinstance(value, float):
        made.double_value = value
    elif isinstance(value, str):
        made.string_value = value.encode("utf-8", "replace").decode()
    elif isinstance(value, dict):
        made.kvlist_value.SetInParent()
        _put_all(made.kvlist_value.values, value)
    elif isinstance(value, (list, tuple)):
        made.array_value.SetInParent()
        made.array_value.values.extend(_any(item) for item in value)
    return made


def _with_hex_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_hex_ids(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(item).hex()
            if key in _ID_KEYS and isinstance(item, str)
            else _with_hex_ids(item)
            for key, item in value.items()
        }
    return value
