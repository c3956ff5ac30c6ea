"""Settings of governance: how long data are kept, and the head of the audit log."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rag.settings.section import Section

_Days = Annotated[int, Field(ge=0, le=36_500)]


class GovernanceSettings(Section):
    """How long data are kept, and where the head of the audit log is written to."""

    traces_days: Annotated[
        _Days, Field(description="Days after which questions are deleted with their answers; 0 keeps them.")
    ] = 0
    trace_texts_days: Annotated[
        _Days,
        Field(
            description="Days after which questions and answers lose their texts, and only figures and "
            "verdicts stay; 0 keeps them."
        ),
    ] = 0
    cached_answers_days: Annotated[
        _Days, Field(description="Days after which cached answers are forgotten; 0 leaves it to the cache.")
    ] = 0
    received_traces_days: Annotated[
        _Days,
        Field(description="Days after which traces of other applications are deleted; 0 keeps them."),
    ] = 0
    backups_days: Annotated[
        _Days,
        Field(
            description="Days after which copies of before an upgrade or a restore, and backups in the "
            "backup folder, are deleted; 0 keeps them."
        ),
    ] = 0
    backup_folder: Annotated[
        str,
        Field(description="Folder with backups that backups_days holds for; empty: only copies in the data."),
    ] = ""
    head_folder: Annotated[
        str,
        Field(
            description="Folder, best on another computer, to which the head of the audit log is written at "
            "each start and once a day; empty turns it off."
        ),
    ] = ""
    sign_key: Annotated[
        str,
        Field(description="Private SSH key, or gpg:ID of an OpenPGP key, that signs heads; empty: none."),
    ] = ""
