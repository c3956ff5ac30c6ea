"""Finds keys, tokens, passwords and private keys that were written into a text."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from rag.guardrails.rows import Check, Finding, PersonalData

_FORMS = {
    "an AWS access key": r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_\w{22,255}\b",
    "a GitLab token": r"\bglpat-[\w-]{20,64}\b",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}",
    "a Google key": r"\bAIza[\w-]{35}(?![\w-])",
    "a Stripe key": r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,247}\b",
    "a key of a model provider": r"\bsk-(?:[a-z]{2,8}\d{0,2}-)?[A-Za-z0-9_-]{20,250}(?![\w-])",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,64}\b",
    "an npm or PyPI token": r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{50,250}",
    "a JSON web token": r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{10,2000}",
    "a private key": r"-----BEGIN [A-Z ]{0,24}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,8000}?-----END [A-Z ]{0,24}PRIVATE KEY(?: BLOCK)?-----)?",
}
_COMPILED = {reason: re.compile(form) for reason, form in _FORMS.items()}
# What each form cannot be without: a text without it is not searched for the form.
_PARTS = {
    "an AWS access key": ("AKIA", "ASIA", "ABIA", "ACCA"),
    "a GitHub token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "a GitLab token": ("glpat-",),
    "a Slack token": ("xox",),
    "a Google key": ("AIza",),
    "a Stripe key": ("k_live_", "k_test_"),
    "a key of a model provider": ("sk-",),
    "a Hugging Face token": ("hf_",),
    "an npm or PyPI token": ("npm_", "pypi-"),
    "a JSON web token": ("eyJ",),
    "a private key": ("-----BEGIN",),
}
_ASSIGNED = re.compile(
    r"(?:api|access|secret|auth|private|client|bearer|encryption)[ _-]?(?:key|token|secret"
    r"|password)s?(?:[ _-]?id)?"
    r"|passw(?:or)?d|passphrase|\bpwd\b|\btoken\b|\bsecret\b",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"[\"']?\s{0,3}(?::=|=>|=|:|\bis\b)\s{0,3}(?:Bearer )?[\"'`]?([^\s\"'`,;<>{}()\[\]]{8,200})"
)
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{1,100}:[^\s/@\"'<>]{1,100}@[^\s\"'<>)\]]{1,300}", re.IGNORECASE
)
_EXAMPLE = re.compile(
    r"^(?:\$|%|x{4,}|\*{3,}|\.{3,}|your|my[_-]|example|changeme|none|null|true|false|https?:)", re.IGNORECASE
)
_LEAST_BITS = 3.0  # of entropy a character: words have about 2.5 to 3, keys 3.5 and more


def find(text: str) -> Iterator[Finding]:
    """Yield the secrets in a text, and the links that contain a password."""
    for reason, pattern in _COMPILED.items():
        if not any(part in text for part in _PARTS[reason]):
            continue
        for match in pattern.finditer(text):
            yield Finding(Check.PERSONAL_DATA, PersonalData.SECRET, *match.span(), 1.0, reason)
    for match in _LINK.finditer(text) if "://" in text else ():
        reason = "a link with a password in it"
        yield Finding(Check.PERSONAL_DATA, PersonalData.URL_CREDENTIALS, *match.span(), 1.0, reason)
    for match in _ASSIGNED.finditer(text):
        value = _VALUE.match(text, match.end())
        if value and _is_random(value[1].rstrip(".")):
            end = value.start(1) + len(value[1].rstrip("."))
            reason = f"a random value after “{match[0].lower()}”"
            yield Finding(Check.PERSONAL_DATA, PersonalData.SECRET, value.start(1), end, 0.85, reason)


def entropy(value: str) -> float:
    """Return the Shannon entropy of the characters of a value, in bits a character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)


def _is_random(value: str) -> bool:
    if len(value) < 8 or _EXAMPLE.match(value):
        return False
    kinds = sum(re.search(kind, value) is not None for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]"))
    # A word or a name_in_a_program is no key, however long.
    return entropy(value) >= _LEAST_BITS - (0.4 if len(value) < 12 else 0) and (
        any(map(str.isdigit, value)) and kinds >= 2
    )
