"""The process that downloads: which files it wants, how it checks them, and what its failures say."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.models.getting import worker
from rag.models.getting.worker import Refusal, Wanted

CONTENT = b"some weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GIT_HASH = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("config.json", True),
        ("model.safetensors", True),
        ("1_Pooling/config.json", True),
        ("vocab.txt", True),
        ("sentencepiece.bpe.model", True),
        ("LICENSE.md", True),
        ("pytorch_model.bin", False),
        ("modeling_own.py", False),
        ("onnx/model.json", False),
        ("openvino/config.json", False),
        ("training_args.json", False),
        ("tf_model.h5", False),
    ],
)
def test_a_folder_is_taken_without_code_pickles_and_copies_for_other_runtimes(
    path: str, wanted: bool
) -> None:
    assert worker._is_wanted(path) is wanted


@pytest.mark.parametrize(
    "file", [Wanted("m", 12, SHA256, ""), Wanted("m", 12, "", GIT_HASH), Wanted("m", 12, "", "")]
)
def test_a_file_with_the_stated_hash_is_kept(tmp_path: Path, file: Wanted) -> None:
    path = tmp_path / "m"
    path.write_bytes(CONTENT)
    worker._check(path, file)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("file", [Wanted("m", 12, "0" * 64, GIT_HASH), Wanted("m", 12, "", "0" * 40)])
def test_a_file_with_another_hash_is_deleted(tmp_path: Path, file: Wanted) -> None:
    path = tmp_path / "m"
    path.write_bytes(CONTENT)
    with pytest.raises(Refusal, match="m arrived damaged") as found:
        worker._check(path, file)
    assert found.value.kind == "hash" and not path.exists()


def test_room_is_asked_for_what_is_still_missing(tmp_path: Path) -> None:
    huge = Wanted("m", 10**16, SHA256, "")
    with pytest.raises(Refusal, match="GB are needed") as found:
        worker._check_room(tmp_path, [huge], huge.size)
    assert found.value.kind == "disk"
    worker._check_room(tmp_path, [Wanted("m", 12, SHA256, "")], 12)
    part = worker._part(tmp_path, huge)
    assert part.name == f"m.{SHA256[:8]}.part"
    with part.open("wb") as stream:
        stream.truncate(10**12)  # a file with a hole: it takes no room here
    worker._check_room(tmp_path, [Wanted("m", 10**12, SHA256, "")], 10**12)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_kind_of_full_disk_has_one_sentence(number: int) -> None:
    assert worker._disk_sentence(OSError(number, "x")).startswith("The disk is full.")
    assert "cannot be written (No such" in worker._disk_sentence(OSError(errno.ENOENT, "No such file"))


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (404, "missing", "no open repository “a/b”"),
        (401, "missing", "asks for an account"),
        (429, "server", "too many requests"),
        (503, "server", "(503)"),
    ],
)
def test_an_answer_of_the_server_is_told_as_what_it_means(status: int, kind: str, sentence: str) -> None:
    class Response:
        status_code = status

    class Error(Exception):
        response = Response()

    refusal = worker._of_status(Error(), "a/b")
    assert refusal.kind == kind and sentence in str(refusal)


def test_the_process_says_what_happens_line_by_line(tmp_path: Path) -> None:
    """Nothing listens on the port of the endpoint: the process says so, and ends with 1."""
    request = {"repository": "a/b", "file": "m.gguf", "folder": str(tmp_path), "sha256": ""}
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "rag.models.getting.worker"],
        input=json.dumps(request), capture_output=True, text=True, env=environment,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (lines[0]["event"], lines[0]["url"]) == ("asking", "http://127.0.0.1:9/a/b")
    assert (lines[-1]["event"], lines[-1]["kind"], done.returncode) == ("failed", "offline", 1)
    assert list(tmp_path.iterdir()) == []


def test_the_hub_is_a_library_of_that_process_alone() -> None:
    """The engine's libraries are told that there is no hub; none of ours may import it there."""
    code = "import rag.models.getting.download, rag.models.getting.worker, sys; print('huggingface_hub' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "False"
