"""Errors that carry a sentence for the person in front of the program.

Anything that is not a RagError is a bug: it is logged with its traceback.
"""

import errno


class RagError(Exception):
    """A refusal or failure whose text says what happened and what to do about it."""


class DataFolderLockedError(RagError):
    """Another process holds the data folder."""


class DocumentError(RagError):
    """A file cannot be turned into text; the text says why in one sentence."""


class UnsupportedDocumentError(DocumentError):
    """The file is of a kind that Ragdeck does not read: it is skipped, not failed."""


class ModelError(RagError):
    """A model file is missing, damaged, unsuitable or does not fit into memory."""


class NotFoundError(RagError):
    """A named collection, version, model or trace does not exist."""


def of_the_disk(error: BaseException) -> RagError | None:
    """What to say when the disk is full or may not be written, whatever library noticed it; None otherwise."""
    seen: BaseException | None = error
    while seen is not None:
        number = seen.errno if isinstance(seen, OSError) else None
        text = str(seen)
        if number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in text or "No space left" in text:
            return RagError(
                "The disk is full: free some space and do it again; what was reported as done is kept."
            )
        if number == errno.EROFS or "readonly database" in text:
            return RagError("The data folder cannot be written to; check its permissions and do it again.")
        seen = seen.__cause__ or seen.__context__
    return None
