"""Step 7 of the schema: states are columns and not sentences, lists are JSON, and tables have the field's names.

One tuple of actions a subject, run in this order. Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

KNOWLEDGE: tuple[Action, ...] = ()
TRACES: tuple[Action, ...] = ()
PROMPTS: tuple[Action, ...] = ()
EVALUATION: tuple[Action, ...] = ()
REVIEW: tuple[Action, ...] = ()
MONITORING: tuple[Action, ...] = ()
GOVERNANCE: tuple[Action, ...] = ()

ACTIONS = (*KNOWLEDGE, *TRACES, *PROMPTS, *EVALUATION, *REVIEW, *MONITORING, *GOVERNANCE)
