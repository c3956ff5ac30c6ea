"""What an evaluation set of some size can detect, in a sentence."""

from __future__ import annotations

from rag.evaluation.rows import Detectable
from rag.text.plurals import counted


def detectable_sentence(found: Detectable) -> str:
    """Return what a set of this size can detect, and how many cases would be enough."""
    cases = counted(found.cases, "case")
    enough = "  ".join(
        f"{count:,} cases would detect {100 * difference:.0f} points."
        for difference, count in found.needed
        if count
    )
    if found.difference is None:
        too_few = "is" if found.cases == 1 else "are"
        return f"{cases} {too_few} too few to detect any difference reliably.  {enough}"
    dependent = (
        f" They come from {found.clusters:,} documents, and cases of one document count for less."
        if found.clusters < found.cases and not found.few_documents
        else ""
    )
    points = f"{100 * found.difference:.0f}"
    return f"{cases} detect a difference of {points} points in four of five comparisons.{dependent}  {enough}"
