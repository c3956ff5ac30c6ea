"""Defines errors that carry a sentence for the person in front of the program.

Anything that is not a RagError is a bug: it is logged with its traceback.
"""

import errno


class RagError(Exception):
    """A refusal or failure whose text says what happened and what to do about it."""


class DataFolderLockedError(RagError):
    """A refusal because another process uses the data folder."""


class DocumentError(RagError):
    """A failure to turn a file into text; the message says why in one sentence."""


class UnsupportedDocumentError(DocumentError):
    """A refusal of a kind of file that Ragdeck does not read: such a file is skipped, not failed."""


class ModelError(RagError):
    """A refusal of a model file that is missing, damaged, unsuitable or too large for the memory."""


class NotFoundError(RagError):
    """A refusal because a named collection, version, model or trace does not exist."""


def of_the_disk(error: BaseException) -> RagError | None:
    """Return what to say when the disk is full or read-only, whichever library noticed; None otherwise."""
    seen: BaseException | None = error
    while seen is not None:
        number = seen.errno if isinstance(seen, OSError) else None
        text = str(seen)
        if number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in text or "No space left" in text:
            return RagError(
                "The disk is full. Free some space and try again; what was reported as done is saved."
            )
        if number == errno.EROFS or "readonly database" in text:
            return RagError("The data folder cannot be written to. Check its permissions and try again.")
        seen = seen.__cause__ or seen.__context__
    return None
