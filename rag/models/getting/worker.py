"""The process that downloads: it reads one request on stdin and writes what happens as lines of JSON.

It is a process of its own for two reasons. The engine's libraries are told once, when they are imported, that
there is no hub, and that must stay so. And a download that is cancelled ends with its process, at once.

It runs as `python -m rag.models.getting.worker`, with the environment that rag.models.getting.download gives.
"""

from __future__ import annotations

import errno
import fnmatch
import hashlib
import json
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What a folder of sentence-transformers or transformers needs; copies for other runtimes are left out.
_WANTED = ("*.json", "*.txt", "*.safetensors", "*.model", "LICENSE*", "README.md")
_UNWANTED = ("onnx/*", "openvino/*", "*/onnx/*", "coreml/*", "training_args*", "eval/*")
_EVERY_S = 0.2
_CHUNK_BYTES = 1 << 16  # 10 MB by default, which a cancelled download would lose and a slow one not show
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Refusal(Exception):
    """A failure with its sentence and its kind: offline, missing, disk, hash or server."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True)
class Wanted:
    """A file of a repository, with the hash that the server states: sha256, or git's of a small file."""

    path: str
    size: int
    sha256: str
    git_hash: str


def main() -> int:
    """Do what stdin asks for, and say on stdout what happens."""
    request = json.loads(sys.stdin.read())
    _speaker.start()
    try:
        _download(request)
    except Refusal as refusal:
        _say(event="failed", kind=refusal.kind, sentence=str(refusal))
        return 1
    except OSError as error:
        _say(event="failed", kind="disk", sentence=_disk_sentence(error))
        return 1
    return 0


def _download(request: dict[str, Any]) -> None:
    from huggingface_hub import constants

    repository, folder = request["repository"], Path(request["folder"])
    constants.DOWNLOAD_CHUNK_SIZE = _CHUNK_BYTES
    _say(event="asking", url=f"{constants.ENDPOINT}/{repository}")
    commit, licence, files = _plan(repository, request["file"], request["sha256"])
    total = sum(file.size for file in files)
    target = folder if request["file"] else folder / repository.rpartition("/")[2]
    target.mkdir(parents=True, exist_ok=True)
    _check_room(target, files, total)
    done = 0
    for file in files:
        _fetch(repository, commit, file, target, done, total)
        done += file.size
    for file in files:
        _say(event="checking", file=file.path, done=total, total=total)
        _check(target / file.path, file)
    path = target / request["file"] if request["file"] else target
    _say(event="done", path=str(path), size=total, licence=licence)


def _plan(repository: str, name: str, sha256: str) -> tuple[str, str, list[Wanted]]:
    """Return the commit, the licence and the files that are needed. Raises Refusal."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        info = HfApi(token=False).model_info(repository, files_metadata=True, timeout=30)
    except HFValidationError as error:
        raise Refusal("missing", f"“{repository}” is not a repository. Write MAKER/NAME.") from error
    except HfHubHTTPError as error:
        raise _of_status(error, repository) from error
    except Exception as error:
        raise _offline(error) from error
    known = [
        Wanted(s.rfilename, s.size or 0, s.lfs["sha256"] if s.lfs else "", s.blob_id or "")
        for s in info.siblings or ()
    ]
    files = (
        [file for file in known if file.path == name] if name else [f for f in known if _is_wanted(f.path)]
    )
    if not files:
        kinds = (".gguf", ".safetensors")
        models = ", ".join(file.path for file in known if file.path.endswith(kinds)) or "none"
        raise Refusal("missing", f"{repository} has no file “{name}”. Its models: {models[:600]}.")
    if not name and not any(file.path.endswith(".safetensors") for file in files):
        sentence = f"{repository} has no weights in the safetensors format, the only one that is loaded."
        raise Refusal("missing", sentence)
    if sha256 and files[0].sha256 and files[0].sha256 != sha256:
        raise Refusal(
            "hash",
            f"The server states another hash for {name} than the catalogue, so it is another file: "
            f"{files[0].sha256[:12]}… instead of {sha256[:12]}…. Nothing was downloaded. If its maker has "
            "replaced it, get it by repository and file.",
        )
    licence = str(getattr(info.card_data, "license", "") or "")
    return info.sha or "main", licence, files


def _is_wanted(path: str) -> bool:
    matches = any(fnmatch.fnmatch(path, pattern) for pattern in _WANTED)
    return matches and not any(fnmatch.fnmatch(path, pattern) for pattern in _UNWANTED)


def _check_room(target: Path, files: list[Wanted], total: int) -> None:
    """Raise Refusal when the disk has no room for what is still missing."""
    places = [path for file in files for path in (target / file.path, _part(target, file))]
    there = sum(path.stat().st_size for path in places if path.is_file())
    missing, free = max(total - there, 0), shutil.disk_usage(target).free
    if missing > free:
        raise Refusal(
            "disk",
            f"{missing / 1e9:.1f} GB are needed, and the disk of {target} has {free / 1e9:.1f} GB free. "
            "Choose another folder, or free some space.",
        )


def _fetch(repository: str, commit: str, file: Wanted, target: Path, before: int, total: int) -> None:
    """Download a file, or the rest of it. Raises Refusal."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.file_download import http_get  # hf_hub_download begins anew each time
    from tqdm import tqdm  # type: ignore[import-untyped]

    class Told(tqdm):  # type: ignore[misc]
        """A progress bar that tells instead of drawing."""

        def __init__(self, *_: Any, initial: int = 0, **__: Any) -> None:
            super().__init__(disable=True)
            self._there, self._said = initial or 0, 0.0

        def update(self, n: float | None = 1) -> bool | None:
            self._there += int(n or 0)
            now = time.monotonic()
            if now - self._said >= _EVERY_S:
                self._said = now
                _say(event="downloading", file=file.path, done=before + self._there, total=total)
            return None

    part = _part(target, file)
    part.parent.mkdir(parents=True, exist_ok=True)
    if (target / file.path).exists():
        return  # from before: it is checked like the others
    there = part.stat().st_size if part.exists() else 0
    _say(event="downloading", file=file.path, done=before + there, total=total)
    try:
        place = get_hf_file_metadata(hf_hub_url(repository, file.path, revision=commit), token=False).location
        with part.open("ab") as stream:
            http_get(place, stream, resume_size=there, expected_size=file.size, tqdm_class=Told)
    except HfHubHTTPError as error:
        raise _of_status(error, repository) from error
    except OSError as error:
        if error.errno is None:
            raise _offline(error) from error
        raise
    except Exception as error:
        raise _offline(error) from error
    part.replace(target / file.path)


def _part(target: Path, file: Wanted) -> Path:
    """Return where a file is while it arrives; another version of it gets another name."""
    path = target / file.path
    return path.with_name(f"{path.name}.{(file.sha256 or file.git_hash)[:8]}.part")


def _check(path: Path, file: Wanted) -> None:
    """Compare a file with the hash that the server states, and delete it when they differ. Raises Refusal."""
    found = hashlib.sha256() if file.sha256 else hashlib.sha1(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            found.update(block)
    stated = file.sha256 or file.git_hash
    if stated and found.hexdigest() != stated:
        path.unlink()
        raise Refusal(
            "hash",
            f"{file.path} arrived damaged: its hash is {found.hexdigest()[:12]}…, not {stated[:12]}…. It was "
            "deleted. Download it again.",
        )


def _of_status(error: Any, repository: str) -> Refusal:
    """Return what an answer of the server means for the person."""
    status = getattr(error.response, "status_code", 0)
    if status in (401, 403, 404):
        return Refusal(
            "missing",
            f"The server has no open repository “{repository}”, or not this file of it. Check the name; a "
            "model that asks for an account must be downloaded in a browser.",
        )
    if status == 429:
        return Refusal("server", "The server has had too many requests. Try again in some minutes.")
    return Refusal("server", f"The server answered with an error ({status}). Try again later.")


def _offline(error: Exception) -> Refusal:
    name = type(error).__name__
    sentence = f"The server could not be reached, or it stopped sending ({name})."
    return Refusal("offline", f"{sentence} What has arrived stays: start again to go on from there.")


def _disk_sentence(error: OSError) -> str:
    if error.errno in _DISK:
        return "The disk is full. Free some space and start again: what has arrived stays."
    return f"The file cannot be written ({error.strerror or error}). Choose another folder."


class _Speaker(threading.Thread):
    """Writes what happens, and repeats it while nothing does: whoever listens can cancel in the meantime."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._lock, self._line = threading.Lock(), ""

    def say(self, line: str) -> None:
        """Write a line now."""
        with self._lock:
            self._line = line
            self._write()

    def run(self) -> None:
        """Repeat the last line twice a second."""
        while True:
            time.sleep(0.5)
            with self._lock:
                self._write()

    def _write(self) -> None:
        sys.stdout.write(self._line)
        sys.stdout.flush()


_speaker = _Speaker()


def _say(**values: Any) -> None:
    _speaker.say(json.dumps(values) + "\n")


if __name__ == "__main__":
    sys.exit(main())
