"""Rules are checked when they are written: what is wrong is one sentence that names the rule."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.guardrails.policies.rows import Action
from rag.guardrails.policies.rules import MOST_RULES, make_rules, read_stored, read_yaml, write_yaml

MASK = {"check": "personal data", "where": "question", "action": "mask"}
WARN = {"check": "phrases", "where": "answer", "action": "warn", "phrases": ["secret"]}


def circle(*names: str) -> list[dict[str, Any]]:
    following = dict(zip(names, (*names[1:], names[0]), strict=True))
    return [{**WARN, "name": n, "exceptions": [{"rule": following[n], "reason": "r"}]} for n in names]


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([], "The policy has no rules."),
        ([{**MASK, "check": "telepathy"}], "Rule 1, check: “telepathy” is not known. Choose personal data"),
        ([MASK, {**WARN, "where": ["moon"]}], "Rule 2, where.0: “moon” is not known"),
        ([{**WARN, "colour": 1}], "Rule 1, colour: there is no such key."),
        ([{"check": "length", "action": "warn", "most": 3}], "Rule 1, where: it is missing."),
        ([{**MASK, "threshold": 2}], "Rule 1, threshold"),
        ([{"check": "length", "where": "answer", "action": "warn"}], "needs most"),
        (
            [{"check": "topics", "where": "question", "action": "warn", "blocked": {"a": []}}],
            "needs examples",
        ),
        ([{"check": "length", "where": "answer", "action": "mask", "most": 3}], "nothing to mask"),
        ([{"check": "citation", "where": "question", "action": "warn"}], "cannot be checked at the place"),
        ([{**WARN, "action": "ask"}], "the action ask is not possible at the place answer"),
        ([{**MASK, "kinds": ["shoe size"]}], "knows no shoe size"),
        ([{**MASK, "only_leaving": True}], "only the prompt is sent"),
        ([{**MASK, "exceptions": [{"reason": "r"}]}], "needs a text, a kind or a rule"),
        ([{**MASK, "exceptions": [{"text": "a"}]}], "reason: it is missing"),
        ([{**WARN, "name": "a"}, {**MASK, "name": "a"}], "Two rules are called “a”"),
        ([{**WARN, "exceptions": [{"rule": "x", "reason": "r"}]}], "“x”, which is no rule"),
        (circle("a", "b"), "lead in a circle"),
        (circle("a"), "lead in a circle: “a” → “a”"),
        ([{**WARN, "patterns": ["(a+)+$"]}], "takes too long"),
    ],
)
def test_what_is_wrong_is_one_sentence(rules: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(RagError) as caught:
        make_rules(rules)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_fingerprint_is_that_of_what_the_rules_say_and_not_of_how_they_are_written() -> None:
    short = make_rules([MASK])
    assert short.fingerprint == make_rules([{**MASK, "where": ["question"], "threshold": 0.5}]).fingerprint
    assert short.fingerprint != make_rules([{**MASK, "threshold": 0.6}]).fingerprint
    assert len(short.fingerprint) == 16


def test_rules_survive_being_stored_and_written_as_yaml() -> None:
    made = make_rules([{**MASK, "exceptions": [{"text": "a@b.org", "reason": "Published"}]}, WARN])
    assert read_stored(made.content) == made
    assert make_rules(read_yaml(write_yaml(made.content))) == made


@pytest.mark.parametrize("text", ["rules: [", "name: x", "rules: 3", "- just\n- words", ""])
def test_a_text_that_holds_no_rules_is_refused(text: str) -> None:
    with pytest.raises(RagError, match=r"not YAML|needs a list of rules"):
        read_yaml(text)


LONG = {"check": "length", "where": "answer", "action": "warn", "most": 3}


@pytest.mark.parametrize(
    ("place", "actions"),
    [
        ("document", "note/warn/mask/leave out/refuse"),
        ("question", "note/warn/mask/ask/refuse"),
        ("passages", "note/warn/mask/leave out/ask/refuse"),
        ("prompt", "note/warn/mask/ask/refuse"),
        ("answer", "note/warn/mask/refuse"),
        ("received traces", "note/warn/mask"),
        ("server", "note/warn/mask/refuse"),
        ("MCP", "note/warn/mask/refuse"),
    ],
)
def test_a_place_allows_what_can_be_done_there(place: str, actions: str) -> None:
    for action in Action:
        rule = {**MASK, "where": place, "action": str(action)}
        if str(action) in actions.split("/"):
            assert make_rules([rule]).rules[0].action is action
        else:
            with pytest.raises(RagError, match=f"the action {action} is not possible at the place {place}"):
                make_rules([rule])


@pytest.mark.parametrize("check", ["topics", "length", "citation", "language"])
def test_only_what_has_a_place_in_the_text_can_be_masked(check: str) -> None:
    rule = {**LONG, "check": check, "action": "mask", "languages": ["en"], "blocked": {"a": ["b"]}}
    with pytest.raises(RagError, match="there is nothing to mask"):
        make_rules([rule])


@pytest.mark.parametrize(
    ("check", "place"),
    [("citation", "passages"), ("prompt injection", "prompt"), ("topics", "document"), ("topics", "prompt"),
     ("topics", "received traces")],
)  # fmt: skip
def test_a_check_that_makes_no_sense_at_a_place_is_refused(check: str, place: str) -> None:
    rule = {"check": check, "where": ["answer", place], "action": "note", "blocked": {"a": ["b"]}}
    with pytest.raises(RagError, match=f"{check} cannot be checked at the place {place}"):
        make_rules([rule])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"most": 0}, "Rule 1, most: "),
        ({"most": -1}, "Rule 1, most: "),
        ({"most": "many"}, "Rule 1, most: "),
        ({"threshold": -0.1}, "Rule 1, threshold: "),
        ({"threshold": float("nan")}, "Rule 1, threshold: "),
        ({"threshold": None}, "Rule 1, threshold: "),
        ({"where": []}, "Rule 1, where: "),
        ({"where": "nowhere"}, "Rule 1, where.0: “nowhere” is not known. Choose document, question"),
        ({"where": None}, "Rule 1, where: "),
        ({"action": "shout"}, "Rule 1, action: “shout” is not known. Choose note, warn, mask"),
        ({"action": 1}, "Rule 1, action: “1” is not known."),
        ({"phrases": [""]}, "Rule 1, phrases.0: "),
        ({"phrases": ["x" * 2_001]}, "Rule 1, phrases.0: "),
        ({"phrases": "word"}, "Rule 1, phrases: "),
        ({"exceptions": [{"text": "a", "reason": ""}]}, "Rule 1, exceptions.0.reason: "),
        (
            {"exceptions": [{"text": "a", "reason": "r", "why": "x"}]},
            "exceptions.0.why: there is no such key.",
        ),
        ({"exceptions": ["a"]}, "Rule 1, exceptions.0: "),
        ({"kinds": ["e-mail address"]}, "length knows no e-mail address; it knows none"),
        ({"only_leaving": True}, "only the prompt is sent"),
        ({"only_leaving": True, "where": ["prompt", "answer"]}, "only the prompt is sent"),
        ({"blocked": {"a": "text"}}, "Rule 1, blocked.a: "),
        ({1: 2}, "Rule 1, "),
    ],
)
def test_a_wrong_value_is_named_with_its_rule_and_key(changes: dict[Any, Any], sentence: str) -> None:
    with pytest.raises(RagError) as caught:
        make_rules([{**LONG, **changes}])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize("count", [1, 2, MOST_RULES])
def test_a_policy_has_up_to_so_many_rules(count: int) -> None:
    assert len(make_rules([{**LONG, "name": f"rule {n}"} for n in range(count)]).rules) == count


def test_a_policy_with_too_many_rules_is_refused_in_a_sentence() -> None:
    with pytest.raises(RagError, match=rf"The policy: .*{MOST_RULES} items"):
        make_rules([{**LONG, "name": f"rule {n}"} for n in range(MOST_RULES + 1)])


def test_a_circle_of_three_is_named_in_its_order() -> None:
    with pytest.raises(RagError) as caught:
        make_rules(circle("a", "b", "c"))
    assert str(caught.value).count("→") == 3 and "Take one away." in str(caught.value)


def test_two_rules_without_names_that_are_alike_are_told_apart_by_where_they_look() -> None:
    assert [rule.title for rule in make_rules([LONG, {**LONG, "where": "question"}]).rules] == [
        "length: warn (answer)", "length: warn (question)",
    ]  # fmt: skip
    with pytest.raises(RagError, match=r"Two rules are called “length: warn \(answer\)”"):
        make_rules([LONG, {**LONG, "most": 4}])


def test_an_exception_may_name_a_rule_without_a_name_by_its_title() -> None:
    made = make_rules([{**MASK, "exceptions": [{"rule": "length: warn (answer)", "reason": "r"}]}, LONG])
    assert made.rules[0].exceptions[0].rule == made.rules[1].title


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rules: [", "a.yaml is not YAML (line 1)"),
        ("rules:\n- {check: length\n- x", "a.yaml is not YAML (line"),
        ("\trules: []", "a.yaml is not YAML (line 1)"),
        ("rules:\n- 3\n", "a.yaml needs a list of rules under the key “rules”."),
        ("rules: {a: b}", "a.yaml needs a list of rules"),
        ("!!python/object:os.system {}", "a.yaml is not YAML (line 1)"),
        ("true", "a.yaml needs a list of rules"),
    ],
)
def test_what_is_wrong_with_yaml_is_said_with_its_file_and_line(text: str, sentence: str) -> None:
    with pytest.raises(RagError) as caught:
        read_yaml(text, "a.yaml")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("text", ["rules: []", "[]"])
def test_an_empty_list_is_one_and_makes_no_policy(text: str) -> None:
    with pytest.raises(RagError, match=r"The policy has no rules\."):
        make_rules(read_yaml(text))


def test_yaml_may_leave_the_key_out() -> None:
    assert read_yaml("- {check: length}") == [{"check": "length"}] == read_yaml("rules: [{check: length}]")


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@settings(max_examples=25)
@given(
    st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["note", "warn", "mask"]), st.floats(0, 1),
    st.sets(st.sampled_from(["document", "answer", "server", "received traces"]), min_size=1), WORDS,
)  # fmt: skip
def test_rules_come_back_from_every_form_in_which_they_are_kept(
    phrases: list[str], action: str, threshold: float, where: set[str], name: str
) -> None:
    made = make_rules([{"check": "phrases", "where": sorted(where), "action": action, "threshold": threshold,
                        "phrases": phrases, "name": name}])  # fmt: skip
    assert read_stored(made.content) == made
    again = make_rules(read_yaml(write_yaml(made.content)))
    assert (again, again.fingerprint) == (made, made.fingerprint)
