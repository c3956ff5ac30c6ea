"""Makes one trace of the spans that arrived: a tree with plausible times, what was asked, answered and found.

Spans come late, twice, out of order, without their parents, and from computers whose clocks differ.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.interchange.attributes import parsed
from rag.interchange.rows import RawSpan, Retrieved, Step, StepKind, Usage
from rag.interchange.steps import step_of

_EARLIEST_NS = 946_684_800 * 10**9  # 2000-01-01: what is before was never set
_LATER_NS = 24 * 3600 * 10**9  # a clock may be ahead by so much
_LONGEST_NS = 7 * 24 * 3600 * 10**9  # of a span; a longer one is a clock that jumped
_QUESTION_KEYS = (
    "question",
    "query",
    "input",
    "user_input",
    "prompt",
    "text",
    "query_str",
    "content",
    "value",
)
_ANSWER_KEYS = (
    "answer",
    "output",
    "response",
    "result",
    "output_text",
    "text",
    "content",
    "generation",
    "value",
)


@dataclass(frozen=True)
class Node:
    """A span in its tree.

    Times are milliseconds since the trace began; `end_ms` is never before `start_ms`. `clock` says what was
    wrong with the times as they were sent, "" where nothing was. An orphan's parent never arrived.
    """

    span: RawSpan
    step: Step
    parent_id: str
    depth: int
    start_ms: float
    end_ms: float
    clock: str = ""
    is_orphan: bool = False

    @property
    def key(self) -> str:
        """The id of the span."""
        return self.span.span_id


@dataclass(frozen=True)
class ReceivedTrace:
    """What the spans of one trace say together.

    begin_ms counts from 1970. usage is the sum over calls of models, None where no call told it; `untold`
    counts the calls that did not. documents are what the answer could rest on: the last reranker's, or those
    of all retrievers, each text once.
    """

    trace_id: str
    application: str
    nodes: tuple[Node, ...]
    begin_ms: int
    duration_ms: float
    is_complete: bool
    error: str
    question: str
    answer: str
    documents: tuple[Retrieved, ...]
    model: str
    usage: Usage
    untold: int
    cost_usd: float | None
    session: str
    user: str
    tags: tuple[str, ...]


def trace_of(spans: Sequence[RawSpan], now_ns: int) -> ReceivedTrace:
    """Return the trace of some spans that have the same trace id; of a span that came twice, the last counts.

    Raises ValueError without a span.
    """
    latest = {span.span_id: span for span in spans}
    nodes = _tree(latest, now_ns)
    steps = [node.step for node in nodes]
    root = nodes[0]
    models = model_calls(nodes)
    named = Counter(node.step.model for node in models if node.step.model)
    told = [node.step.usage for node in models]
    costs = [node.step.cost_usd for node in models if node.step.cost_usd is not None]
    begins = [node.span.start_ns for node in nodes if _is_plausible(node.span.start_ns, now_ns)]
    return ReceivedTrace(
        trace_id=root.span.trace_id,
        application=next((n.span.service for n in nodes if n.span.service), ""),
        nodes=nodes,
        begin_ms=min(begins, default=now_ns) // 1_000_000,
        duration_ms=max(node.end_ms for node in nodes),
        is_complete=not root.is_orphan and root.span.end_ns > 0,
        error=root.span.error,
        question=_question(nodes),
        answer=_answer(nodes),
        documents=_documents(steps),
        model=named.most_common(1)[0][0] if named else "",
        usage=Usage(*(_sum([getattr(u, f) for u in told]) for f in Usage.__dataclass_fields__)),
        untold=sum(usage.prompt is None and usage.total is None for usage in told),
        cost_usd=sum(costs) if costs else None,
        session=next((step.session for step in steps if step.session), ""),
        user=next((step.user for step in steps if step.user), ""),
        tags=tuple(dict.fromkeys(tag for step in steps for tag in step.tags)),
    )


def _tree(spans: Mapping[str, RawSpan], now_ns: int) -> tuple[Node, ...]:
    """Return the spans as a tree, parents before children, children by their beginning.

    A span whose parent is missing hangs under the root; so does a ring of parents, cut where it begins first.
    """
    if not spans:
        raise ValueError("a trace has at least one span")
    order = sorted(
        spans.values(), key=lambda s: (not _is_plausible(s.start_ns, now_ns), s.start_ns, s.span_id)
    )
    roots = [span for span in order if not span.parent_id]
    root = (roots or [span for span in order if span.parent_id not in spans] or order)[0]
    children: dict[str, list[RawSpan]] = defaultdict(list)
    for span in order:
        if span is not root:
            children[span.parent_id if span.parent_id in spans else root.span_id].append(span)
    begin_ns = next((s.start_ns for s in order if _is_plausible(s.start_ns, now_ns)), now_ns)
    found: list[Node] = []
    seen: set[str] = set()

    def walk(start: RawSpan, start_parent: str, depth: int) -> None:
        stack = [(start, start_parent, depth)]
        while stack:
            span, parent, level = stack.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            found.append(_node(span, parent, level, begin_ns, now_ns, spans))
            stack += [(child, span.span_id, level + 1) for child in reversed(children[span.span_id])]

    walk(root, "", 0)
    for span in order:  # what is left hangs in a ring of parents
        if span.span_id not in seen:
            walk(span, root.span_id, 1)
    return tuple(found)


def _node(
    span: RawSpan, parent: str, depth: int, begin_ns: int, now_ns: int, spans: Mapping[str, RawSpan]
) -> Node:
    start_ns, clock = span.start_ns, ""
    if not _is_plausible(start_ns, now_ns):
        start_ns, clock = begin_ns, "the start was not told" if not start_ns else "the start is no real time"
    length = span.end_ns - span.start_ns
    if clock or not span.end_ns:
        length, clock = 0, clock or "the end was not told"
    elif length < 0:
        length, clock = 0, "it ends before it begins"
    elif length > _LONGEST_NS:
        length, clock = 0, "it is longer than a week"
    start_ms = (start_ns - begin_ns) / 1e6
    return Node(
        span=span,
        step=step_of(span),
        parent_id=parent,
        depth=depth,
        start_ms=start_ms,
        end_ms=start_ms + length / 1e6,
        clock=clock,
        is_orphan=bool(span.parent_id) and span.parent_id not in spans,
    )


def _is_plausible(time_ns: int, now_ns: int) -> bool:
    return _EARLIEST_NS <= time_ns <= now_ns + _LATER_NS


def model_calls(nodes: Sequence[Node]) -> list[Node]:
    """Return the calls of models; of one around another, as frameworks wrap a client, the inner."""
    parents = {node.key: node.parent_id for node in nodes}
    calls = {node.key: node for node in nodes if node.step.kind is StepKind.LLM}
    outer: set[str] = set()
    for key, node in calls.items():
        if node.step.usage == Usage():  # the inner one that tells nothing does not hide the outer one
            continue
        above = parents[key]
        while above:
            if above in calls:
                outer.add(above)
            above = parents.get(above, "")
    return [node for key, node in calls.items() if key not in outer]


def _sum(values: Sequence[int | None]) -> int | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def _question(nodes: Sequence[Node]) -> str:
    """Return what was asked: the root's input, else that of the first step that has one; tools come last."""
    asked = [node for node in nodes if node.step.input]
    first = next((n for n in asked if n.step.kind is not StepKind.TOOL), asked[0] if asked else None)
    if first is None:
        return ""
    return first.step.input if _is_plain(first, "input") else plain_question(first.step.input)


def _answer(nodes: Sequence[Node]) -> str:
    """Return what was answered: the root's output, else that of the last call of a model."""
    if nodes[0].step.output:
        output = nodes[0].step.output
        return output if _is_plain(nodes[0], "output") else plain_answer(output)
    calls = [node for node in nodes if node.step.kind is StepKind.LLM and node.step.output]
    return plain_answer(max(calls, key=lambda node: node.end_ms).step.output) if calls else ""


def _is_plain(node: Node, what: str) -> bool:
    """Return whether a span says of its input or output that it is text: then it is taken as it is."""
    attributes = node.span.attributes
    return f"{what}.value" in attributes and attributes.get(f"{what}.mime_type") == "text/plain"


def plain_question(text: str) -> str:
    """Return the question in an input that frameworks write as JSON, such as {"query": "…"}."""
    return _plain(parsed(text), _QUESTION_KEYS, 0) or text


def plain_answer(text: str) -> str:
    """Return the answer in an output that frameworks write as JSON."""
    return _plain(parsed(text), _ANSWER_KEYS, 0) or text


def _plain(value: object, keys: Sequence[str], depth: int) -> str:
    if depth > 6:
        return ""
    if isinstance(value, dict):
        messages = value.get("messages")
        if isinstance(messages, list) and messages:
            return _plain(messages[-1], keys, depth + 1)
        for key in keys:
            if found := _plain(value.get(key), keys, depth + 1):
                return found
        kwargs = value.get("kwargs")  # a message that LangChain serialised
        return _plain(kwargs, keys, depth + 1) if isinstance(kwargs, dict) else ""
    if isinstance(value, list):
        return _plain(value[-1], keys, depth + 1) if value else ""
    return value if isinstance(value, str) else ""


def _documents(steps: Sequence[Step]) -> tuple[Retrieved, ...]:
    reranked = [step.documents for step in steps if step.kind is StepKind.RERANKER and step.documents]
    found = reranked[-1:] or [step.documents for step in steps if step.kind is StepKind.RETRIEVER]
    each: dict[str, Retrieved] = {}
    for document in (document for documents in found for document in documents):
        if document.text and document.text not in each:
            each[document.text] = document
    return tuple(each.values())
