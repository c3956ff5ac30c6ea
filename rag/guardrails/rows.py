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
