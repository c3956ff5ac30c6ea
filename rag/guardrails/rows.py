"""What a guardrail finds in a text, in the words that policies, traces and both surfaces share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """A check that a text goes through."""

    PERSONAL_DATA = "personal data"
    INJECTION = "prompt injection"


class PersonalData(StrEnum):
    """A kind of personal data or of a secret."""

    EMAIL = "e-mail address"
    PHONE = "phone number"
    IBAN = "bank account"
    CARD = "payment card"
    NATIONAL_ID = "national identifier"
    IP_ADDRESS = "IP address"
    URL_CREDENTIALS = "address with a password"
    SECRET = "key or token"
    BIRTH_DATE = "date of birth"
    ADDRESS = "postal address"
    PERSON = "name of a person"

    @property
    def placeholder(self) -> str:
        """The word that stands for it in a masked text, before its number."""
        return _PLACEHOLDERS[self]


_PLACEHOLDERS = {
    PersonalData.EMAIL: "E-mail",
    PersonalData.PHONE: "Phone",
    PersonalData.IBAN: "Account",
    PersonalData.CARD: "Card",
    PersonalData.NATIONAL_ID: "Identifier",
    PersonalData.IP_ADDRESS: "IP",
    PersonalData.URL_CREDENTIALS: "Link",
    PersonalData.SECRET: "Secret",
    PersonalData.BIRTH_DATE: "Birthday",
    PersonalData.ADDRESS: "Address",
    PersonalData.PERSON: "Person",
}


@dataclass(frozen=True)
class Measured:
    """How well a kind of personal data is found in labelled sentences.

    Attributes:
        precision: The share of what was found that is right.
        recall: The share of what there is that was found.
        count: How many there are in the sentences; 0 when the kind does not occur in them.
    """

    precision: float
    recall: float
    count: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


LEAST_F1 = 0.9  # of a kind that the program claims to find

# Presidio's synthetic sentences, the development half. `python -m benchmarks.guardrails` measures them again
# and fails when a kind is worse than it stands here. A kind without a row does not occur in those sentences.
MEASURED = {
    PersonalData.EMAIL: Measured(1.0, 1.0, 31),
    PersonalData.PHONE: Measured(1.0, 1.0, 50),
    PersonalData.IBAN: Measured(1.0, 1.0, 8),
    PersonalData.CARD: Measured(1.0, 1.0, 62),
    PersonalData.NATIONAL_ID: Measured(1.0, 1.0, 10),
    PersonalData.IP_ADDRESS: Measured(1.0, 1.0, 4),
    PersonalData.ADDRESS: Measured(1.0, 0.82, 305),
    PersonalData.PERSON: Measured(0.97, 0.79, 411),
}
# Rules that know the sentences they were written on: what they find in other texts is less.
_BY_RULES_ALONE = (PersonalData.ADDRESS, PersonalData.PERSON)


def is_experimental(kind: str) -> bool:
    """Return whether findings of a kind of personal data are shown without a claim to find all of it."""
    measured = MEASURED.get(PersonalData(kind))
    return measured is None or measured.f1 < LEAST_F1 or kind in _BY_RULES_ALONE


class Injection(StrEnum):
    """A way in which a text tries to speak to the model instead of being read by it."""

    HIDDEN_TEXT = "hidden text"
    INSTRUCTION = "instruction to the model"
    ROLE_MARKER = "role marker or template token"
    EXFILTRATION = "link that sends data away"
    ENCODED = "encoded text"


@dataclass(frozen=True)
class Finding:
    """A place in a text at which a check found something.

    Attributes:
        check: The check, a value of Check.
        kind: What was found, a value of PersonalData or Injection.
        start: The character at which it starts.
        end: The character after its last one.
        score: How sure the check is, from 0 to 1; a checksum or a structure that leaves no doubt gives 1.
        reason: Why it was found, as a short phrase without the text itself.
    """

    check: str
    kind: str
    start: int
    end: int
    score: float
    reason: str
