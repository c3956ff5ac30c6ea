"""Prompt templates: a system and a user part in Jinja2, rendered in the sandbox of rag.text.sandbox."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import meta

from rag.errors import RagError
from rag.guardrails.injection import neutralise
from rag.index.rows import Hit
from rag.text.sandbox import MOST_TEMPLATE, WRONG, BoundedEnvironment, reason


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
        """Return the conversation to send: earlier turns as they were, passages for this question.

        Template tokens in any of these texts are neutralised: none of them can end a turn or begin another.
        """
        history = [(neutralise(asked), neutralise(answered)) for asked, answered in history]
        values = {"question": neutralise(question), "passages": [_harmless(hit) for hit in passages]}
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


def _harmless(hit: Hit) -> Hit:
    """Return a passage whose words the model reads as words."""
    text, document, place = (neutralise(part) for part in (hit.text, hit.document, hit.place))
    if (text, document, place) == (hit.text, hit.document, hit.place):
        return hit
    return replace(hit, text=text, document=document, place=place)


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
    environment = BoundedEnvironment()
    try:
        return environment.from_string(template).render(values)
    except WRONG as error:
        raise RagError(f"The {what} cannot be rendered: {reason(error)}.") from error


def template_variables(template: str, what: str = "template") -> tuple[str, ...]:
    """Return the names that a template asks for, sorted. Raises RagError when it is not a template."""
    if len(template) > MOST_TEMPLATE:
        raise RagError(f"The {what} has {len(template):,} characters; at most {MOST_TEMPLATE:,} are kept.")
    environment = BoundedEnvironment()
    try:
        environment.compile(template)  # also finds filters that there are not
        names = meta.find_undeclared_variables(environment.parse(template))
    except WRONG as error:
        raise RagError(f"The {what} is not a template: {reason(error)}.") from error
    return tuple(sorted(names - set(environment.globals)))
