"""Downloads a model, when a person asks for it: in a process of its own, resumable, and checked by its hash.

Nothing else in the program uses the network without being told to, and nothing downloads in the background.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from rag.errors import ModelError, RagError
from rag.models.catalogue import add_model
from rag.models.getting.rows import Downloaded, DownloadProgress, Offer, Purpose, list_offers
from rag.settings import Settings
from rag.storage import audit_log
from rag.storage.store import Store

_FORGOTTEN = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_TOLD = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_XET": "1",  # plain files can be resumed and are the same everywhere
    "HF_HUB_DISABLE_PROGRESS_BARS": "0",  # our own stands in for it
    "PYTHONIOENCODING": "utf-8",
}


class DownloadError(RagError):
    """A failure of a download, with its kind (offline, missing, disk, hash, server) and where it is from."""

    def __init__(self, sentence: str, kind: str, url: str) -> None:
        super().__init__(sentence)
        self.kind, self.url = kind, url


Download = Generator[DownloadProgress, None, Downloaded]


def get_model(
    store: Store,
    repository: str,
    folder: str,
    *,
    file: str = "",
    purpose: str = "",
    settings: Settings | None = None,
    environment: Mapping[str, str] | None = None,
) -> Download:
    """Download a model into a folder, check it, and add an answer model to the list.

    Closing the generator cancels the download; what has arrived stays, and the next one goes on from there.

    Args:
        store: Where the list of models is.
        repository: "MAKER/NAME".
        folder: Where it is put; a model of several files gets a folder in it.
        file: The file that is wanted; empty: everything that a sentence-transformers folder needs.
        purpose: A Purpose; empty: what the catalogue or the name of the file says.
        settings: Which chat templates were chosen.
        environment: Further variables for the process, such as HF_ENDPOINT.

    Raises:
        DownloadError: With what to do.
        ModelError: The file is no model that answers; it stays where it is.
    """
    offer = find_offer(repository, file)
    wanted = Purpose(purpose) if purpose else _purpose(offer, file)
    target = Path(folder).expanduser().absolute()
    request = {
        "repository": repository.strip(),
        "file": file.strip(),
        "folder": str(target),
        "sha256": offer.sha256 if offer is not None else "",
    }
    told = yield from _work(request, environment or {})
    path, checked = told["path"], "It was checked against the hash that the server states."
    if offer is not None and offer.sha256:
        checked = "It was checked against the hash of the catalogue and the one that the server states."
    if wanted is Purpose.ANSWERS:
        add_model(store, path, settings)
    with store.session() as session:
        audit_log.record(session, audit_log.Action.MODEL_DOWNLOADED, path, f"{repository} {file}".strip())
    return Downloaded(path, wanted, told["size"], checked, wanted.next_step, told["licence"])


def find_offer(repository: str, file: str = "") -> Offer | None:
    """Return the model of the catalogue that a repository and file are; None: there is none."""
    return next(
        (one for one in list_offers() if (one.repository, one.file) == (repository.strip(), file.strip())),
        None,
    )


def named_offer(name: str) -> Offer:
    """Return a model of the catalogue by its name, or the beginning of it. Raises ModelError."""
    offers = list_offers()
    found = [one for one in offers if one.name.lower() == name.lower().strip()]
    found = found or [one for one in offers if one.name.lower().startswith(name.lower().strip())]
    if len(found) != 1:
        known = ", ".join(one.name for one in (found or offers))
        what = "several models" if found else "no model"
        raise ModelError(f"The catalogue has {what} called “{name}”: {known}.")
    return found[0]


def _purpose(offer: Offer | None, file: str) -> Purpose:
    if offer is not None:
        return offer.purpose
    return Purpose.ANSWERS if file.endswith(".gguf") else Purpose.EMBEDS


def _work(
    request: Mapping[str, Any], environment: Mapping[str, str]
) -> Generator[DownloadProgress, None, dict[str, Any]]:
    """Run the process and yield what it says; it ends with this generator."""
    variables = {key: value for key, value in os.environ.items() if key not in _FORGOTTEN}
    root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    process = subprocess.Popen(
        [sys.executable, "-m", "rag.models.getting.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**variables, **_TOLD, "PYTHONPATH": path, **environment},
        text=True,
        encoding="utf-8",
    )
    url = ""
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        for line in process.stdout:
            said = json.loads(line)
            if said["event"] == "failed":
                raise DownloadError(said["sentence"], said["kind"], url)
            if said["event"] == "done":
                return dict(said)
            url = said.get("url", url)
            yield DownloadProgress(
                said["event"], said.get("file", ""), said.get("done", 0), said.get("total", 0)
            )
        raise DownloadError(
            "The download ended without a result. Start again: what has arrived stays.", "server", url
        )
    finally:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
