"""Renders a conversation as the prompt that a model was trained on, by the chat template of its file.

Templates are written for the environment of transformers (`_compile_jinja_template` in its
utils/chat_template_utils.py), so they get the same names here, inside the bounds of rag.text.sandbox: a file
from anywhere may bring an endless loop.

Many models refuse a system role or want contents in parts. What a template refuses in one form is given to it
in the next: see _forms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

from jinja2 import TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser

from rag.errors import ModelError
from rag.text.sandbox import (
    MOST_TEMPLATE,
    WRONG,
    BoundedEnvironment,
    TooMuch,
    check_size,
    concat,
    reason,
)

Message = Mapping[str, str]

NO_SYSTEM_ROLE = (
    "the model's chat template has no system role: the instructions stand before the first question"
)
_LONGEST_TIME_FORMAT = 100


@dataclass(frozen=True)
class RenderedChat:
    """A conversation as a model reads it; note says what was done for the template's sake, "" if nothing."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class TemplateCheck:
    """What is known of a chat template: why it cannot be used, or what is done for its sake."""

    problem: str = ""
    note: str = ""


# Templates that may be chosen instead of a file's own, by the names that people know. rag.settings has the
# same names.
BUILT_IN = {
    "chatml": """
{%- for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content ~ '<|im_end|>\n' }}{% endfor %}
{{- '<|im_start|>assistant\n' }}""",
    "llama-3": """
{{- bos_token }}{% for m in messages %}
{{- '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\n\n' ~ m.content | trim ~ '<|eot_id|>' }}{% endfor %}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}""",
    "gemma": """
{{- bos_token }}{% for m in messages %}
{%- if m.role == 'system' %}{{ raise_exception('there is no system role') }}{% endif %}
{{- '<start_of_turn>' ~ ('model' if m.role == 'assistant' else 'user') ~ '\n' ~ m.content | trim }}
{{- '<end_of_turn>\n' }}{% endfor %}{{ '<start_of_turn>model\n' }}""",
    "mistral": """
{{- bos_token }}{% for m in messages %}
{%- if m.role == 'system' %}{{ raise_exception('there is no system role') }}
{%- elif m.role == 'assistant' %}{{ ' ' ~ m.content | trim ~ eos_token }}
{%- else %}{{ '[INST] ' ~ m.content | trim ~ ' [/INST]' }}{% endif %}{% endfor %}""",
    "phi-3": """
{%- for m in messages %}{{ '<|' ~ m.role ~ '|>\n' ~ m.content ~ '<|end|>\n' }}{% endfor %}
{{- '<|assistant|>\n' }}""",
    "plain": """
{%- for m in messages %}{{ m.role | capitalize ~ ': ' ~ m.content ~ '\n\n' }}{% endfor %}Assistant:""",
}


def render_chat(template: str, messages: Sequence[Message], bos: str = "", eos: str = "") -> RenderedChat:
    """Return the prompt for a conversation.

    Args:
        template: The source of a chat template.
        messages: Dicts with "role" (system, user, assistant) and "content".
        bos: The text of the token that begins a sequence.
        eos: The text of the token that ends one.

    Raises:
        ModelError: The template cannot be used, or leaves out what is asked. The sentence says why, and not
            of which file.
    """
    if len(template) > MOST_TEMPLATE:
        raise ModelError(f"it has {len(template):,} characters; at most {MOST_TEMPLATE:,} are read")
    failure: BaseException | None = None
    for note, form in _forms(messages):
        try:
            text = _render(template, form, bos, eos)
        except WRONG as error:
            if isinstance(error, TooMuch | TemplateSyntaxError | RecursionError | MemoryError):
                raise ModelError(reason(error)) from error  # another form would do the same
            failure = error
            continue
        if _says(text, form):
            return RenderedChat(text, note)
        failure = failure or TemplateError("it leaves out the instructions or the question")
    assert failure is not None  # there is a first form
    raise ModelError(reason(failure)) from failure


@lru_cache(maxsize=512)
def check_template(template: str) -> TemplateCheck:
    """Try a template with a conversation such as the program has, follow-up included."""
    try:
        return TemplateCheck(note=render_chat(template, _TRIAL, "<s>", "</s>").note)
    except ModelError as error:
        return TemplateCheck(problem=str(error))


def template_problem(file: str, why: str) -> str:
    """Return the sentence on a file whose chat template cannot be used, with what to do."""
    return (
        f"The chat template of {file} cannot be used: {why}. Choose a built-in one on the Models page, "
        f"or by `ragdeck models --template`: {', '.join(BUILT_IN)}."
    )


_TRIAL: tuple[Message, ...] = (
    {"role": "system", "content": "Answer from the passages."},
    {"role": "user", "content": "What does rye bread need?"},
    {"role": "assistant", "content": "Sourdough [1]."},
    {"role": "user", "content": "And for how long?"},
)


# --- forms of a conversation ------------------------------------------------------------------------------


def _forms(messages: Sequence[Message]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the conversation as it is, then as templates want it that do not take it like that.

    Each comes with the note for the person who asks.
    """
    plain = [dict(message) for message in messages]
    folded = _without_system(plain)
    yield "", plain
    if folded != plain:
        yield NO_SYSTEM_ROLE, folded
    yield "", _in_parts(plain)
    if folded != plain:
        yield NO_SYSTEM_ROLE, _in_parts(folded)


def _without_system(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put system messages before what the person says next; roles alternate then, as such templates want."""
    merged: list[dict[str, Any]] = []
    for message in messages:
        role = "user" if message["role"] == "system" else message["role"]
        if merged and merged[-1]["role"] == role:
            joined = f"{merged[-1]['content']}\n\n{message['content']}".strip()
            merged[-1] = {**merged[-1], "content": joined}
        else:
            merged.append({**message, "role": role})
    return merged


def _in_parts(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return contents as lists of parts, as templates for pictures and sound want them."""
    return [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in messages]


def _says(text: str, form: Sequence[dict[str, Any]]) -> bool:
    """Return whether a prompt has all that is asked; white space does not count, earlier answers neither."""
    said = "".join(text.split())
    for message in form:
        content = message["content"]
        words = content if isinstance(content, str) else content[0]["text"]
        if message["role"] != "assistant" and "".join(words.split()) not in said:
            return False
    return True


# --- the environment --------------------------------------------------------------------------------------


def _render(template: str, messages: Sequence[dict[str, Any]], bos: str, eos: str) -> str:
    environment = _ChatEnvironment(
        undefined=Undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[loopcontrols, _Generation],
    )
    environment.globals |= {"raise_exception": _refuse, "strftime_now": _time_now}
    return environment.from_string(template).render(
        messages=messages,
        add_generation_prompt=True,
        bos_token=bos,
        eos_token=eos,
        tools=None,
        documents=None,
    )


class _Generation(Extension):
    """The tag around what an assistant says, which transformers uses to find it again; here it is nothing."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Return the body of the tag as it is."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _refuse(message: str = "") -> str:
    raise TemplateError(str(message))


def _time_now(pattern: str) -> str:
    return datetime.now().strftime(str(pattern)[:_LONGEST_TIME_FORMAT])


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    if isinstance(indent, int):
        indent = min(indent, 16)
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text, old, new = str(value), str(old), str(new)
    times = text.count(old) if old else len(text) + 1
    times = times if count is None or count < 0 else min(times, count)
    check_size(len(text) + times * max(len(new) - len(old), 0))
    return text.replace(old, new, times)


def _join(separator: str, items: Iterable[Any]) -> str:
    return concat(part for n, item in enumerate(items) for part in (separator if n else "", str(item)))


def _indent(text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    lead = width if isinstance(width, str) else " " * min(int(width), 1000)
    lines = str(text).split("\n")
    check_size(len(str(text)) + len(lines) * len(lead))
    return "\n".join(
        lead + line if (n or first) and (line or blank) else line for n, line in enumerate(lines)
    )


class _ChatEnvironment(BoundedEnvironment):
    """One rendering of a chat template."""

    more_filters: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "tojson": _to_json,
        "replace": _replace,
        "indent": _indent,
    }
    text_methods: ClassVar[Mapping[str, Callable[..., Any] | None]] = {
        **BoundedEnvironment.text_methods,
        **dict.fromkeys(("index", "rindex", "rfind", "rpartition", "casefold", "swapcase", "isidentifier")),
        "replace": _replace,
        "join": _join,
    }
