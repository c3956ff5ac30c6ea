"""A document that is to be erased, beside others that stay; run as a script, it dies in the middle of erasing it."""

import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

SECRET = (
    "Patient Marlene Vogelsang was treated for a broken wrist in Bremen. Her policy number is QX-99812-B. "
    "The insurance refused to pay for the second operation in May 2029.\n"
)
SHARED = "This report is confidential and must not be copied without permission."


def write_files(folder: Path) -> Path:
    """Write a secret document, a copy of it, and a harmless one that shares a sentence with them."""
    folder.mkdir()
    (folder / "secret.txt").write_text(SECRET + "\n" + SHARED, "utf-8")
    (folder / "copy of secret.txt").write_text(SECRET + "\n" + SHARED, "utf-8")
    (folder / "harmless.txt").write_text("The canteen opens at noon on weekdays. " + SHARED, "utf-8")
    return folder


def main(data: Path, files: Path, stage: str) -> None:
    """Add the files, erase the secret, and kill this process at the first event of a stage."""
    from fakes import FakeEmbedder, drive

    from rag.governance.erasure import erase_document
    from rag.knowledge.ingest import ingest_files
    from rag.workspace import Workspace

    data.mkdir()
    with Workspace(data, "a test", embedder=FakeEmbedder()) as workspace:
        drive(ingest_files(workspace, "A", [write_files(files)]))
        for event in erase_document(workspace, "A", str(files / "secret.txt")):
            if event.stage == stage:
                os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
