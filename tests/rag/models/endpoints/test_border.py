"""The one place that decides what may leave this computer."""

from __future__ import annotations

import pytest

from rag.errors import ConsentNeededError, RagError
from rag.models.endpoints.border import TYPED_HERE, Border
from rag.models.endpoints.connections import Endpoints
from rag.models.endpoints.rows import Endpoint, MayLeave
from rag.storage.tables.knowledge import Collection

HERE = Endpoint("here", "http://127.0.0.1:1/v1", "m")
FAR = Endpoint("far", "https://api.example.com/v1", "m")


@pytest.fixture
def border(endpoints: Endpoints) -> Border:
    with endpoints._store.session() as session:
        for name in ("A", "B"):
            session.add(
                Collection(key=name, name=name, created_ms=1, embedder="e", embedder_name="e", chunking="{}")
            )
    return endpoints.border


def test_what_stays_here_needs_no_permission(border: Border) -> None:
    for collection in ("A", "no such collection", "", TYPED_HERE):
        border.permit(collection)(HERE)


def test_only_what_a_person_typed_leaves_without_one(border: Border) -> None:
    border.permit(TYPED_HERE)(FAR)
    for collection in ("A", "no such collection", ""):
        with pytest.raises(RagError, match="may not leave this computer"):
            border.permit(collection)(FAR)


def test_a_permit_is_asked_again_for_every_request(border: Border, endpoints: Endpoints) -> None:
    permit = border.permit("A")
    endpoints.set_border("A", MayLeave.ALWAYS)
    permit(FAR)
    endpoints.set_border("A", MayLeave.NEVER)
    with pytest.raises(RagError):
        permit(FAR)


def test_asking_is_for_one_collection_and_one_endpoint_or_all(border: Border, endpoints: Endpoints) -> None:
    for name in ("A", "B"):
        endpoints.set_border(name, MayLeave.ASK)
    border.allow("A", "far")
    border.permit("A")(FAR)
    other = Endpoint("other", FAR.url, "m")
    with pytest.raises(ConsentNeededError) as caught:
        border.permit("A")(other)
    assert (caught.value.collection, caught.value.endpoint, caught.value.host) == (
        "A",
        "other",
        "api.example.com",
    )
    with pytest.raises(ConsentNeededError):
        border.permit("B")(FAR)
    border.allow("B", "")
    border.permit("B")(other)


def test_what_was_allowed_once_does_not_turn_never_into_yes(border: Border) -> None:
    border.allow("A", "")
    with pytest.raises(RagError, match="may not leave"):
        border.permit("A")(FAR)


@pytest.mark.parametrize(
    ("setting", "allowed", "outcome"),
    [
        (MayLeave.NEVER, None, RagError),
        (MayLeave.NEVER, ("A", "far"), RagError),
        (MayLeave.NEVER, ("A", ""), RagError),
        (MayLeave.ASK, None, ConsentNeededError),
        (MayLeave.ASK, ("A", "far"), None),
        (MayLeave.ASK, ("A", ""), None),
        (MayLeave.ASK, ("A", "other"), ConsentNeededError),
        (MayLeave.ASK, ("B", "far"), ConsentNeededError),
        (MayLeave.ASK, ("", ""), ConsentNeededError),
        (MayLeave.ALWAYS, None, None),
        (MayLeave.ALWAYS, ("B", "far"), None),
    ],
)
def test_a_setting_and_what_was_allowed_decide_together(
    border: Border,
    endpoints: Endpoints,
    setting: MayLeave,
    allowed: tuple[str, str] | None,
    outcome: type[RagError] | None,
) -> None:
    endpoints.set_border("A", setting)
    if allowed:
        border.allow(*allowed)
    border.permit("A")(HERE)
    border.permit(TYPED_HERE)(FAR)
    if outcome is None:
        border.permit("A")(FAR)
        return
    with pytest.raises(RagError) as caught:
        border.permit("A")(FAR)
    assert type(caught.value) is outcome


def test_a_refusal_names_the_collection_the_endpoint_its_host_and_two_ways_out(border: Border) -> None:
    with pytest.raises(RagError) as caught:
        border.permit("A")(FAR)
    said = str(caught.value)
    for part in ("“A”", "“far”", "api.example.com", "on this computer", "`ragdeck models border`"):
        assert part in said, part
    assert said.endswith(".") and "\n" not in said


def test_what_was_allowed_is_forgotten_with_the_program(border: Border, endpoints: Endpoints) -> None:
    endpoints.set_border("A", MayLeave.ASK)
    border.allow("A", "far")
    border.permit("A")(FAR)
    with pytest.raises(ConsentNeededError):
        Border(border.database).permit("A")(FAR)


def test_a_permit_holds_for_what_is_allowed_after_it_was_made(border: Border, endpoints: Endpoints) -> None:
    endpoints.set_border("A", MayLeave.ASK)
    permit = border.permit("A")
    with pytest.raises(ConsentNeededError):
        permit(FAR)
    border.allow("A", "far")
    permit(FAR)
