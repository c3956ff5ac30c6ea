"""promptfoo tests: the assertions that are known here become checks, references and refusals.

Tests may be in other files of the configuration's folder. Nothing that a file asks for is run or fetched, and
no file outside that folder is read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats.assertions import Expected, read_written, take_assertion
from rag.evaluation.formats.entries import (
    Account,
    Entry,
    Options,
    Problem,
    Unused,
    as_list,
    has_content,
    read_json_lines,
    read_text,
    write_text,
)
from rag.evaluation.formats.records import TABLES
from rag.evaluation.formats.tables import read_table
from rag.evaluation.formats.yaml_files import load_yaml

MOST_YAML_BYTES = 20_000_000  # the parser takes about 10 s for these
_QUESTION_VARS = ("question", "query", "input", "prompt", "q", "user_input")
_SAME_CHECKS = ("contains", "not-contains", "equals", "regex", "not-regex", "is-json")
_MOST_COMBINATIONS = 1000
_VARIABLE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_EXPECTED = re.compile(r"__expected(\d*)")
_YAML = (".yaml", ".yml", ".json")
_NOT_HERE = "this program has prompts, models and pipelines of its own"
_ROOT_READ = ("tests", "defaultTest")
_TEST_LEFT = {
    "description": "a case has no description",
    "threshold": "checks pass or fail by themselves",
    "weight": "checks have no weight",
    "options": "questions and answers are taken as they are, without prefix, suffix or transform",
    "provider": _NOT_HERE,
    "providers": _NOT_HERE,
    "prompts": _NOT_HERE,
    "metadata": "a case has no metadata",
    "providerOutput": "it is what a system answered",
}

Test = tuple[str, Any]  # where it is, and what it is or the Problem


def read_promptfoo(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each test of a configuration, of a bare list of tests, or of a table of them.

    What an assertion or a test has that is not known here is left. Raises RagError when the file is not YAML
    or has no tests.
    """
    if path.suffix.lower() in TABLES:
        yield from _cases(_table_tests(path, options), {})
        return
    data, root = load_yaml(read_text(path, MOST_YAML_BYTES), path.name)
    tests, node = data, root
    default: Any = {}
    if isinstance(data, dict) and isinstance(root, yaml.MappingNode):
        tests = data.get("tests")
        node = next((value for key, value in root.value if key.value == "tests"), None)
        default = data.get("defaultTest") or {}
        for key, value in data.items():
            if key not in _ROOT_READ and has_content(value):
                yield (
                    "line 1",
                    Unused(str(key), "scenarios are not read" if key == "scenarios" else _NOT_HERE),
                )
    if not isinstance(default, dict):
        yield "line 1", Unused("defaultTest", "it is in another file")
        default = {}
    if isinstance(tests, str):
        yield from _cases(_file_tests(path, tests, options), default)
        return
    if not isinstance(tests, list) or not isinstance(node, yaml.SequenceNode):
        raise RagError(f"{path.name} has no list of tests.")
    for test, own in zip(tests, node.value, strict=True):
        place = f"line {own.start_mark.line + 1}"
        if isinstance(test, str):
            try:
                yield from _cases(_file_tests(path, test, options), default)
            except RagError as error:
                yield place, Problem(place, str(error).rstrip("."))
        else:
            yield from _cases([(place, test)], default)


# --- tests in other files and in tables -------------------------------------------------------------------


def _file_tests(config: Path, name: str, options: Options) -> list[Test]:
    """Return the tests of another file in the folder of the configuration. Raises RagError."""
    plain = name.removeprefix("file://")
    if "://" in plain:
        raise RagError(f"The tests {name} are not in a file. Nothing is fetched.")
    tests: list[Test] = []
    for path in _found_files(config, name, plain):
        tests += [(f"{path.name}, {place}", test) for place, test in _tests_of(path, options)]
    return tests


def _found_files(config: Path, name: str, plain: str) -> list[Path]:
    """Return the files of a name or a pattern, all in the folder of the configuration. Raises RagError."""
    folder = config.parent.resolve()
    try:
        pattern = any(c in plain for c in "*?[") and ".." not in plain
        found = sorted(folder.glob(plain)) if pattern else [folder / plain]
        outside = any(not path.resolve().is_relative_to(folder) for path in found)
        missing = not all(path.is_file() for path in found)
    except (OSError, ValueError, NotImplementedError) as error:  # too long, a null or half a character, "/*"
        raise RagError(f"The tests {name!r} are not the name of a file that can be opened.") from error
    if not found:
        raise RagError(f"No file matches the tests {name}.")
    if outside:
        raise RagError(f"The tests {name} are outside the folder of {config.name}, so they are not read.")
    if missing:
        raise RagError(f"The tests {name} are missing.")
    return found


def _tests_of(path: Path, options: Options) -> Iterable[Test]:
    suffix = path.suffix.lower()
    if suffix in TABLES:
        return _table_tests(path, options)
    if suffix == ".jsonl":
        return read_json_lines(path)
    if suffix not in _YAML:
        raise RagError(f"The tests of {path.name} are made by a program, and no program is run.")
    data, node = load_yaml(read_text(path, MOST_YAML_BYTES), path.name)
    if isinstance(data, dict):
        data, node = [data], None
    if not isinstance(data, list):
        raise RagError(f"{path.name} has no list of tests.")
    if not isinstance(node, yaml.SequenceNode):
        return [("line 1", one) for one in data]
    return [(f"line {own.start_mark.line + 1}", one) for one, own in zip(data, node.value, strict=True)]


def _table_tests(path: Path, options: Options) -> Iterator[Test]:
    """Yield each row of a table as a test: __expected columns are assertions, the others are vars."""
    for place, row in read_table(path, options):
        if isinstance(row, Problem):
            yield place, row
            continue
        test: dict[str, Any] = {"vars": {}, "assert": []}
        try:
            for header, text in row.items():
                if _EXPECTED.fullmatch(header):
                    test["assert"] += [read_written(text)] if text.strip() else []
                elif header.startswith("__metadata:"):
                    test.setdefault("metadata", {})[header.partition(":")[2]] = text
                elif header.startswith("__"):
                    test[header.removeprefix("__")] = text
                else:
                    test["vars"][header] = text
        except ValueError as error:
            yield place, Problem(place, str(error))
            continue
        yield place, test


# --- one test ---------------------------------------------------------------------------------------------


def _cases(tests: Iterable[Test], default: Mapping[str, Any]) -> Iterator[Entry]:
    for place, test in tests:
        if isinstance(test, Problem):
            yield place, Problem(place, test.message)
            continue
        account = Account()
        try:
            found = _promptfoo_cases(test, default, account)
        except ValueError as error:
            yield place, Problem(place, str(error))
            continue
        for values in found:
            yield place, values
        for name, why in account.left.items():
            yield place, Unused(name, why)


def _promptfoo_cases(test: Any, default: Mapping[str, Any], account: Account) -> list[dict[str, Any]]:
    """Return the values of the cases of a test: one for each combination of vars that are lists."""
    if not isinstance(test, dict) or not isinstance(test.get("vars"), dict):
        raise ValueError("a test needs vars")
    shared = default.get("vars") if isinstance(default.get("vars"), dict) else {}
    variables = {**(shared or {}), **test["vars"]}
    metadata = test.get("metadata") or {}
    kept = metadata.get("ragdeck", {}) if isinstance(metadata, dict) else {}
    if not isinstance(kept, dict):
        raise ValueError("metadata.ragdeck is not an object")
    expected = Expected(checks=list(as_list(kept.get("checks"), "metadata.ragdeck.checks")))
    for item in (
        *as_list(default.get("assert"), "assert of defaultTest"),
        *as_list(test.get("assert"), "assert"),
    ):
        take_assertion(item, expected, account)
    is_own = isinstance(metadata, dict) and set(metadata) <= {"ragdeck"}
    account.leave_others(test, ("vars", "assert", *["metadata"] * is_own), _TEST_LEFT)
    account.leave_others(default, ("vars", "assert"), _TEST_LEFT)
    questions = _questions(variables, account)
    values = {
        **{key: value for key, value in kept.items() if key != "checks"},
        "references": expected.references,
        "checks": expected.checks,
        "should_refuse": expected.should_refuse,
    }
    return [{**values, "question": question} for question in questions]


def _questions(variables: Mapping[str, Any], account: Account) -> list[str]:
    """Return the questions of a test, with the variables in them filled in. Raises ValueError."""
    name = next((v for v in _QUESTION_VARS if v in variables), None)
    if name is None:
        raise ValueError(f"none of the vars is called {', '.join(_QUESTION_VARS)}")
    lists = {key: value if isinstance(value, list) else [value] for key, value in variables.items()}
    used = _used_in(name, variables)
    for key in variables:
        if key not in used and has_content(variables[key]):
            account.leave(f"var {key}", "the question does not contain it")
    combinations = list(
        itertools.islice(itertools.product(*(lists[key] for key in used)), _MOST_COMBINATIONS + 1)
    )
    if len(combinations) > _MOST_COMBINATIONS:
        raise ValueError(f"its vars make more than {_MOST_COMBINATIONS:,} questions")
    return [_filled(name, dict(zip(used, values, strict=True))) for values in combinations]


def _used_in(name: str, variables: Mapping[str, Any]) -> list[str]:
    """Return the variables that a question needs: itself, and those that its text names."""
    used, waiting = list[str](), [name]
    while waiting:
        one = waiting.pop()
        if one in variables and one not in used:
            used.append(one)
            texts = variables[one] if isinstance(variables[one], list) else [variables[one]]
            waiting += [m[1] for text in texts if isinstance(text, str) for m in _VARIABLE.finditer(text)]
    return used


def _filled(name: str, values: Mapping[str, Any]) -> str:
    """Return a question with its {{variables}} filled in. Raises ValueError for what cannot be."""
    question = values[name]
    if not isinstance(question, str) or question.startswith("file://"):
        raise ValueError(f"{name} is not a text")

    def value_of(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if not isinstance(value, str | int | float):
            raise ValueError(f"the question contains {match[0]}, which the vars do not have as a text")
        return str(value)

    for _ in range(2):  # a variable may name another one
        question = _VARIABLE.sub(value_of, question)
    if "{%" in question or "{{" in question:
        raise ValueError("the question is a template that only promptfoo can fill in")
    return question


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
