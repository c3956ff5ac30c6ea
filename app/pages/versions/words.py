"""Short texts about a version that several panels of the page show."""

from __future__ import annotations

from rag.knowledge.rows import VersionRow


def state_of(version: VersionRow) -> str:
    """Return "active", "trial", or nothing for a version of the past."""
    return "active" if version.active else "trial" if version.trial else ""


def delta(added: int, removed: int) -> str:
    """Return what was added and removed as "+3  −1", or "=" when nothing was."""
    parts = [f"+{added:,}" if added else "", f"−{removed:,}" if removed else ""]
    return "  ".join(part for part in parts if part) or "="
