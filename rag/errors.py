"""Errors that carry a sentence for the person in front of the program.

Anything that is not a RagError is a bug: it is logged with its traceback.
"""


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
