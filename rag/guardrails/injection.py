"""Finds what in a text tries to speak to the model, and takes the power from template tokens.

Structure first (template tokens, role markers, hidden and encoded text, links that carry data away), then
phrases that only an attack has, then the trained recogniser of requests. What a text quotes as an example of
an attack is not reported where the sentence says that it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.guardrails import hidden, requests
from rag.guardrails.rows import Check, Finding, Injection

# Tokens by which chat templates separate the roles: in a passage they would end it and begin another turn.
_TEMPLATE_TOKENS = re.compile(
    r"<\|[a-z0-9_ ]{1,40}\|>|</?s>(?=\s*(?:\[|$)|<)|\[/?INST\]|<</?SYS>>"
    r"|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\]"
    r"|<(?:start|end)_of_turn>|<｜[^｜\n]{1,40}｜>|<\|/?(?:begin|end)_of_[a-z_]{1,20}\|>",
    re.IGNORECASE,
)
# A turn of a chat that the text plays: "System: you must …", "### Instruction:".
_ROLE_LINE = re.compile(
    r"(?m)^[ \t>*#\[(]{0,8}(?:system|assistant|developer)(?: (?:prompt|message|override"
    r"|note|instructions?))?[\])*]{0,3}[ \t]*[:>][ \t]*(?=\S)"
    r"(?i:(?=[^\n]{0,200}\b(?:you|your|ignore|must|respond|answer|user|instructions?)\b))"
    r"|^[ \t]*#{2,4} ?(?:instructions?|response|system)[ \t]*:[ \t]*$|</?(?:system|assistant|instructions?)>",
    re.IGNORECASE,
)
_VERB = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass|discard"
    r"|do not follow|don['’]t follow|stop following)"
)
_EARLIER = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|original|initial|system"
    r"|all|any|your|the|these|those|other|of|every|said|given|existing)"
)
_RULES = (
    r"(?:instructions?|directions?|directives?|prompts?|guidelines?|rules?|orders?"
    r"|commands?|context|constraints?|training|programming|safety)"
)
# Where an order begins, not where a text tells of one: "it tells the model to ignore its instructions".
_ORDERS = (
    r"(?:^|[.!?:;,\"“'‘(\[>*\n#-]\s*|\b(?:please|now|then|and|but|must|should|shall|kindly"
    r"|just|simply|you (?:can|will|may|need to|have to|are to)|"
    r"(?:ai|assistant|chatbot|model|bot),?|important|attention|i want you to|to:)\s+)"
)
_PHRASES = (
    (rf"{_ORDERS}{_VERB} (?:{_EARLIER} ){{1,5}}{_RULES}\b", 0.95, "it tells to ignore instructions"),
    (
        (
            r"\b(?:ignore|disregard|forget) (?:everything|anything|all(?: of)? (?:that|this)"
            r"|what)\b[^.!?\n]{0,40}\b(?:above|before|told|said|learned|previously|so far|know)\b"
        ),
        0.9,
        "it tells to forget what came before",
    ),
    (
        (
            r"\b(?:ignoriere?|vergiss|missachte)\b[^.!?\n]{0,40}\b(?:anweisung|instruktion|vorgabe"
            r"|regel)\w*|\b(?:ignorez?|oubliez?)\b[^.!?\n]{0,40}\b(?:consignes|règles"
            r"|instructions (?:précédentes|ci-dessus|antérieures))|\b(?:ignora|olvida"
            r"|dimentica)\b[^.!?\n]{0,40}\b(?:instrucciones|istruzioni|reglas|regole)"
        ),
        0.95,
        "it tells to ignore instructions",
    ),
    (
        (
            r"\b(?:reveal|show|print|repeat|output|leak|display|tell me|give "
            r"me)\b[^.!?\n]{0,30}\b(?:your|the) (?:\w+ ){0,2}(?:system|hidden|initial|secret"
            r"|original) (?:prompt|instructions?|message)"
        ),
        0.9,
        "it asks for the system prompt",
    ),
    (
        (
            r"\b(?:from now on|henceforth),? (?:you (?:are|will|must|should|have to|shall)|act"
            r"|respond|answer|reply)\b"
        ),
        0.85,
        "it gives the model a new role",
    ),
    (
        (
            r"\byou (?:are|will be) (?:now )?(?:in )?(?:developer mode|dan\b|jailbroken"
            r"|unrestricted|(?:an? )?(?:ai|model|assistant|bot) (?:with(?:out| no)|that (?:has no"
            r"|ignores)))"
        ),
        0.9,
        "it gives the model a new role",
    ),
    (
        (
            r"\b(?:do not|don['’]t|never|without) (?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?"
            r"|reveal(?:ing)?|disclos(?:e|ing)|let(?:ting)?)\b[^.!?\n]{0,30}\bthe user\b"
        ),
        0.85,
        "it hides something from the user",
    ),
    (
        (
            r"\b(?:note|message|attention|instructions?|important|notice|hint|hello"
            r"|dear)\b[^.!?\n]{0,12}\b(?:to|for|all)?[^.!?\n]{0,8}\b(?:ai|llm|language model|chat "
            r"?bot|gpt|large language model)s?\b(?: \w+){0,3}[:,!]"
        ),
        0.85,
        "it speaks to a language model",
    ),
    (
        (
            r"\b(?:if you are|as) (?:an? )?(?:ai|llm|language model|large language model|ai "
            r"assistant|chatbot)(?: \w+){0,4}, (?:you |please |always |do |never |include |say "
            r"|answer |respond |ignore )"
        ),
        0.85,
        "it speaks to a language model",
    ),
    (
        (
            r"\b(?:new|updated|real|actual) (?:system )?(?:instructions?|task|prompt"
            r"|directive)s?(?: (?:for|to) (?:you|the (?:ai|assistant|model)))?:"
        ),
        0.7,
        "it announces new instructions",
    ),
)
_COMPILED = [(re.compile(phrase, re.IGNORECASE), score, reason) for phrase, score, reason in _PHRASES]
# The words without which none of the phrases can be there: most texts have none of them.
_HINT = re.compile(
    r"ignor|disregard|forget|overrid|bypass|discard|follow|vergiss|missachte|oubli|olvida"
    r"|dimentica|prompt|instruction"
    r"|from now on|henceforth|mode|\bdan\b|jailbr|unrestrict|\buser\b|\bai\b|\bllm"
    r"|language model|chat ?bot|gpt|new task|directive",
    re.IGNORECASE,
)

# A picture or a link whose address has room for what the model knows.
_EXFILTRATION = re.compile(
    r"!\[[^\]\n]{0,300}\]\(\s*https?://[^\s)]{1,300}[?&/=][^\s)]{0,200}(?:\{[^}\s]{0,60}\}"
    r"|\[[^\]\s]{0,60}\]|<[^>\s]{0,60}>|%7B|\$\{|"
    r"(?:data|q|query|secret|chat|history|prompt|token|email|info|content|msg|context|leak"
    r"|exfil)=)[^\s)]{0,300}\)"
    r"|https?://[^\s)\"'<>]{1,300}[?&](?:data|secret|chat|history|prompt|exfil|leak|stolen"
    r"|context|conversation)=(?:\{|\[|<|%7B|\$\{|YOUR|INSERT|THE_)[^\s)\"']{0,200}"
    r"|\b(?:append|add|encode|insert|include|put|attach)\b[^.!?\n]{0,80}\b(?:conversation"
    r"|chat history|user['’]s (?:question|data|message|name)|system prompt|api key"
    r"|secrets?|passwords?)\b"
    r"[^.!?\n]{0,60}\b(?:url|link|address|https?://|parameter|query string|image)"
    r"|\b(?:send|post|forward|upload|e-?mail|transmit"
    r"|exfiltrate)\b[^.!?\n]{0,40}\b(?:conversation|chat history|system prompt|api keys?"
    r"|user['’]s (?:data|messages?)|all (?:emails|files|passwords))\b"
    r"[^.!?\n]{0,30}\bto\b[^.!?\n]{0,10}(?:https?://|www\.|\S+@\S+|[\w-]+\.[a-z]{2,})",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"[\"“„«`]([^\"”“»`\n]{2,400})[\"”“»`]|(?<!\w)['‘]([^'’\n]{6,400})['’](?!\w)")
_REPORTING = re.compile(
    r"attack|inject|jailbreak|adversar|malicious|phish|hacker|example|e\.g\.|such as"
    r"|phrases?\b|prompts? (?:like|that|such)|filter|detect|for instance"
    r"|classif|pattern|signature|benchmark|payload|warns?\b|vulnerab|exploit|test (?:case"
    r"|string|phrase)|(?:called|named|known as|reads|says|said|wrote|written|titled"
    r"|labelled)\b",
    re.IGNORECASE,
)
_ZERO_WIDTH_JOINER = "\N{ZERO WIDTH JOINER}"
_LEAST_SCORE = 0.5


def find(text: str, *, is_question: bool = False) -> list[Finding]:
    """Return what in a text tries to speak to the model, in order of the text.

    Args:
        text: A passage, a document, an answer or what a tool returned; or what a person asked.
        is_question: Whether a person asks the model with this text. Then a request is what is expected, and
            only what attacks the rules, the roles or the reader is found.
    """
    shown = hidden.visible(text) if not text.isascii() else text
    found = [*_template_tokens(text), *_phrases(text), *hidden.find(text, _asks)]
    if not is_question:
        found += _requests(text)
    if shown != text and not any(f.kind == Injection.INSTRUCTION for f in found) and _asks(shown):
        reason = "an instruction that invisible characters take apart"
        found.append(Finding(Check.INJECTION, Injection.HIDDEN_TEXT, 0, len(text), 0.9, reason))
    return sorted(set(found), key=lambda finding: (finding.start, -finding.score, finding.end))


def neutralise(text: str) -> str:
    """Return the text with its template tokens broken, so that no tokenizer reads them as ends of a turn.

    People see the same words: an invisible joiner stands after the first character of each token.
    """
    return _TEMPLATE_TOKENS.sub(lambda match: match[0][0] + _ZERO_WIDTH_JOINER + match[0][1:], text)


def _asks(text: str) -> bool:
    """Return whether a hidden text speaks to the model; hidden text is believed less than shown text."""
    if any(True for _ in _phrases(text)):
        return True
    model = requests.load()
    return any(score >= min(0.5, model.threshold) for _, score in requests.scored(text, model))


def _template_tokens(text: str) -> Iterator[Finding]:
    if "<" in text or "[" in text:
        for match in _TEMPLATE_TOKENS.finditer(text):
            reason = "a token that separates the turns of a chat"
            yield Finding(Check.INJECTION, Injection.ROLE_MARKER, *match.span(), 1.0, reason)
    for match in _ROLE_LINE.finditer(text):
        if match[0].strip():
            reason = "a line that plays a turn of a chat"
            yield Finding(Check.INJECTION, Injection.ROLE_MARKER, *match.span(), 0.8, reason)


def _phrases(text: str) -> Iterator[Finding]:
    """Yield phrases that only an attack has, unless the text quotes them as such."""
    if _HINT.search(text):
        for pattern, score, reason in _COMPILED:
            for match in pattern.finditer(text):
                if not _is_quoted(text, *match.span()):
                    yield Finding(Check.INJECTION, Injection.INSTRUCTION, *match.span(), score, reason)
    for match in _EXFILTRATION.finditer(text):
        if not _is_quoted(text, *match.span()):
            reason = "it carries data to an address"
            yield Finding(Check.INJECTION, Injection.EXFILTRATION, *match.span(), 0.9, reason)


def _requests(text: str) -> Iterator[Finding]:
    model = requests.load()
    for sentence, score in requests.scored(text, model):
        if score < model.threshold or _is_quoted(text, sentence.start, sentence.end):
            continue
        # What the threshold lets through is at least as sure as every other finding.
        sure = _LEAST_SCORE + (1 - _LEAST_SCORE) * (score - model.threshold) / (1 - model.threshold)
        reason = "a sentence that asks the model for something"
        kind = Injection.INSTRUCTION
        yield Finding(Check.INJECTION, kind, sentence.start, sentence.end, round(sure, 3), reason)


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Return whether a place is a quotation that its surroundings call an attack or an example."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    first, last = max(line_start, start - 300), min(len(text) if line_end < 0 else line_end, end + 300)
    for match in _QUOTES.finditer(text, first, last):
        if match.start() < end and match.end() > start:
            around = (
                text[max(0, match.start() - 200) : match.start()]
                + " "
                + text[match.end() : match.end() + 120]
            )
            inside = min(end, match.end()) - max(start, match.start())
            if inside * 2 >= end - start and _REPORTING.search(around):
                return True
    return False
