"""Rules are checked when they are written: what is wrong is one sentence that names the rule."""

from typing import Any

import pytest

from rag.errors import RagError
from rag.guardrails.policies.rules import make_rules, read_stored, read_yaml, write_yaml

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
