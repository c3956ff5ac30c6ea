"""promptfoo tests: the assertions that are known here become checks, references and refusals.

Nothing that a file asks for is run or fetched: scripts and file:// references become problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats.entries import Entry, Options, Problem, as_list, as_texts, read_text, write_text

MOST_YAML_BYTES = 20_000_000  # the parser takes about 10 s for these
_QUESTION_VARS = ("question", "query", "input", "prompt", "q", "user_input")
_SAME_CHECKS = ("contains", "not-contains", "equals", "regex", "not-regex", "is-json")


def read_promptfoo(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each test of a configuration, or of a bare list of tests.

    An assertion that is not known here is a problem, and the case comes without it. Raises RagError when the
    file is not YAML or has no tests.
    """
    text = read_text(path, MOST_YAML_BYTES)
    try:
        # Aliases of aliases make a small file a large value ("billion laughs"), so there are none.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise RagError(f"{path.name} uses YAML aliases (*name). Write the values out.")
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RagError(f"{path.name} is not YAML ({' '.join(str(error).split())}).") from error
    tests, node = data, root
    if isinstance(data, dict) and isinstance(root, yaml.MappingNode):
        tests = data.get("tests")
        node = next((value for key, value in root.value if key.value == "tests"), None)
    if not isinstance(tests, list) or not isinstance(node, yaml.SequenceNode):
        raise RagError(f"{path.name} has no list of tests; tests in other files are not followed.")
    for test, own in zip(tests, node.value, strict=True):
        place = f"line {own.start_mark.line + 1}"
        try:
            values, unknown = _promptfoo_case(test)
        except ValueError as error:
            yield place, Problem(place, str(error))
            continue
        yield place, values
        if unknown:
            kinds = ", ".join(dict.fromkeys(unknown))
            yield (
                place,
                Problem(place, f"the case was read without its assertions {kinds}, which are not supported"),
            )


def _promptfoo_case(test: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the values of a case and the types of the assertions that are not evaluated here."""
    if not isinstance(test, dict) or not isinstance(test.get("vars"), dict):
        raise ValueError("a test needs vars")
    name = next((v for v in _QUESTION_VARS if v in test["vars"]), None)
    if name is None:
        raise ValueError(f"none of the vars is called {', '.join(_QUESTION_VARS)}")
    question = test["vars"][name]
    if not isinstance(question, str) or question.startswith("file://"):
        raise ValueError(f"{name} is not a text")
    metadata = test.get("metadata") or {}
    kept = metadata.get("ragdeck", {}) if isinstance(metadata, dict) else {}
    if not isinstance(kept, dict):
        raise ValueError("metadata.ragdeck is not an object")
    checks: list[Any] = list(as_list(kept.get("checks"), "metadata.ragdeck.checks"))
    references: list[str] = []
    unknown: list[str] = []
    refuse = False
    for item in as_list(test.get("assert"), "assert"):
        kind, value = (item.get("type"), item.get("value")) if isinstance(item, dict) else (None, None)
        if isinstance(value, str) and value.startswith("file://"):
            unknown.append(f"{kind} of a file")
        elif kind in _SAME_CHECKS:
            checks.append({"type": kind, "value": value})
        elif kind == "similar":
            references += as_texts(value, "similar")
        elif kind == "is-refusal":
            refuse = True
        else:
            unknown.append(str(kind))
    values = {
        **{key: value for key, value in kept.items() if key != "checks"},
        "question": question,
        "references": references,
        "checks": checks,
        "should_refuse": refuse,
    }
    return values, unknown


def write_promptfoo(cases: Sequence[Case], path: Path) -> None:
    """Write tests; what promptfoo has no place for goes into metadata.ragdeck."""
    tests = []
    for case in cases:
        asserts: list[dict[str, Any]] = [{"type": "similar", "value": list(case.references)}] * bool(
            case.references
        )
        asserts += [
            {"type": c.type, **({} if c.value is None else {"value": c.value})}
            for c in case.checks
            if c.type in _SAME_CHECKS
        ]
        asserts += [{"type": "is-refusal"}] * case.should_refuse
        kept = case.model_dump(
            mode="json", exclude_defaults=True, include={"key", "judgements", "tags", "weight", "cluster"}
        )
        own = [c.model_dump(mode="json") for c in case.checks if c.type not in _SAME_CHECKS]
        if own:
            kept["checks"] = own
        test = {"vars": {"question": case.question}, "assert": asserts, "metadata": {"ragdeck": kept}}
        tests.append({key: value for key, value in test.items() if value})
    write_text(path, yaml.dump({"tests": tests}, Dumper=_NoAliases, allow_unicode=True, sort_keys=False))


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
