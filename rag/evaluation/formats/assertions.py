"""promptfoo's assertions as checks, references and refusals of a case."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.evaluation.formats.entries import Account, as_list, has_content

# Of an assertion written as text, such as "contains: 18 kg", "similar(0.8): eighteen" or "is-json".
_WRITTEN = re.compile(
    r"(?P<type>(?:not-)?[a-z][a-z0-9-]*)(?:\((?P<threshold>[\d.]+)\))?(?::\s*(?P<value>.*))?", re.DOTALL
)
_SAME = ("contains", "not-contains", "equals", "regex", "not-regex", "is-json")
# Their value is a right answer; how near to it an answer must be is not checked here.
_REFERENCES = (
    "similar", "factuality", "model-graded-factuality", "levenshtein", "rouge-n", "bleu", "gleu", "meteor",
)  # fmt: skip
_KNOWN = frozenset(
    "answer-relevance bleu classifier contains contains-all contains-any contains-html "
    "contains-json contains-sql contains-xml context-faithfulness context-recall "
    "context-relevance conversation-relevance cost equals factuality finish-reason g-eval gleu "
    "guardrails icontains icontains-all icontains-any is-html is-json is-refusal is-sql "
    "is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call is-xml "
    "javascript latency levenshtein llm-rubric meteor model-graded-closedqa "
    "model-graded-factuality moderation perplexity perplexity-score pi python regex rouge-n ruby "
    "search-rubric select-best max-score similar similar:cosine similar:dot starts-with "
    "trace-error-spans trace-span-count trace-span-duration webhook word-count".split()
)
_MODEL = "it needs a model that grades; --judge of an evaluation does that"
_CODE = "code of a file is not run"
_WHY = {
    "llm-rubric": _MODEL, "model-graded-closedqa": _MODEL, "g-eval": _MODEL, "answer-relevance": _MODEL,
    "context-faithfulness": "faithfulness is measured of every answer",
    "context-recall": "context recall is measured from relevant passages",
    "context-relevance": _MODEL, "search-rubric": _MODEL, "select-best": _MODEL, "max-score": _MODEL,
    "javascript": _CODE, "python": _CODE, "ruby": _CODE, "webhook": "nothing is fetched",
    "latency": "use a gate on total_ms", "cost": "a model of one's own has no price",
}  # fmt: skip
_OTHER = "there is no such check"
_READ = ("type", "value")
_PREFIXES = (
    ("javascript:", "javascript"), ("fn:", "javascript"), ("eval:", "javascript"), ("python:", "python"),
    ("file://", "javascript"), ("grade:", "llm-rubric"),
)  # fmt: skip
_LEFT = {
    "threshold": "a check passes or fails, and similarity is a metric",
    "weight": "checks have no weight",
    "metric": "checks have no names",
    "transform": "answers are checked as they are",
    "provider": "no other model is asked",
    "rubricPrompt": "no other model is asked",
    "config": "checks have no configuration",
}


@dataclass
class Expected:
    """What the assertions of a test say of its answer."""

    checks: list[Any] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    should_refuse: bool = False


def read_written(text: str) -> dict[str, Any]:
    """Return an assertion that is written as text in a cell; any other text must equal the answer."""
    plain = text.strip()
    for start, kind in _PREFIXES:
        if plain.startswith(start):
            return {"type": kind, "value": plain.removeprefix(start).strip()}
    match = _WRITTEN.fullmatch(plain)
    if match is None or match["type"].removeprefix("not-") not in _KNOWN:
        return {"type": "equals", "value": plain}
    found: dict[str, Any] = {"type": match["type"]}
    if match["value"] is not None:
        value = match["value"].strip()
        found["value"] = _listed(value) if match["type"].endswith(("-all", "-any")) else value
    if match["threshold"]:
        found["threshold"] = float(match["threshold"])
    if found["type"] == "is-json" and found.pop("value", ""):
        found["value"] = _schema(match["value"])
    return found


def _schema(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the schema of is-json is not JSON ({error})") from error


def _listed(text: str) -> list[str]:
    row = next(csv.reader([text], skipinitialspace=True), [])
    return [cell.strip() for cell in row if cell.strip()]


def take_assertion(item: Any, expected: Expected, account: Account) -> None:
    """Add what an assertion means; what it has beyond that is left. Raises ValueError when it is none."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise ValueError("an assertion needs a type")
    kind, value = item["type"], item.get("value")
    if kind == "assert-set":
        for one in as_list(item.get("assert"), "assert"):
            take_assertion(one, expected, account)
        _leave(item, ("type", "assert"), account)
        return
    if isinstance(value, str) and value.startswith("file://"):
        account.leave(f"assertion {kind} of a file", "files that an assertion names are not read")
        return
    checks = _checks(kind, value)
    if checks is not None:
        expected.checks += checks
    elif kind.partition(":")[0] in _REFERENCES:
        values = [value] if isinstance(value, str) else as_list(value, kind)
        if not all(isinstance(one, str) for one in values):
            raise ValueError(f"{kind} is not a list of texts")
        expected.references += [one for one in values if one.strip()]
    elif kind == "is-refusal":
        expected.should_refuse = True
    else:
        account.leave(f"assertion {kind}", _WHY.get(kind.removeprefix("not-"), _OTHER))
        return
    _leave(item, _READ, account)


def _leave(item: Mapping[str, Any], read: tuple[str, ...], account: Account) -> None:
    for key, value in item.items():
        if key not in read and has_content(value):
            account.leave(f"{key} of the assertion {item['type']}", _LEFT.get(key, _OTHER))


def _checks(kind: str, value: Any) -> list[dict[str, Any]] | None:
    """Return the checks that mean the same as an assertion; None: there are none."""
    if kind in _SAME:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return [{"type": kind, "value": str(value) if is_number and kind != "is-json" else value}]
    texts = [str(one) for one in (value if isinstance(value, list) else [value]) if has_content(one)]
    if not texts:
        return None
    found = [re.escape(text) for text in texts]
    one, either = found[0], "|".join(found)
    all_of = "".join(f"(?=.*{text})" for text in found)
    patterns = {
        "icontains": ("regex", f"(?i){one}"),
        "not-icontains": ("not-regex", f"(?i){one}"),
        "starts-with": ("regex", rf"\A{one}"),
        "not-starts-with": ("not-regex", rf"\A{one}"),
        "not-equals": ("not-regex", rf"\A\s*{one}\s*\Z"),
        "contains-any": ("regex", either),
        "not-contains-any": ("not-regex", either),
        "icontains-any": ("regex", f"(?i){either}"),
        "not-icontains-any": ("not-regex", f"(?i){either}"),
        "contains-all": ("regex", rf"(?s)\A{all_of}"),
        "not-contains-all": ("not-regex", rf"(?s)\A{all_of}"),
        "icontains-all": ("regex", rf"(?is)\A{all_of}"),
        "not-icontains-all": ("not-regex", rf"(?is)\A{all_of}"),
    }
    if kind not in patterns:
        return None
    name, pattern = patterns[kind]
    return [{"type": name, "value": pattern}]
