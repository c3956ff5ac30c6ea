"""The label production of a prompt that requires a gate moves only to a version that passed it."""

import pytest
from sqlmodel import Session

from rag.errors import RagError
from rag.prompts.registry import delete_prompt, find_prompt, move_label, rollback_label, save_prompt
from rag.prompts.required_gates import forget_requirement
from rag.storage.store import Store
from rag.storage.tables.evaluation import EvaluationGate, EvaluationRun, GateRequirement


def require(session: Session, subject_id: int, sha: str = "g") -> None:
    session.add(
        GateRequirement(
            kind="prompt",
            subject_id=subject_id,
            set_name="S",
            gate="",
            gate_sha256=sha,
            author="",
            created_ms=0,
        )
    )


def passed(store: Store, version_id: int, *, sha: str = "g", set_name: str = "S", status: str = "done",
           good: bool = True) -> None:  # fmt: skip
    """Store a run of a version, and what a gate said of it."""
    with store.session() as session:
        run = EvaluationRun(
            name="r", status=status, kind="answer", set_name=set_name, set_version_id=1, set_number=1,
            set_fingerprint="f", pipeline="p", pipeline_version_id=1, pipeline_number=1, pipeline_fingerprint="f",
            config="{}", collection="A", version_id=1, version_number=1, version_fingerprint="f",
            index_fingerprint="f", embedder="e", prompt_version_id=version_id, case_count=1, repeats=1, seed=0,
            parallel=1, timeout_s=1.0, libraries="{}", created_ms=0,
        )  # fmt: skip
        session.add(run)
        session.flush()
        session.add(
            EvaluationGate(
                run_id=run.id or 0, gate_sha256=sha, sentence="", passed=good, rows="[]", created_ms=0
            )
        )


@pytest.fixture
def gated(store: Store) -> tuple[Store, int]:
    """The prompt “qa” with two versions, the first in production, and a gate; the id of the second."""
    save_prompt(store, "qa", "One", "{{ question }}")
    move_label(store, "qa", "production", 1)
    second = save_prompt(store, "qa", "Two", "{{ question }}")
    with store.session() as session:
        require(session, 2)
    return store, second.id


def test_a_version_that_did_not_pass_is_refused_with_the_command_that_runs_it(
    gated: tuple[Store, int],
) -> None:
    store, _ = gated
    with pytest.raises(RagError, match=r'ragdeck evaluate "S" --pipeline .*qa@2.* --required-gate'):
        move_label(store, "qa", "production", 2)
    assert find_prompt(store, "qa").version == 1
    move_label(store, "qa", "staging", 2)  # only production is guarded


@pytest.mark.parametrize(
    "what", [{"sha": "other"}, {"set_name": "T"}, {"status": "cancelled"}, {"good": False}]
)
def test_only_a_complete_run_of_the_set_that_passed_this_very_gate_counts(
    gated: tuple[Store, int], what: dict[str, object]
) -> None:
    store, version_id = gated
    passed(store, version_id, **what)  # type: ignore[arg-type]
    with pytest.raises(RagError, match="moves only to a version that passed"):
        move_label(store, "qa", "production", 2)


def test_a_version_that_passed_moves_and_moving_back_is_always_allowed(gated: tuple[Store, int]) -> None:
    store, version_id = gated
    passed(store, version_id)
    assert move_label(store, "qa", "production", 2).to_number == 2
    assert rollback_label(store, "qa").to_number == 1


def test_force_needs_a_note_that_is_logged(gated: tuple[Store, int]) -> None:
    store, _ = gated
    with pytest.raises(RagError, match="needs a note"):
        move_label(store, "qa", "production", 2, force=True)
    move_label(store, "qa", "production", 2, force=True, note="an emergency")
    with store.session() as session:
        row = session.connection().exec_driver_sql(
            "SELECT detail FROM auditevent WHERE action = 'gate overridden'"
        )
        assert row.scalar() == "an emergency"


def test_a_deleted_prompt_takes_its_requirement_along(gated: tuple[Store, int]) -> None:
    store, _ = gated
    delete_prompt(store, "qa")
    with store.session() as session:
        assert session.get(GateRequirement, ("prompt", 2)) is None
        forget_requirement(session, "prompt", 2)  # there is none any more
