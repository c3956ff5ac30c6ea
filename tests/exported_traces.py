"""Traces of our own with everything that an export tells, for tests."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rag.asking.rows import TraceDetail, get_trace
from rag.grounding.rows import ClaimResult, Verdict
from rag.storage.store import add_trace_text, insert_rows
from rag.storage.tables.traces import Claim, Span, Trace, TraceHit
from rag.workspace import Workspace

STAGES = (
    ("query", "CHAIN", 0.0, 1.0),
    ("dense", "RETRIEVER", 1.0, 3.0),
    ("rerank", "RERANKER", 3.0, 6.5),
    ("pack", "PROMPT", 6.5, 7.0),
    ("read prompt", "LLM", 7.0, 20.0),
    ("generate", "LLM", 20.0, 90.0),
    ("check", "EVALUATOR", 90.0, 95.0),
)
PASSAGES = ("The tide at Bremen rises 3.5 metres.", "Boats leave at noon.")


def add_trace(workspace: Workspace, trace_id: str = "ab" * 16, **values: Any) -> TraceDetail:
    """Store a question with its stages, two passages and one that was left out, and a check; return it."""
    stages = values.pop("stages", STAGES)
    row = {
        "id": trace_id, "session_id": "cd" * 16, "created_ms": 1_790_000_000_000, "status": "done",
        "question": "How high does the tide rise?", "answer": "It rises 3.5 metres [1]. It is salty.",
        "collection": "Harbour", "version_number": 2, "model": "qwen", "prompt_name": "default",
        "prompt": "Passages: … How high?", "prompt_tokens": 120, "cached_tokens": 20, "completion_tokens": 9,
        "thinking_tokens": 4, "thinking": "Let me see.", "finish_reason": "stop", "total_ms": 96.0,
        "first_token_ms": 21.0, "passage_count": 2, "outcome": "answered", "support_rate": 0.5,
        "settings": json.dumps({"generation": {"temperature": 0.2}}), "claim_count": 2, "flag_count": 1, **values,
    }  # fmt: skip
    claims = [
        ClaimResult("It rises 3.5 metres [1].", 0, 24, Verdict.SUPPORTED, 0.1, "", 1),
        ClaimResult("It is salty.", 25, 37, Verdict.UNSUPPORTED, 0.9, "no passage says it"),
    ]
    with workspace.store.session() as session:
        session.add(Trace(**row))
        session.flush()
        insert_rows(session, Span, [
            {"trace_id": trace_id, "name": name, "kind": kind, "start_ms": start, "end_ms": end, "detail": f"{name}!"}
            for name, kind, start, end in stages
        ])  # fmt: skip
        insert_rows(
            session, TraceHit, [_hit(trace_id, n, text) for n, text in enumerate((*PASSAGES, "Left out."), 1)]
        )
        if row["status"] != "running":
            add_trace_text(session, trace_id, f"{row['question']}\n{row['answer']}")
        insert_rows(session, Claim, [{**asdict(claim), "trace_id": trace_id} for claim in claims])
    return get_trace(workspace.database, trace_id)


def _hit(trace_id: str, rank: int, text: str) -> dict[str, Any]:
    marker = rank if rank < 3 else None
    return {
        "trace_id": trace_id, "chunk_id": rank, "document_id": 1, "document": f"tides{rank}.txt", "path": "/d/tides",
        "place": "page 1", "place_kind": "page", "start": 0, "end": len(text), "text": text, "token_count": 5,
        "fused_rank": rank, "fused_score": 1.0 / rank, "rank": rank, "marker": marker,
        "dropped": None if marker else "no room",
    }  # fmt: skip
