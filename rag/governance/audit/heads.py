"""Writes the head of the audit log to a file elsewhere, signed if a key is given, and reads such files.

Whoever owns the data folder can rewrite the whole chain. A head that lies where they cannot change it, on
another computer or signed by somebody else's key, shows that.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from rag.errors import RagError
from rag.governance.audit.rows import AuditHead
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.workspace import Workspace

_KIND = "ragdeck audit head"
_NAMESPACE = "ragdeck-audit"  # of SSH signatures: one made for something else is not good here
_PATTERN = "ragdeck-audit-head-*.json"
_PATIENCE_S = 60
_LATEST_MS = 253_370_764_800_000  # the year 9999: later ones are no time


def write_head(workspace: Workspace, place: str = "", key: str = "") -> str:
    """Write the head of the log as it is now to a new file; return its path.

    Args:
        workspace: The open data folder.
        place: The folder to write to; "": that of the settings.
        key: What to sign with, see sign; "": what the settings say.

    Raises:
        RagError: No folder is chosen, it cannot be written to, or the file cannot be signed.
    """
    settings = workspace.settings.governance
    chosen = place or settings.head_folder
    if not chosen:
        raise RagError("No folder for heads is chosen. Name one, or set governance.head_folder.")
    target = Path(chosen).expanduser().absolute()
    with workspace.store.session() as session:
        head = current_head(session)
        name = datetime.fromtimestamp(head.written_ms / 1000).strftime("%Y%m%d-%H%M%S")
        file = target / f"ragdeck-audit-head-{name}-{head.id}.json"
        try:
            target.mkdir(parents=True, exist_ok=True)
            _write(file, {"kind": _KIND, **head.__dict__})
        except OSError as error:
            raise RagError(
                f"The head of the audit log cannot be written to {target} ({error.strerror}). Choose another "
                "folder in governance.head_folder."
            ) from error
        if signer := key or settings.sign_key:
            sign(file, signer)
        audit_log.record(session, audit_log.Action.AUDIT_HEAD_WRITTEN, f"row {head.id}", after=head.hash)
    return str(file)


def is_head_due(workspace: Workspace) -> bool:
    """Return whether heads are wanted and something happened since the last one was written."""
    folder = workspace.settings.governance.head_folder
    if not folder:
        return False
    with workspace.store.session() as session:
        last = session.connection().exec_driver_sql(
            "SELECT action FROM auditevent ORDER BY id DESC LIMIT 1"
        ).scalar()  # fmt: skip
    has_file = any(Path(folder).expanduser().glob(_PATTERN))
    return not has_file or last != audit_log.Action.AUDIT_HEAD_WRITTEN


def current_head(session: Session) -> AuditHead:
    """Return the end of the chain as it is now; number 0 of an empty log."""
    found = session.connection().exec_driver_sql(
        "SELECT (SELECT count(*) FROM auditevent), id, hash FROM auditevent ORDER BY id DESC LIMIT 1"
    ).first()  # fmt: skip
    rows, last, digest = found or (0, 0, "")
    return AuditHead(rows, last, digest, now_ms())


def read_head(file: Path) -> AuditHead:
    """Return the head in a file. Raises RagError when it is none."""
    try:
        values = json.loads(file.read_text("utf-8"))
        if values.pop("kind") != _KIND:
            raise ValueError
        head = AuditHead(**values)
        if not (isinstance(head.id, int) and isinstance(head.rows, int) and isinstance(head.hash, str)):
            raise ValueError
        if not (isinstance(head.written_ms, int) and 0 <= head.written_ms < _LATEST_MS):
            raise ValueError
        return head
    except OSError as error:
        raise RagError(f"{file} cannot be read ({error.strerror}).") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RagError(f"{file} is not a head of an audit log, as `ragdeck audit head` writes it.") from error


# --- signatures -------------------------------------------------------------------------------------------


def sign(file: Path, key: str) -> Path:
    """Sign a file; return the file of the signature beside it.

    Args:
        file: What is signed.
        key: The path of a private SSH key (FILE.sig is made), or "gpg:ID" of an OpenPGP key (FILE.asc). A key
            with a passphrase needs its agent.

    Raises:
        RagError: The program that signs is missing, or refuses.
    """
    if key.startswith("gpg:"):
        made = file.with_name(file.name + ".asc")
        _run("gpg", "--batch", "--yes", "--armor", "--local-user", key.removeprefix("gpg:"), "--output",
             str(made), "--detach-sign", str(file))  # fmt: skip
        return made
    path = Path(key).expanduser()
    if not path.is_file():
        raise RagError(f"There is no key {path}. Name a private SSH key, or gpg:ID, in governance.sign_key.")
    _run("ssh-keygen", "-q", "-Y", "sign", "-f", str(path), "-n", _NAMESPACE, str(file))
    return file.with_name(file.name + ".sig")


def check_signature(file: Path, trusted_keys: str = "") -> str:
    """Return what is known of the signature beside a file, as a sentence.

    Args:
        file: What was signed.
        trusted_keys: Of SSH: a file of allowed signers; without, any key is good and the sentence names it.

    Raises:
        RagError: The signature does not fit the file, or is not of an allowed signer.
    """
    ssh, gpg = file.with_name(file.name + ".sig"), file.with_name(file.name + ".asc")
    if ssh.exists():
        return _check_ssh(file, ssh, trusted_keys)
    if gpg.exists():
        _run("gpg", "--batch", "--verify", str(gpg), str(file), refusal=f"{gpg} is not a good signature")
        return "Its OpenPGP signature is good, by a key of your key ring."
    if trusted_keys:
        raise RagError(f"{file} has no signature beside it, and you asked for one by a trusted key.")
    return "It is not signed: whoever could change the log may have changed this file as well."


def _check_ssh(file: Path, signature: Path, trusted_keys: str) -> str:
    refusal = f"{signature} is not a good signature of {file.name}"
    text = file.read_bytes()
    if not trusted_keys:
        said = _run("ssh-keygen", "-Y", "check-novalidate", "-n", _NAMESPACE, "-s", str(signature),
                    given=text, refusal=refusal)  # fmt: skip
        key = re.search(r"SHA256:\S+", said)
        return f"It is signed by the SSH key {key[0] if key else 'that is named there'}; compare that."
    allowed = ("-f", trusted_keys, "-s", str(signature))
    who = _run("ssh-keygen", "-Y", "find-principals", *allowed, refusal=f"{refusal} by a trusted key")
    name = who.split()[0]
    _run("ssh-keygen", "-Y", "verify", "-n", _NAMESPACE, "-I", name, *allowed, given=text, refusal=refusal)
    return f"It is signed by {name}, whose SSH key you trust."


def _run(program: str, *arguments: str, given: bytes | None = None, refusal: str = "") -> str:
    """Run a program that signs or checks; return what it says. Raises RagError with what it refused."""
    if shutil.which(program) is None:
        raise RagError(f"{program} is not installed, which signs and checks heads. Install it first.")
    try:
        done = subprocess.run(
            [program, *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        raise RagError(f"{program} did not answer in a minute. Does the key need a passphrase?") from None
    said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
    if done.returncode:
        why = said.splitlines()[-1] if said else f"exit code {done.returncode}"
        raise RagError(f"{refusal or f'{program} could not sign'} ({why}).")
    return said


def _write(file: Path, values: dict[str, object]) -> None:
    """Write a file whole or not at all, and never over another."""
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps(values, indent=1), "utf-8")
    part.replace(file)
