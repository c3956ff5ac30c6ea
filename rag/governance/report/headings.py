"""Which headings of three public frameworks a section of a report may serve.

Only numbers of clauses and their subjects, in our words: Annex IV of Regulation (EU) 2024/1689, the controls
of Annex A of ISO/IEC 42001:2023, and the subcategories of the NIST AI Risk Management Framework 1.0.
"""

from __future__ import annotations

AI_ACT, ISO, NIST = "EU AI Act, Annex IV", "ISO/IEC 42001", "NIST AI RMF"

NOT_LEGAL = (
    "The headings of frameworks say where a section may help. They are not a legal determination: whether a "
    "law applies, and whether what is here is enough, is for people to decide."
)

_Headings = tuple[tuple[str, str], ...]


def _headings(act: str, iso: str, nist: str) -> _Headings:
    return (AI_ACT, act), (ISO, iso), (NIST, nist)


HEADINGS: dict[str, _Headings] = {
    "system": _headings(
        "1 (general description)",
        "A.6.2.3 (design and development), A.6.2.7 (technical documentation)",
        "MAP 2.1 (task and methods), GOVERN 1.6 (inventory)",
    ),
    "models": _headings(
        "2(a) (pre-trained systems and tools of third parties)",
        "A.4.4 (tooling), A.10.3 (suppliers)",
        "MAP 4.1 (third parties), MANAGE 3.2 (pre-trained models)",
    ),
    "documents": _headings(
        "2(d) (data and its provenance)",
        "A.7.3 (acquisition), A.7.4 (quality), A.7.5 (provenance)",
        "MAP 2.3 (scientific integrity)",
    ),
    "prompts": _headings(
        "2(b) (design specifications)", "A.6.2.3 (design and development)", "MAP 2.1 (task and methods)"
    ),
    "settings": _headings(
        "2(b), 2(c) (design and architecture)",
        "A.6.2.3 (design and development)",
        "MAP 2.1 (task and methods)",
    ),
    "guardrails": _headings(
        "2(h) (cybersecurity), 3 (control)",
        "A.6.2.6 (operation and monitoring)",
        "MEASURE 2.7 (security), MEASURE 2.10 (privacy)",
    ),
    "evaluation": _headings(
        "2(g) (validation and testing), 3 and 4 (accuracy, metrics)",
        "A.6.2.4 (verification and validation)",
        "MEASURE 2.1 (test sets and metrics), MEASURE 2.3 (performance), MEASURE 2.5 (limits)",
    ),
    "gates": _headings(
        "2(g) (testing), 5 (risk management)",
        "A.6.2.4 (verification and validation), A.6.2.5 (deployment)",
        "MANAGE 1.1 (whether to go on)",
    ),
    "rollouts": _headings(
        "2(f), 6 (changes)", "A.6.2.5 (deployment)", "MANAGE 4.1 (monitoring after deployment)"
    ),
    "incidents": _headings(
        "3 (monitoring, functioning and control), 9 (after placing on the market)",
        "A.6.2.6 (operation and monitoring), A.8.4 (communication of incidents)",
        "MEASURE 2.4 (in production), MANAGE 4.3 (incidents)",
    ),
    "oversight": _headings(
        "2(e), 3 (human oversight)",
        "A.9.2 (responsible use)",
        "MAP 3.5 (human oversight), MEASURE 3.3 (feedback)",
    ),
    "costs": _headings(
        "2(c) (computational resources)",
        "A.4.5 (system and computing resources)",
        "MAP 3.2 (costs), MEASURE 2.12 (environment)",
    ),
    "changes": _headings(
        "6 (changes through the lifecycle)",
        "A.6.2.8 (event logs)",
        "GOVERN 1.5 (monitoring and review), MANAGE 4.1 (change management)",
    ),
    "retention": _headings(
        "2(d) (data)", "A.7.2 (data management)", "MEASURE 2.10 (privacy), GOVERN 1.7 (decommissioning)"
    ),
}
