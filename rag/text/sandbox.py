"""Renders templates of others in a sandbox with bounds: prompts that people write, chat templates of models.

Jinja2's own sandbox keeps a template from Python's insides and limits range(); it does not limit time or
memory: loops inside loops, x ~ x in a loop, "%9999999999d" and the like still take the machine. So every loop
counts its steps against one budget, every operation and filter that makes texts larger is checked before or
while it does, and what cannot be checked (center, format, methods of texts that pad) is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, ClassVar

from jinja2 import Environment, StrictUndefined, TemplateError, nodes, pass_context, pass_environment
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

MOST_TEMPLATE = 100_000  # characters
MOST_OUTPUT = 1_000_000  # characters; far more than a model reads
MOST_STEPS = 100_000
MOST_SECONDS = 2.0
_LONGEST_STEP_S = 0.5  # what one step counts at most: Python may collect garbage for seconds meanwhile

# Whatever a template does wrong comes as one of these.
WRONG = (
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


def reason(error: BaseException) -> str:
    """Return what a template did wrong, as the end of a sentence without its full stop."""
    if isinstance(error, RecursionError | MemoryError):
        return "it is nested too deep"
    line = getattr(error, "lineno", None)
    text = str(error)[:300].strip().rstrip(".") or type(error).__name__
    text = "".join(character if character.isprintable() else " " for character in text)
    return f"line {line}: {text}" if line else text


# --- the sandbox ------------------------------------------------------------------------------------------


class TooMuch(TemplateError):
    """A template takes more than it may: time, steps or room."""


def check_size(size: int) -> None:
    """Refuse what is larger than a template may make."""
    if size > MOST_OUTPUT:
        raise TooMuch(f"it makes more than {MOST_OUTPUT:,} characters or items")


def sized(value: Any) -> Any:
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
            check_size(MOST_OUTPUT + 1)
    return value


def _bounded_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter with bounded arguments and result; jinja2's marks (pass_context …) are kept."""

    @wraps(function)
    def bounded(*arguments: Any, **named: Any) -> Any:
        for argument in (*arguments, *named.values()):
            if isinstance(argument, str | list | tuple | dict):
                sized(argument)
        return sized(function(*arguments, **named))

    return bounded


@pass_environment
def _join(
    environment: Environment, items: Iterable[Any], separator: str = "", attribute: str | None = None
) -> str:
    # The environment's own way to an attribute: getattr would pass by the sandbox.
    chosen: Callable[[Any], Any] = make_attrgetter(environment, attribute)

    def texts() -> Iterator[str]:
        for item in items:
            yield str(sized(chosen(item)))

    return concat(part for pair in enumerate(texts()) for part in (separator if pair[0] else "", pair[1]))


def _round(value: Any, precision: int = 0) -> float:
    return round(float(value), max(-20, min(int(precision), 20)))


def concat(pieces: Iterable[str]) -> str:
    """Join what a template, a macro or a block wrote, as long as it is not too much."""
    parts, size = [], 0
    for piece in pieces:
        size += len(piece)
        check_size(size)
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
    "find count isdigit isalpha isalnum isupper islower isspace removeprefix removesuffix".split()
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


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """One rendering: the budget is its own."""

    intercepted_binops: ClassVar[frozenset[str]] = frozenset(["+", "*", "**", "%"])  # type: ignore[misc]
    concat = staticmethod(concat)
    more_filters: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    """Filters besides those of every template; they have to bound what they make."""
    text_methods: ClassVar[Mapping[str, Callable[..., Any] | None]] = dict.fromkeys(_TEXT_METHODS)
    """The methods of texts that may be called, each with what is called instead of it if it needs bounds."""

    def __init__(self, **options: Any) -> None:
        """Begin a rendering. options: those of jinja2's environment, beside the bounds."""
        super().__init__(**{"undefined": StrictUndefined, "finalize": sized, **options})
        self._steps = 0
        self._used_s, self._last_s = 0.0, time.thread_time()  # a busy computer does not count
        # pass_context keeps jinja2 from running them at compile time.
        self.filters = {
            **{name: self._stepped(made) for name, made in (_FILTERS | dict(self.more_filters)).items()},
            "_counted": pass_context(lambda _context, items: self._counted(items)),
            "_sized": pass_context(lambda _context, value: sized(value)),
        }
        self.tests = {name: self._stepped(function) for name, function in self.tests.items()}
        self.globals = {"range": safe_range, "dict": dict, "namespace": Namespace}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Wrap().visit(super()._parse(source, name, filename))
        return tree

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooMuch(f"its loops take more than {MOST_STEPS:,} steps")
        now = time.thread_time()
        self._used_s += min(now - self._last_s, _LONGEST_STEP_S)
        self._last_s = now
        if self._used_s > MOST_SECONDS:
            raise TooMuch(f"it takes longer than {MOST_SECONDS:.0f} s")

    def _stepped(self, function: Any) -> Callable[..., Any]:
        """Return a filter or a test that counts as a step: map and select call them once for each item."""

        @wraps(function)
        def stepped(*arguments: Any, **named: Any) -> Any:
            self._step()
            return function(*arguments, **named)

        return stepped

    def _counted(self, items: Any) -> Iterable[Any]:
        if isinstance(items, Undefined):
            return items  # says itself that it is undefined
        return self._counting(items)

    def _counting(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._step()
            yield item

    def call(self, context: Context, obj: Any, /, *arguments: Any, **named: Any) -> Any:  # type: ignore[override]
        """Call what a template calls: that counts as a step."""
        self._step()
        text = getattr(obj, "__self__", None)
        if isinstance(text, str) and (instead := self.text_methods.get(getattr(obj, "__name__", ""))):
            return sized(instead(text, *arguments, **named))
        return sized(super().call(context, obj, *arguments, **named))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow only methods of texts that do not make them longer; to_bytes of a number fills memory."""
        if isinstance(obj, int | float | bytes) or (isinstance(obj, str) and attr not in self.text_methods):
            return False
        return bool(super().is_safe_attribute(obj, attr, value))

    def wrap_str_format(self, value: Any) -> None:
        """Leave format and format_map to is_safe_attribute: jinja2 would let them pad a text to any width."""

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute what a template computes, unless the result would be too large."""
        self._step()
        if operator == "%" and isinstance(left, str):
            raise TooMuch("texts cannot be formatted with %")
        if operator == "+":
            sized([left, right])
        if operator == "*":
            _check_product(left, right)
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            check_size(left.bit_length() * right * _BIT)
        return sized(super().call_binop(context, operator, left, right))


_BIT = MOST_OUTPUT // 10_000  # whole numbers have at most 10,000 bits


def _check_product(left: Any, right: Any) -> None:
    for repeated, times in ((left, right), (right, left)):
        if isinstance(repeated, str | list | tuple) and isinstance(times, int):
            check_size(len(repeated) * times)
    if isinstance(left, int) and isinstance(right, int):
        check_size((left.bit_length() + right.bit_length()) * _BIT)
