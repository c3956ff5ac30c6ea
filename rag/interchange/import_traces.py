"""Reads traces from files: OTLP's JSON, and what Phoenix and Langfuse export.

A file is one JSON document or a line for each. Formats are told apart by their fields: OTLP has
resourceSpans (a collector writes one request a line), Phoenix's spans have a context with their ids,
Langfuse's observations a traceId and a type.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.interchange.attributes import as_text, parsed
from rag.interchange.otlp import read_json
from rag.interchange.rows import RawEvent, RawSpan, Received

MOST_BYTES = 2_000_000_000
_WRAPPERS = ("data", "spans", "traces", "observations")


def read_file(path: Path) -> Received:
    """Return the spans of a file; entries that are none are counted, with the reason of the last.

    Raises RagError when the file cannot be read, is no JSON, or holds no span at all.
    """
    spans: list[RawSpan] = []
    refused, reason = 0, ""
    for entry in _entries(path):
        try:
            found = _read_entry(entry)
        except (RagError, ValueError, TypeError, AttributeError, OverflowError) as error:
            refused, reason = refused + 1, " ".join(str(error).split())[:200]
            continue
        spans += found.spans
        refused, reason = refused + found.refused, found.reason or reason
    if not spans:
        why = f" ({reason})" if reason else ""
        raise RagError(
            f"{path.name} holds no span{why}. Export it as OTLP JSON, or as JSON from Phoenix or Langfuse."
        )
    return Received(tuple(spans), refused, reason)


def _entries(path: Path) -> Iterator[Any]:
    """Yield the objects of a file: of its list, of its lines, or the file itself."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RagError(f"{path.name} is larger than {MOST_BYTES:,} bytes. Split it.")
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise RagError(f"{path.name} cannot be read ({why}).") from error
    try:
        yield from _unwrapped(json.loads(text))
        return
    except (ValueError, RecursionError):
        lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RagError(f"{path.name} is not JSON, nor is its line {number}.") from error
        yield from _unwrapped(value)


def _unwrapped(value: Any) -> Iterator[Any]:
    """Yield the entries of a list, or of an object that is only a wrapper of one."""
    if isinstance(value, list):
        for item in value:
            yield from _unwrapped(item)
    elif isinstance(value, dict) and not _is_entry(value) and (key := _wrapper(value)):
        yield from _unwrapped(value[key])
    else:
        yield value


def _wrapper(value: dict[str, Any]) -> str:
    return next((key for key in _WRAPPERS if isinstance(value.get(key), list)), "")


def _is_entry(value: dict[str, Any]) -> bool:
    return "resourceSpans" in value or "resource_spans" in value or "context" in value or "id" in value


def _read_entry(value: Any) -> Received:
    if not isinstance(value, dict):
        raise ValueError("an entry is not an object")
    if "resourceSpans" in value or "resource_spans" in value:
        return read_json(value)
    if "context" in value or "context.span_id" in value:
        return Received((_phoenix(value),))
    if "id" in value and ("traceId" in value or "trace_id" in value):
        return Received((_langfuse(value),))
    if "id" in value and isinstance(value.get("observations"), list):
        return Received(tuple(_langfuse_trace(value)))
    raise ValueError("an entry is neither OTLP nor a span of Phoenix or Langfuse")


# --- Phoenix ----------------------------------------------------------------------------------------------


def _phoenix(value: dict[str, Any]) -> RawSpan:
    """Return a span of Phoenix's REST API or of its data frame as JSON."""
    context = value.get("context") or {}
    attributes = _flattened(value.get("attributes") or {})
    attributes |= {
        key.removeprefix("attributes."): item
        for key, item in value.items()
        if key.startswith("attributes.") and item is not None
    }
    if value.get("span_kind"):
        attributes.setdefault("openinference.span.kind", value["span_kind"])
    events = tuple(
        RawEvent(as_text(e.get("name")), _nanoseconds(e.get("timestamp")), e.get("attributes") or {})
        for e in value.get("events") or []
    )
    failed = as_text(value.get("status_code")).upper() == "ERROR"
    return RawSpan(
        trace_id=_id(context.get("trace_id") or value.get("context.trace_id"), 32),
        span_id=_id(context.get("span_id") or value.get("context.span_id"), 16),
        parent_id=_id(value.get("parent_id"), 16, needed=False),
        name=as_text(value.get("name")),
        start_ns=_nanoseconds(value.get("start_time")),
        end_ns=_nanoseconds(value.get("end_time")),
        attributes=attributes,
        events=events,
        error=(as_text(value.get("status_message")) or "error") if failed else "",
        service=as_text(value.get("project_name") or attributes.get("service.name") or "Phoenix"),
    )


def _flattened(value: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Return nested attributes with dotted keys; lists of messages and documents stay lists."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, dict) and item and depth < 12 and key != "metadata":
            found |= _flattened(item, f"{name}.", depth + 1)
        else:
            found[name] = item
    return found


# --- Langfuse ---------------------------------------------------------------------------------------------


def _langfuse_trace(value: dict[str, Any]) -> Iterator[RawSpan]:
    """Yield the spans of a trace with its observations; the trace itself is their root."""
    own = {"langfuse.trace.input": value.get("input"), "langfuse.trace.output": value.get("output")}
    root = _id(f"root {value['id']}", 16)
    begins = [_nanoseconds(o.get("startTime")) for o in value["observations"]]
    ends = [_nanoseconds(o.get("endTime")) for o in value["observations"]]
    yield RawSpan(
        trace_id=_id(value["id"], 32),
        span_id=root,
        parent_id="",
        name=as_text(value.get("name")) or "trace",
        start_ns=_nanoseconds(value.get("timestamp")) or min(begins, default=0),
        end_ns=max(ends, default=0),
        attributes={
            **{key: as_text(item) for key, item in own.items() if item is not None},
            "langfuse.session.id": as_text(value.get("sessionId")),
            "langfuse.user.id": as_text(value.get("userId")),
            "langfuse.trace.tags": value.get("tags") or [],
            "langfuse.observation.type": "span",
        },
        service="Langfuse",
    )
    for observation in value["observations"]:
        yield _langfuse({"traceId": value["id"], **observation}, root)


def _langfuse(value: dict[str, Any], root: str = "") -> RawSpan:
    usage = parsed(value.get("usageDetails") or value.get("usage") or {})
    costs = parsed(value.get("costDetails") or {})
    attributes = {
        "langfuse.observation.type": as_text(value.get("type")).lower(),
        "langfuse.observation.input": as_text(value.get("input")),
        "langfuse.observation.output": as_text(value.get("output")),
        "langfuse.observation.model.name": as_text(value.get("model") or value.get("providedModelName")),
        "langfuse.observation.usage_details": usage,
        "langfuse.observation.cost_details": costs,
        "langfuse.observation.metadata": value.get("metadata"),
    }
    parent = value.get("parentObservationId") or value.get("parent_observation_id")
    failed = as_text(value.get("level")).upper() == "ERROR"
    return RawSpan(
        trace_id=_id(value.get("traceId") or value.get("trace_id"), 32),
        span_id=_id(value.get("id"), 16),
        parent_id=_id(parent, 16, needed=False) or root,
        name=as_text(value.get("name")),
        start_ns=_nanoseconds(value.get("startTime") or value.get("start_time")),
        end_ns=_nanoseconds(value.get("endTime") or value.get("end_time")),
        attributes={key: item for key, item in attributes.items() if item not in ("", None, {})},
        error=(as_text(value.get("statusMessage")) or "error") if failed else "",
        service=as_text(value.get("environment")) or "Langfuse",
    )


# --- ids and times ----------------------------------------------------------------------------------------


def _id(value: Any, digits: int, needed: bool = True) -> str:
    """Return an id as so many hex digits; one of another form is hashed, the same each time."""
    text = as_text(value).strip()
    if not text:
        if needed:
            raise ValueError("a span has no id")
        return ""
    if re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", text):
        return text.lower()
    plain = text.replace("-", "").lower()
    if re.fullmatch(rf"[0-9a-f]{{{digits}}}", plain):
        return plain
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _nanoseconds(value: Any) -> int:
    """Return a time as nanoseconds since 1970: ISO 8601, or a number of s, ms, µs or ns by its size."""
    if isinstance(value, str) and value:
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            return 0
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = int(when.replace(microsecond=0).timestamp())
        return max(seconds, 0) * 10**9 + when.microsecond * 1000
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e20:
        for scale in (10**9, 10**6, 10**3, 1):
            if value * scale < 1e19:
                return int(value * scale)
    return 0
