"""The decision of a gate as files: JSON, and JUnit XML with a test case for each rule and for each case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

from rag.errors import RagError
from rag.evaluation.gates.rules import Decision
from rag.evaluation.pairing import GatheredRun
from rag.evaluation.rows import NO_ANSWER, CaseOutcome


def write_json(decision: Decision, path: Path) -> None:
    """Write {"run", "baseline", "passed", "sentence", "rows": [GateRow]}. Raises RagError."""
    document = {
        "run": decision.run,
        "baseline": decision.baseline,
        "passed": decision.passed,
        "sentence": decision.sentence(),
        "rows": [asdict(row) for row in decision.rows],
    }
    _write(path, json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n")


def write_junit(decisions: Sequence[Decision], path: Path) -> None:
    """Write a JUnit suite for the gates and one for the cases of each run, as CI systems show them.

    A rule that failed, and a case whose checks failed or that was declined wrongly, has a failure. A case
    that ended in an error or a timeout has an error: it was not wrong, it was not measured. Raises RagError.
    """
    root = ElementTree.Element("testsuites")
    for decision in decisions:
        rules = _suite(root, f"gate {decision.run}")
        for row in decision.rows:
            found = _case(rules, f"gate.{row.kind}", row.rule)
            if not row.passed:
                ElementTree.SubElement(found, "failure", {"message": _xml_text(row.reason)})
    runs = {decision.run: decision.results for decision in decisions}
    for name, results in runs.items():
        _write_cases(_suite(root, f"cases of {name}"), results)
    for suite in (*root, root):
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(count, str(sum(1 for _ in suite.iter(tag))))
    _write(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _write_cases(suite: ElementTree.Element, results: GatheredRun) -> None:
    for key, outcome in results.outcomes.items():
        case = results.cases.get(key)
        found = _case(suite, "case", f"{key}: {case.question}" if case else key)
        if outcome != CaseOutcome.OK:
            tag = "error" if outcome in NO_ANSWER else "failure"
            reason = results.reasons.get(key) or str(outcome)
            ElementTree.SubElement(found, tag, {"message": _xml_text(reason), "type": str(outcome)})


def _suite(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(root, "testsuite", {"name": _xml_text(name)})


def _case(suite: ElementTree.Element, kind: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": kind, "name": _xml_text(name)})


def _xml_text(text: str) -> str:
    """Return a text without control characters: XML 1.0 has none, not even escaped."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise RagError(f"{path} cannot be written ({error.strerror or error}).") from error
