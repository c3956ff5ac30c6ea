"""Values of backups, as the window and the command line show them."""

from rag.storage.rows import BackupInfo, SpaceUse


def info(**rows: int) -> BackupInfo:
    return BackupInfo(
        path="/b.zip",
        program="0.1.0",
        schema=7,
        created_ms=0,
        members=(("ragdeck.sqlite", 1000, "aa"), ("settings.toml", 24, "bb")),
        rows=tuple(rows.items()),
    )


def test_a_backup_says_how_large_it_is_unpacked() -> None:
    assert info().size_bytes == 1024


def test_a_backup_says_in_words_what_is_in_it() -> None:
    assert (
        info(collection=1, document=3, trace=1_200, span=9).content
        == "1 collection, 3 documents, 1,200 traces"
    )
    assert info().content == "0 collections, 0 documents, 0 traces"


def test_a_part_needs_no_detail() -> None:
    assert SpaceUse("Logs", 12).detail == ""
