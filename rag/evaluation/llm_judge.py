"""A local model as judge: it says by a rubric whether an answer is right, bound by a grammar.

Read its verdicts together with its agreement with people: judge_agreement() returns Cohen's kappa on the
answers that both judged, and the rate of right answers corrected for the judge's own errors (Rogan and
Gladen 1978).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.rows import JudgeAgreement, ResultRow
from rag.evaluation.statistics.agreement import cohens_kappa, rogan_gladen
from rag.models.catalogue import find_model, model_identity
from rag.models.chat_model import GenerationEnd, Token
from rag.models.endpoints.rows import endpoint_named_by
from rag.settings import GenerationSettings
from rag.text.thinking import without_thinking
from rag.workspace import Workspace

# The reason comes first: a model that has to say why before it says what judges better (Wei et al. 2022).
GRAMMAR = r"""
root ::= "{\"reason\": \"" text "\", \"verdict\": \"" ("right" | "wrong") "\"}"
text ::= [^"\\\x00-\x1f]{1,200}
"""
# The same for models that know no grammar of this kind.
SCHEMA = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "maxLength": 200},
        "verdict": {"type": "string", "enum": ["right", "wrong"]},
    },
    "required": ["reason", "verdict"],
    "additionalProperties": False,
}
RUBRIC = (
    "You compare an answer with a reference answer to the same question. The answer is right when it says "
    "the same as the reference; other words, more detail and markers such as [1] do not matter. It is wrong "
    "when it says something else, contradicts the reference, or does not answer. Where the reference says "
    "that the question cannot be answered, only declining is right."
)
UNANSWERABLE = "The question cannot be answered from the documents; declining is right."
_ROOM = 128  # tokens of a verdict


@dataclass(frozen=True)
class JudgeVerdict:
    """What the judge says of an answer, and why."""

    right: bool
    reason: str


class Judge:
    """A loaded model that judges answers by a rubric."""

    def __init__(self, workspace: Workspace, facts: dict[str, Any], collection: str = "") -> None:
        """Load the model.

        Args:
            workspace: Where the model is found.
            facts: What Judge.facts returned when the run began.
            collection: Whose answers are judged: a judge elsewhere sees them only when it allows that.

        Raises:
            RagError: The model cannot be loaded.
        """
        path = Path(facts["model"])
        if not endpoint_named_by(path) and not path.is_file():
            raise RagError(f"The judge's model {path} is missing. Put it back to continue.")
        self._settings = GenerationSettings(
            max_answer_tokens=_ROOM, temperature=0.0, seed=int(facts["seed"]) & 0x7FFFFFFF
        )
        self._model = workspace.chat_model(path, self._settings, collection=collection)
        self._rubric = str(facts["rubric"])

    @staticmethod
    def facts(workspace: Workspace, model: str, seed: int) -> dict[str, Any]:
        """Return everything a verdict depends on, as a run stores it. Raises NotFoundError."""
        path = find_model(workspace.database, workspace.settings, model)
        whole = f"{RUBRIC}\0{UNANSWERABLE}\0{GRAMMAR}"
        return {
            "model": str(path),
            "model_file": path.name,
            "model_sha256": model_identity(workspace.database, path),
            "rubric": RUBRIC,
            "rubric_sha256": hashlib.sha256(whole.encode()).hexdigest(),
            "seed": seed,
        }

    def verdict(self, case: Case, answer: str) -> JudgeVerdict:
        """Judge one answer. Raises RagError without a reference or when the prompt is too long."""
        references = list(case.right_answers) or ([UNANSWERABLE] if case.should_refuse else [])
        if not references:
            raise RagError("The case has no reference answer to judge by.")
        reference = " / ".join(references)
        messages = [
            {"role": "system", "content": self._rubric},
            {
                "role": "user",
                "content": f"Question: {case.question}\nReference: {reference}\nAnswer: {answer}\n\n"
                'Reply with {"reason": "…", "verdict": "right" or "wrong"}.',
            },
        ]
        prompt = without_thinking(self._model.render_chat(messages))
        text = ""
        for event in self._model.stream(prompt, self._settings, grammar=GRAMMAR, schema=SCHEMA):
            if isinstance(event, Token) and not event.is_thinking:
                text += event.text
            elif isinstance(event, GenerationEnd) and event.finish_reason == "length":
                raise RagError(f"The judge did not reach a verdict within {_ROOM} tokens.")
        return _verdict_in(text)


def _verdict_in(text: str) -> JudgeVerdict:
    """Return the verdict in what a judge wrote: an endpoint may write more around it, or something else."""
    try:
        said = json.loads(text[text.index("{") : text.rindex("}") + 1])
        verdict, reason = said["verdict"], str(said.get("reason", "")).strip()
    except (ValueError, TypeError, KeyError, AttributeError):
        verdict, reason = "", ""
    if verdict not in ("right", "wrong"):
        raise RagError("The judge did not answer in the form that was asked for.")
    return JudgeVerdict(verdict == "right", reason)


def judge_agreement(results: Sequence[ResultRow]) -> JudgeAgreement:
    """Compare the judge with people on the answers that both judged, and correct the rate that it found."""
    judged = [(r, bool(v)) for r in results if (v := r.metrics.get("judge")) is not None]
    both = [(r.verdict, said) for r, said in judged if r.verdict is not None]
    people, machine = [bool(p) for p, _ in both], [m for _, m in both]
    right = sum(people)
    corrected = rogan_gladen(
        sum(said for _, said in judged),
        len(judged),
        sum(p and m for p, m in zip(people, machine, strict=True)),
        right,
        sum(not p and not m for p, m in zip(people, machine, strict=True)),
        len(people) - right,
    )
    return JudgeAgreement(
        judged=len(judged),
        rate=sum(said for _, said in judged) / len(judged) if judged else None,
        both=len(both),
        agreed=sum(p == m for p, m in zip(people, machine, strict=True)),
        kappa=cohens_kappa(people, machine),
        corrected=corrected.rate if corrected else None,
        low=corrected.low if corrected else None,
        high=corrected.high if corrected else None,
    )
