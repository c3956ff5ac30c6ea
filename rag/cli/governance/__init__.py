"""Commands of governance: the audit log, retention, and searching for a person."""

from __future__ import annotations

import typer

from rag.cli.governance import audit, retention, subject

app = typer.Typer()
app.add_typer(audit.audit_app, name="audit")
app.add_typer(retention.retention_app, name="retention")
app.add_typer(subject.subject_app, name="subject")
