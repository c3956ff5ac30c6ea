"""Tries a policy on a text, before it is saved or live: nothing is stored."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rag.asking.guarding import CollectionEncoder
from rag.guardrails.policies.acting import Guard, InForce
from rag.guardrails.policies.rows import Place, Tried, find_policy_version
from rag.guardrails.policies.rules import make_rules, read_stored
from rag.storage.database import Database
from rag.workspace import Workspace


def policy_of(database: Database, reference: str) -> InForce:
    """Return a version of a policy as it would act. Raises NotFoundError."""
    row = find_policy_version(database, reference)
    return InForce(row.policy, row.number, row.fingerprint, read_stored(row.content))


def try_policy(
    workspace: Workspace, reference: str, text: str, place: str = Place.QUESTION, collection: str = ""
) -> Tried:
    """Return what a saved policy does to a text at a place. Raises NotFoundError."""
    return _tried(workspace, policy_of(workspace.database, reference), text, place, collection)


def try_rules(
    workspace: Workspace,
    name: str,
    rules: Sequence[Mapping[str, Any]],
    text: str,
    place: str = Place.QUESTION,
    collection: str = "",
) -> Tried:
    """Return what rules that are not saved yet do to a text. Raises RagError for rules that are wrong."""
    made = make_rules(rules)
    return _tried(workspace, InForce(name, 0, made.fingerprint, made), text, place, collection)


def _tried(workspace: Workspace, policy: InForce, text: str, place: str, collection: str) -> Tried:
    guard = Guard((policy,), CollectionEncoder(workspace, collection))
    began = time.perf_counter()
    found = guard.check(Place(place), text, leaves=True)
    took = 1000 * (time.perf_counter() - began)
    stopped = found.refusal or found.question
    if not stopped and found.is_left_out:
        stopped = f"Left out: {found.reason}"
    return Tried(found.text, found.results, stopped, took)
