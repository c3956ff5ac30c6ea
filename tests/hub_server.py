"""A model hub on loopback that can be slow, break off, serve another file, or answer with errors."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "a" * 40


@dataclass
class Hub:
    """What the hub has, how it behaves, and what it was asked.

    Attributes:
        files: The contents by repository and path.
        served: What is served instead of the content, by path: damaged on the way.
        break_after: Bytes after which an answer breaks off, once for each request.
        hold: Bytes after which it waits for `may_go_on`.
        status: What everything is answered with; 0: as usual.
        card: The model card's data.
    """

    files: dict[str, dict[str, bytes]]
    served: dict[str, bytes] = field(default_factory=dict)
    break_after: int = 0
    hold: int = 0
    status: int = 0
    card: dict[str, str] = field(default_factory=lambda: {"license": "mit"})
    asked: list[str] = field(default_factory=list)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        wanted = self.headers.get("Range", "")
        self.hub.asked.append(f"{self.command} {self.path} {wanted}".strip())
        path = self.path.partition("?")[0]
        if self.hub.status:
            return self._send(self.hub.status, b"{}", {}, body)
        if path.startswith("/api/models/"):
            return self._tell(path.removeprefix("/api/models/"), body)
        repository, _, rest = path.strip("/").partition("/resolve/")
        name = rest.partition("/")[2]
        content = self.hub.files.get(repository, {}).get(name)
        if content is None:
            return self._send(404, b"", {}, body)
        sent = self.hub.served.get(name, content)
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes",
            "X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"',
        }  # fmt: skip
        status = 200
        if wanted.startswith("bytes="):
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(sent) - 1}/{len(sent)}"
            sent, status = sent[start:], 206
        self._send(status, sent, headers, body)

    def _tell(self, repository: str, body: bool) -> None:
        files = self.hub.files.get(repository.partition("/revision/")[0])
        if files is None:
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        siblings = [
            {
                "rfilename": name, "size": len(content), "blobId": _git_hash(content),
                **({"lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1}}
                   if name.endswith((".gguf", ".safetensors")) else {}),
            }
            for name, content in files.items()
        ]  # fmt: skip
        document = {"id": repository, "sha": COMMIT, "siblings": siblings, "cardData": self.hub.card}
        self._send(200, json.dumps(document).encode(), {"Content-Type": "application/json"}, body)

    def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not body:
            return
        is_file = "ETag" in headers
        if is_file and self.hub.hold:
            self.wfile.write(content[: self.hub.hold])
            self.wfile.flush()
            self.hub.reached.set()
            self.hub.may_go_on.wait(30)
            content = content[self.hub.hold :]
        if is_file and self.hub.break_after and len(content) > self.hub.break_after:
            self.wfile.write(content[: self.hub.break_after])
            self.close_connection = True
            return
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class HubServer:
    """Serves a hub while a `with` block runs."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        handler = type("Handler", (_Handler,), {"hub": hub})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        hub.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Hub:
        self._thread.start()
        return self._hub

    def __exit__(self, *_: object) -> None:
        self._hub.may_go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
