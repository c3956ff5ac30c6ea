"""Prompt templates: a system and a user part in Jinja2, rendered in a sandbox with bounds.

Jinja2's own sandbox keeps a template from Python's insides and limits range(); it does not limit time or
memory: loops inside loops, x ~ x in a loop, "%9999999999d" and the like still take the machine. So every loop
counts its steps against one budget, every operation and filter that makes texts larger is checked before or
while it does, and what cannot be checked (center, format, replace, methods of texts that pad) is left out.
"""

from __future__ import annotations

import hashlib
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import StrictUndefined, TemplateError, meta, nodes, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from rag.errors import RagError
from rag.index.rows import Hit

MOST_TEMPLATE = 100_000  # characters of a part
MOST_OUTPUT = 1_000_000  # characters; far more than a model reads
MOST_STEPS = 100_000
MOST_SECONDS = 2.0


@dataclass(frozen=True)
class PromptTemplate:
    """A prompt as it is used. version_id and version are None for a text that is not in the registry."""

    name: str
    system: str
    user: str
    version_id: int | None = None
    version: int | None = None

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the sha256 of both parts."""
        return hashlib.sha256(f"{self.system}\0{self.user}".encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def uses_passages(self) -> bool:
        """Whether either part has the passages; a model that does not see them cannot cite them."""
        parts = (self.system, self.user)
        return any("passages" in template_variables(part) for part in parts)

    def messages(
        self, question: str, passages: Sequence[Hit], history: Sequence[tuple[str, str]] = ()
    ) -> list[dict[str, str]]:
        """Return the conversation to send: earlier turns as they were, passages for this question."""
        values = {"question": question, "passages": passages}
        system = render(self.system, values, f"system part of “{self.name}”")
        user = render(self.user, values, f"user part of “{self.name}”")
        earlier = [
            message
            for asked, answered in history
            for message in (
                {"role": "user", "content": asked},
                {"role": "assistant", "content": answered},
            )
        ]
        return [
            {"role": "system", "content": system.strip()},
            *earlier,
            {"role": "user", "content": user.strip()},
        ]


def load_prompt(path: Path) -> PromptTemplate:
    """Read a prompt from a TOML file with name, system and user. Raises RagError when it is none."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        return PromptTemplate(str(data["name"]), str(data["system"]).strip(), str(data["user"]).strip())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise RagError(f"The prompt file {path} cannot be used: {error}.") from error


def render(template: str, values: Mapping[str, Any], what: str = "template") -> str:
    """Return the text that a template makes of values.

    Raises RagError with one sentence when it is wrong, asks for what it is not given, or takes more than 2 s,
    100,000 steps of loops or 1,000,000 characters.
    """
    environment = _Bounded()
    try:
        return environment.from_string(template).render(values)
    except _WRONG as error:
        raise RagError(f"The {what} cannot be rendered: {_reason(error)}.") from error


def template_variables(template: str, what: str = "template") -> tuple[str, ...]:
    """Return the names that a template asks for, sorted. Raises RagError when it is not a template."""
    if len(template) > MOST_TEMPLATE:
        raise RagError(f"The {what} has {len(template):,} characters; at most {MOST_TEMPLATE:,} are kept.")
    environment = _Bounded()
    try:
        environment.compile(template)  # also finds filters that there are not
        names = meta.find_undeclared_variables(environment.parse(template))
    except _WRONG as error:
        raise RagError(f"The {what} is not a template: {_reason(error)}.") from error
    return tuple(sorted(names - set(environment.globals)))


# Whatever a template does wrong comes as one of these.
_WRONG = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,  # parentheses nested too deep for Python's parser
    TypeError,
    ValueError,
)


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError | MemoryError):
        return "it is nested too deep"
    line = getattr(error, "lineno", None)
    text = (str(error).strip().rstrip(".") or type(error).__name__).replace("\n", " ")[:300]
    return f"line {line}: {text}" if line else text


# --- the sandbox ------------------------------------------------------------------------------------------


class _TooMuch(TemplateError):
    pass


def _check_size(size: int) -> None:
    if size > MOST_OUTPUT:
        raise _TooMuch(f"it makes more than {MOST_OUTPUT:,} characters or items")


def _sized(value: Any) -> Any:
    """Return the value if writing it out stays within the bound: lists of lists share what they hold."""
    left, open_values = MOST_OUTPUT, [value]
    while open_values:
        one = open_values.pop()
        if isinstance(one, str):
            left -= len(one)
        elif isinstance(one, int):
            left -= 1 + one.bit_length() // 3
        else:
            left -= 1
        if isinstance(one, Mapping):
            open_values.extend(one.keys())
            open_values.extend(one.values())
        elif isinstance(one, list | tuple | set | frozenset):
            open_values.extend(one)
        if left < 0:
            _check_size(MOST_OUTPUT + 1)
    return value


def _bounded_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter with bounded arguments and result; jinja2's marks (pass_context …) are kept."""

    @wraps(function)
    def bounded(*arguments: Any, **named: Any) -> Any:
        for argument in (*arguments, *named.values()):
            if isinstance(argument, str | list | tuple | dict):
                _sized(argument)
        return _sized(function(*arguments, **named))

    return bounded


def _join(items: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    def texts() -> Iterator[str]:
        for item in items:
            chosen = item if attribute is None else getattr(item, attribute, None)
            if chosen is None and isinstance(item, Mapping):
                chosen = item.get(attribute)
            yield str(_sized(chosen))

    return _concat(part for pair in enumerate(texts()) for part in (separator if pair[0] else "", pair[1]))


def _round(value: Any, precision: int = 0) -> float:
    return round(float(value), max(-20, min(int(precision), 20)))


def _concat(pieces: Iterable[str]) -> str:
    """Join what a template, a macro or a block wrote, as long as it is not too much."""
    parts, size = [], 0
    for piece in pieces:
        size += len(piece)
        _check_size(size)
        parts.append(piece)
    return "".join(parts)


# Filters whose result cannot be much larger than what they are given.
_FILTERS: dict[str, Callable[..., Any]] = {
    name: _bounded_filter(FILTERS[name])
    for name in (
        "abs capitalize count d default dictsort e escape first float groupby int items last length list "
        "lower map max min reject rejectattr reverse safe select selectattr sort string striptags sum title "
        "tojson trim truncate unique upper wordcount"
    ).split()
}
_FILTERS.update(join=_join, round=_round)
_TEXT_METHODS = frozenset(
    "startswith endswith strip lstrip rstrip lower upper title capitalize split rsplit splitlines partition "
    "find "
    "count isdigit isalpha isalnum isupper islower isspace removeprefix removesuffix".split()
)


class _Wrap(NodeTransformer):
    """Puts a counter around what every loop goes through, and a check around what makes values larger.

    Lists are checked where they are written: ten lists of ten lists of … take no room, until one is compared.
    """

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_counted", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        node.nodes = [_checked(part) for part in node.nodes]
        return _checked(node)

    def visit_List(self, node: nodes.List | nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _checked(node)

    visit_Dict = visit_List

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _checked(node) if node.ctx == "load" else node


def _checked(node: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, "_sized", [], [], None, None, lineno=node.lineno)


class _Bounded(ImmutableSandboxedEnvironment):
    """One rendering: the budget is its own."""

    intercepted_binops: ClassVar[frozenset[str]] = frozenset(["+", "*", "**", "%"])  # type: ignore[misc]
    concat = staticmethod(_concat)

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=False, finalize=_sized)
        self._steps = 0
        self._deadline = time.monotonic() + MOST_SECONDS
        # pass_context keeps jinja2 from running them at compile time.
        self.filters = {
            **_FILTERS,
            "_counted": pass_context(lambda _context, items: self._counted(items)),
            "_sized": pass_context(lambda _context, value: _sized(value)),
        }
        self.globals = {"range": safe_range, "dict": dict, "namespace": Namespace}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Wrap().visit(super()._parse(source, name, filename))
        return tree

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise _TooMuch(f"its loops take more than {MOST_STEPS:,} steps")
        if time.monotonic() > self._deadline:
            raise _TooMuch(f"it takes longer than {MOST_SECONDS:.0f} s")

    def _counted(self, items: Any) -> Iterable[Any]:
        if isinstance(items, Undefined):
            return items  # says itself that it is undefined
        return self._counting(items)

    def _counting(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._step()
            yield item

    def call(self, context: Context, obj: Any, /, *arguments: Any, **named: Any) -> Any:  # type: ignore[override]
        self._step()
        return _sized(super().call(context, obj, *arguments, **named))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow only methods of texts that do not make them longer; to_bytes of a number fills memory."""
        if isinstance(obj, int | float | bytes) or (isinstance(obj, str) and attr not in _TEXT_METHODS):
            return False
        return bool(super().is_safe_attribute(obj, attr, value))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        self._step()
        if operator == "%" and isinstance(left, str):
            raise _TooMuch("texts cannot be formatted with %")
        if operator == "+":
            _sized([left, right])
        if operator == "*":
            _check_product(left, right)
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            _check_size(left.bit_length() * right * _BIT)
        return _sized(super().call_binop(context, operator, left, right))


_BIT = MOST_OUTPUT // 10_000  # whole numbers have at most 10,000 bits


def _check_product(left: Any, right: Any) -> None:
    for repeated, times in ((left, right), (right, left)):
        if isinstance(repeated, str | list | tuple) and isinstance(times, int):
            _check_size(len(repeated) * times)
    if isinstance(left, int) and isinstance(right, int):
        _check_size((left.bit_length() + right.bit_length()) * _BIT)
