"""Builds the JSON document of an answered question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.asking.rows import AskResult, TraceDetail

if TYPE_CHECKING:
    from rag.grounding.rows import ClaimResult


def ask_document(detail: TraceDetail, result: AskResult) -> dict[str, Any]:
    """Return the JSON document of `ask --json`."""
    from rag.asking.packing import citations

    return {
        "trace_id": result.trace_id,
        "session_id": result.session_id,
        "status": result.status,
        "question": detail.question,
        "answer": detail.answer,
        "thinking": detail.thinking,
        "collection": detail.collection,
        "version": detail.version_number,
        "model": detail.model,
        "endpoint": detail.endpoint,
        "sent_to": detail.sent_to,
        "served_model": detail.served_model,
        "system_fingerprint": detail.system_fingerprint,
        "usage": detail.usage,
        "citations": citations(detail.answer, detail.hits),
        "claims": [_claim(claim) for claim in detail.claims],
        "tokens": {
            "prompt": detail.prompt_tokens,
            "cached": detail.cached_tokens,
            "completion": detail.completion_tokens,
            "thinking": detail.thinking_tokens,
        },
        "timings_ms": {
            "retrieve": detail.retrieve_ms,
            "first_token": detail.first_token_ms,
            "read": detail.read_ms,
            "generate": detail.generate_ms,
            "check": detail.check_ms,
            "total": detail.total_ms,
        },
        "tokens_per_s": detail.tokens_per_s,
        "retrieval": {
            "passages": detail.passage_count,
            "passage_documents": detail.passage_documents,
            "chunks": detail.searched_chunks,
            "documents": detail.searched_documents,
        },
        "silent_failures": list(detail.silent_failures),
        "notices": list(result.notices),
    }


def _claim(claim: ClaimResult) -> dict[str, Any]:
    evidence = {
        "marker": claim.evidence_marker,
        "start": claim.evidence_start,
        "end": claim.evidence_end,
        "text": claim.evidence_text,
    }
    return {
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "verdict": claim.verdict,
        "score": claim.score,
        "reason": claim.reason,
        "evidence": None if claim.evidence_marker is None else evidence,
    }
