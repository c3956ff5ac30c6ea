"""Does what is due at each start and once a day: removes what is too old, and writes the audit log's head."""

from __future__ import annotations

from collections.abc import Generator

from rag.errors import RagError
from rag.governance.audit.heads import is_head_due, write_head
from rag.governance.retention.running import is_due, run_retention
from rag.knowledge.rows import VersionProgress
from rag.workspace import Workspace


def keep_up(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Run retention and write a head if they are due; return sentences on what was removed or went wrong.

    A folder for heads that is not there, such as an unplugged disk, must not keep anybody from starting.
    """
    notices: list[str] = []
    if is_due(workspace):
        report = yield from run_retention(workspace)
        if report.count:
            notices.append(f"Removed what was kept long enough: {report.sentence()}.")
        notices += report.problems
    try:
        if is_head_due(workspace):
            write_head(workspace)
    except RagError as error:
        notices.append(str(error))
    return notices
