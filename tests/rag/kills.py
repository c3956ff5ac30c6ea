"""Run by test_kills.py: forks children that change a data folder, kills them, and looks at what is left.

Everything is imported once, here; a child opens the workspace itself, so no thread of a native library lives
across a fork. Prints one JSON line for each round.
"""

# ruff: noqa: E402

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import chromadb  # noqa: F401 - imported before forking, which saves each child two seconds
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.governance.erasure import erase_document
from rag.governance.sentence_search import search_files, sentences_of
from rag.knowledge.edits import remove_documents
from rag.knowledge.index_sync import index_hashes
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    list_documents,
    list_version_documents,
    list_versions,
    look_up_version,
    read_document_text,
)
from rag.knowledge.versions import activate_version
from rag.start_up import start_up
from rag.workspace import Workspace

OPERATIONS = ("ingest", "rollback", "erase", "remove")
LONGEST_S = {"ingest": 1.0, "rollback": 0.4, "erase": 0.5, "remove": 0.4}


def open_workspace(folder: Path) -> Workspace:
    return Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load)


def write_files(files: Path, round_number: int) -> None:
    generator = random.Random(round_number)
    for _ in range(6):
        number = generator.randint(0, 30)
        lines = [
            f"Fact {number} of round {round_number}, line {n}, weighs {n * number} grams." for n in range(40)
        ]
        (files / f"file-{number}.txt").write_text("\n".join(lines), "utf-8")


def work(folder: Path, files: Path, operation: str, seed: int) -> None:
    """What a child does until it is killed; what was acknowledged is written to a file and synced."""
    with open_workspace(folder) as workspace:
        acknowledged(folder, "opened")
        generator = random.Random(seed)
        active = look_up_version(workspace.database, "A", "active")
        documents = list_documents(workspace.database, active.id)
        if operation == "ingest":
            report = drive(ingest_files(workspace, "A", [files]))
            acknowledged(folder, f"version {report.version_number}")
        elif operation == "rollback":
            numbers = [v.number for v in list_versions(workspace.database, 1)]
            report = drive(activate_version(workspace, "A", generator.choice(numbers)))
            acknowledged(folder, f"active {report.number}")
        elif operation == "erase" and len(documents) > 5:
            victim = generator.choice(documents)
            text = read_document_text(workspace.database, victim.id)
            (folder.parent / "victim.json").write_text(json.dumps([victim.source, text]))
            drive(erase_document(workspace, "A", victim.source))
            acknowledged(folder, f"erased {victim.source}")
        elif operation == "remove" and len(documents) > 5:
            made = drive(remove_documents(workspace, "A", [generator.choice(documents).id]))
            acknowledged(folder, f"version {made.number}")


def acknowledged(folder: Path, what: str) -> None:
    with (folder.parent / "acknowledged").open("a") as file:
        file.write(what + "\n")
        file.flush()
        os.fsync(file.fileno())


def look(folder: Path, before: dict[str, str], operation: str) -> dict[str, object]:
    """Open what a kill left, and say everything that is wrong with it."""
    wrong: list[str] = []
    said = (folder.parent / "acknowledged").read_text().splitlines()
    with open_workspace(folder) as workspace:
        notices = drive(start_up(workspace))
        database = workspace.database
        versions = {v.number: v for v in list_versions(database, 1)}
        active = look_up_version(database, "A", "active")
        content = workspace.content(active.id, active.embedder)
        if sorted(index_hashes(workspace, "A")) != sorted(set(content.hashes)):
            wrong.append("the index does not equal the active version")
        for version in versions.values():
            held = workspace.content(version.id, version.embedder)
            if (
                len(held.ids) != version.chunk_count
                or len(list_version_documents(database, version.id)) != version.document_count
            ):
                wrong.append(f"version {version.number} is half")
            with workspace.store.session() as session:
                held.vectors(session)  # raises when a vector is missing
        for number, fingerprint in before.items():
            if int(number) not in versions:
                wrong.append(f"version {number} was lost")
            elif operation != "erase" and versions[int(number)].fingerprint != fingerprint:
                wrong.append(f"version {number} changed")
        for line in said:
            word, _, value = line.partition(" ")
            if word == "version" and int(value) not in versions:
                wrong.append(f"acknowledged version {value} was lost")
            if word == "active" and active.number != int(value):
                wrong.append(f"acknowledged activation of {value} was lost")
        victim = folder.parent / "victim.json"
        if victim.exists():
            source, text = json.loads(victim.read_text())
            names = {d.source for v in versions.values() for d in list_documents(database, v.id)}
            # Either it is there as before, or nothing of it is left in any file.
            if source not in names and drive(search_files(folder, sorted(sentences_of(text))))[0]:
                wrong.append("a sentence of an erased document is left")
            if source in names and f"erased {source}" in said:
                wrong.append("an acknowledged erasure was lost")
            victim.unlink()
        state = {str(v.number): v.fingerprint for v in versions.values()}
    return {"wrong": wrong, "notices": notices, "said": said, "state": state}


def in_child(function: object, *arguments: object) -> int:
    child = os.fork()
    if child == 0:
        code = 0
        try:
            function(*arguments)  # type: ignore[operator]
        except BaseException:
            traceback.print_exc()
            code = 1
        os._exit(code)
    return child


def main(root: Path, rounds: int) -> None:
    folder, files = root / "data", root / "files"
    folder.mkdir()
    files.mkdir()
    write_files(files, 0)
    write_files(files, 100)

    def begin() -> None:
        with open_workspace(folder) as workspace:
            drive(ingest_files(workspace, "A", [files]))

    _, status = os.waitpid(in_child(begin), 0)
    assert status == 0
    state: dict[str, str] = {}
    for number in range(1, rounds + 1):
        operation = OPERATIONS[number % len(OPERATIONS)]
        write_files(files, number)
        (root / "acknowledged").write_text("")
        child = in_child(work, folder, files, operation, number)
        opened = time.monotonic() + 20
        while "opened" not in (root / "acknowledged").read_text() and time.monotonic() < opened:
            time.sleep(0.005)
        time.sleep(random.Random(number).uniform(0.0, LONGEST_S[operation]))
        done, _ = os.waitpid(child, os.WNOHANG)
        if not done:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

        def report(before: dict[str, str] = state, what: str = operation) -> None:
            (root / "report.json").write_text(json.dumps(look(folder, before, what)))

        (root / "report.json").unlink(missing_ok=True)
        _, status = os.waitpid(in_child(report), 0)
        if status:
            print(
                json.dumps({"round": number, "operation": operation, "wrong": ["it could not be opened"]}),
                flush=True,
            )
            return
        found = json.loads((root / "report.json").read_text())
        state = found.pop("state")
        print(json.dumps({"round": number, "operation": operation, "killed": not done, **found}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
