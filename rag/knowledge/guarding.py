"""Where guardrail policies act on a document that is added: on its text, before anything of it is stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.guardrails.policies.acting import Guard, InForce, fingerprint_of
from rag.guardrails.policies.in_force import policies_for
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import Action, Place, Result
from rag.parsing.rows import AccountLine, ParsedDocument
from rag.workspace import Workspace

_MARK = "+"  # between the fingerprint of chunking and that of the policies
_CHANGING = (Action.MASK, Action.LEAVE_OUT, Action.REFUSE)


def document_policies(workspace: Workspace, collection: str) -> tuple[InForce, ...]:
    """Return the policies that look at a collection's documents."""
    found = policies_for(workspace.database, collection)
    return tuple(one for one in found if Guard([one]).acts_at(Place.DOCUMENT))


def guarded_chunking(chunking: str, policies: tuple[InForce, ...]) -> str:
    """Return the fingerprint of how a document is read and cut, with that of the policies that change it.

    So a file is read again when a policy changes what is stored of it.
    """
    changing = [one for one in policies if Guard([one]).acts_at(Place.DOCUMENT, actions=_CHANGING)]
    return f"{chunking}{_MARK}{fingerprint_of(changing)}" if changing else chunking


def policies_of(chunking: str) -> str:
    """Return the part of a document's fingerprint that names the policies, "" for none."""
    mark, found = chunking.partition(_MARK)[1:]
    return mark + found


def guard_document(
    workspace: Workspace, policies: tuple[InForce, ...], collection: str, name: str, parsed: ParsedDocument
) -> ParsedDocument:
    """Return a document as the policies leave it; what they did is in its account and stored as results.

    Raises DocumentError when a policy refuses it, UnsupportedDocumentError when one leaves it out.
    """
    if not policies:
        return parsed
    guard = Guard(policies)
    found = guard.check(Place.DOCUMENT, parsed.text, document=name)
    if found.results:
        with workspace.store.session() as session:
            store_results(session, found.results, collection=collection)
    if found.refusal:
        raise DocumentError(found.reason)
    if found.is_left_out:
        raise UnsupportedDocumentError(found.reason)
    if not found.results:
        return parsed
    places = tuple(
        replace(
            place,
            label=guard.mask_only(Place.DOCUMENT, place.label),  # of a section it is its heading
            start=found.moved(place.start),
            end=found.moved(place.end),
        )
        for place in parsed.places
    )
    return replace(
        parsed,
        text=found.text,
        title=guard.mask_only(Place.DOCUMENT, parsed.title),
        places=places,
        account=(*parsed.account, *_account(found.results)),
    )


def _account(results: tuple[Result, ...]) -> list[AccountLine]:
    """Return what policies did, as lines of a document's account; what is masked is not in the text."""
    counts = Counter((result.policy, result.action, result.kind) for result in results)
    return [
        AccountLine(
            f"the policy “{policy}” {action.past} {kind} ({count} times)",
            count if action is Action.MASK else 0,
        )
        for (policy, action, kind), count in counts.items()
    ]
