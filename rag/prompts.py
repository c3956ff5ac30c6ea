"""Prompt templates: files with a system and a user part, rendered in Jinja2's sandbox, known by fingerprint."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rag.errors import RagError
from rag.events import Hit


@dataclass(frozen=True)
class PromptTemplate:
    name: str
    system: str
    user: str

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the sha256 of both parts."""
        return hashlib.sha256(f"{self.system}\0{self.user}".encode()).hexdigest()[:16]

    def messages(
        self, question: str, passages: Sequence[Hit], history: Sequence[tuple[str, str]] = ()
    ) -> list[dict[str, str]]:
        """The conversation to send: earlier questions and answers as they were, passages for this one."""
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)
        try:
            system = environment.from_string(self.system).render(question=question)
            user = environment.from_string(self.user).render(question=question, passages=passages)
        except TemplateError as error:
            raise RagError(f"The prompt “{self.name}” cannot be rendered: {error}.") from error
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
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        return PromptTemplate(str(data["name"]), str(data["system"]).strip(), str(data["user"]).strip())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise RagError(f"The prompt file {path} cannot be used: {error}.") from error
