"""Sends spans to an OTLP/HTTP endpoint, and scores to Phoenix's API for annotations.

Nothing else of the program sends a trace anywhere. A redirect is not followed: it would send texts where
nobody allowed it. An endpoint on this computer is reached without a proxy.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from rag.errors import RagError
from rag.interchange.otlp import JSON, PROTOBUF, write_request
from rag.interchange.rows import RawSpan
from rag.models.endpoints.rows import is_on_this_computer

TIMEOUT_S = 10.0
_AGAIN = (408, 429, 502, 503, 504)  # as OTLP/HTTP has it, with 408: try later
_MOST_ANSWER_BYTES = 100_000


@dataclass(frozen=True)
class Sent:
    """How an endpoint answered: taken, to be tried again, or refused for good; with the reason."""

    is_taken: bool
    may_retry: bool = False
    reason: str = ""
    retry_after_s: float | None = None


def send_spans(
    url: str, spans: Sequence[RawSpan], headers: Mapping[str, str], timeout_s: float = TIMEOUT_S
) -> Sent:
    """Post spans as protobuf, gzipped. Raises nothing that the network raises: the reason is returned."""
    body = gzip.compress(write_request(spans).SerializeToString(), 6)
    named = {"Content-Type": PROTOBUF, "Content-Encoding": "gzip", **headers}
    result, answer, kind = _post(url, body, named, timeout_s)
    if not result.is_taken or kind != PROTOBUF:
        return result
    try:
        told = ExportTraceServiceResponse.FromString(answer).partial_success
    except DecodeError:
        return result
    if told.rejected_spans:
        return Sent(
            False, reason=f"the endpoint refused {told.rejected_spans} spans: {told.error_message}"[:300]
        )
    return result


def send_annotations(
    url: str, rows: Sequence[Mapping[str, Any]], headers: Mapping[str, str], timeout_s: float = TIMEOUT_S
) -> Sent:
    """Post annotations of spans to the Phoenix whose OTLP address is `url`."""
    if not rows:
        return Sent(True)
    parts = urlsplit(url)
    base = parts.path.removesuffix("/v1/traces").rstrip("/")
    address = urlunsplit((parts.scheme, parts.netloc, f"{base}/v1/span_annotations", "", ""))
    body = json.dumps({"data": list(rows)}, ensure_ascii=False).encode("utf-8", "replace")
    return _post(address, body, {"Content-Type": JSON, **headers}, timeout_s)[0]


def read_headers(variable: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers in an environment variable, written name=value with commas between.

    Raises RagError when the variable is named and not set, or is not written so.
    """
    if not variable:
        return {}
    text = (os.environ if environment is None else environment).get(variable, "").strip()
    if not text:
        raise RagError(f"The environment variable {variable} is not set. Set it and start Ragdeck again.")
    headers = {}
    for pair in text.split(","):
        name, separator, value = pair.partition("=")
        if not separator or not name.strip() or any(end in unquote(value) for end in "\r\n"):
            raise RagError(f"{variable} has no headers: write name=value, with commas between them.")
        headers[name.strip()] = unquote(value.strip())
    return headers


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> tuple[Sent, bytes, str]:
    proxies = urllib.request.ProxyHandler({} if is_on_this_computer(url) else None)
    opener = urllib.request.build_opener(proxies, _NoRedirect())
    try:
        request = urllib.request.Request(url, body, dict(headers), method="POST")
        request.add_header("User-Agent", "Ragdeck")
        with opener.open(request, timeout=timeout_s) as answer:
            kind = answer.headers.get_content_type()
            return Sent(True), answer.read(_MOST_ANSWER_BYTES), kind
    except urllib.error.HTTPError as error:
        with error:
            return _refusal(error), b"", ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        return Sent(False, True, f"the endpoint cannot be reached ({why})"[:300]), b"", ""


def _refusal(error: urllib.error.HTTPError) -> Sent:
    reason = f"the endpoint answered {error.code} {error.reason}"
    if error.code not in _AGAIN:
        return Sent(False, reason=reason)
    told = error.headers.get("Retry-After", "")
    return Sent(False, True, reason, float(told) if told.isascii() and told.isdigit() else None)
