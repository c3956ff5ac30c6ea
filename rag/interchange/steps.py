"""Says what a received span means, in whichever vocabulary it was written.

OpenInference wins where both are present and disagree; what one leaves out the other fills in.
"""

from __future__ import annotations

from dataclasses import fields, replace

from rag.interchange import genai, openinference
from rag.interchange.rows import RawSpan, Step, StepKind, Usage


def step_of(span: RawSpan) -> Step:
    """Return what a span means; one that speaks neither vocabulary is unknown and keeps its texts."""
    step = openinference.read_step(span.attributes)
    if genai.is_genai(span.attributes) or any(e.name.startswith("gen_ai.") for e in span.events):
        step = _filled(step, genai.read_step(span.attributes, span.events))
    return _with_texts(step)


def _filled(step: Step, other: Step) -> Step:
    """Return the step with what it does not say taken from the other."""
    known = {
        f.name: getattr(other, f.name) for f in fields(step) if getattr(step, f.name) in ("", (), None)
    } | {"usage": _usage(step.usage, other.usage)}
    if step.kind is StepKind.UNKNOWN:
        known["kind"] = other.kind
    return replace(step, **known)


def _usage(usage: Usage, other: Usage) -> Usage:
    return Usage(
        *(
            getattr(usage, f.name) if getattr(usage, f.name) is not None else getattr(other, f.name)
            for f in fields(usage)
        )
    )


def _with_texts(step: Step) -> Step:
    """Return the step with its input and output made of its messages, where it has none of its own."""
    asked = [message for message in step.messages if message.role in ("user", "human", "")]
    if not step.input and asked:
        step = replace(step, input=asked[-1].content)
    if not step.output and step.answers:
        step = replace(step, output="\n".join(message.content for message in step.answers))
    return step
