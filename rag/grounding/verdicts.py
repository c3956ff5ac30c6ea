"""The words for what the check of an answer found, the same in the window, on the command line and in files.

A verdict is of one sentence; an outcome is of a whole answer. An answer without a claim has no support rate: it is
None, never 0 or 1.
"""

from __future__ import annotations
