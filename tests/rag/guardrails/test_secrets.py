"""Keys and tokens. Those of the tests are put together here, so that no scanner takes them for real ones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.guardrails import personal_data
from rag.guardrails.rows import PersonalData
from rag.guardrails.secrets import entropy

RANDOM = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA2bC4"


def values(text: str, kind: PersonalData = PersonalData.SECRET) -> list[str]:
    return [text[found.start : found.end] for found in personal_data.find(text, {kind})]


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + RANDOM,
        "glpat-" + RANDOM[:20],
        "xoxb-" + "123456789012-abcdefGHIJKL",
        "AIza" + RANDOM[:35],
        "sk_live_" + RANDOM[:24],
        "sk-proj-" + RANDOM,
        "hf_" + RANDOM[:34],
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + RANDOM,
    ],
)
def test_a_known_form_is_found_in_a_sentence(secret: str) -> None:
    assert values(f"Use {secret} for now.") == [secret]


def test_a_private_key_is_found_as_a_block_and_when_it_is_cut_off() -> None:
    head, tail = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    assert values(f"a\n{head}\nMIIE\n{tail}\nb") == [f"{head}\nMIIE\n{tail}"]
    assert values(f"a\n{head}\nMIIE") == [head]
    assert values("-----BEGIN PUBLIC KEY-----") == []


def test_a_random_value_after_a_word_for_a_key_is_found() -> None:
    assert values('api_key = "9fK2mQ7xLp4Rt8Zw"') == ["9fK2mQ7xLp4Rt8Zw"]
    assert values("The password is Tr0ub4dor&3x.") == ["Tr0ub4dor&3x"]


@pytest.mark.parametrize(
    "text",
    [
        "api_key = YOUR_KEY_GOES_HERE1",
        "password: correcthorsebatterystaple",
        "token = get_token_from_environment",
        "The secret: everybody knows it",
        "key=aaaaaaaaaaaa1111",
    ],
)
def test_words_names_and_examples_are_no_secrets(text: str) -> None:
    assert values(text) == []


def test_a_link_with_a_password_is_found_once() -> None:
    text = "See postgres://app:s3cr3t@db.example.org/main and https://example.org:8080/x"
    assert values(text, PersonalData.URL_CREDENTIALS) == ["postgres://app:s3cr3t@db.example.org/main"]
    assert {found.kind for found in personal_data.find(text)} == {PersonalData.URL_CREDENTIALS}


def test_entropy_is_in_bits_a_character() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


@pytest.mark.parametrize(
    "secret",
    [
        "ASIA" + "IOSFODNN7EXAMPLE",
        "gho_" + RANDOM,
        "github_pat_" + RANDOM,
        "sk_test_" + RANDOM[:20],
        "rk_live_" + RANDOM[:20],
        "sk-" + RANDOM,
        "npm_" + RANDOM,
        "pypi-" + RANDOM * 2,
    ],
)
def test_further_forms_are_found_and_not_with_a_letter_missing(secret: str) -> None:
    assert values(f"Use {secret} for now.") == [secret]
    assert values(f"Use {secret[:8]} for now.") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("access token := 9fK2mQ7xLp4Rt8Zw", "9fK2mQ7xLp4Rt8Zw"),
        ("CLIENT-SECRET=9fK2mQ7xLp4Rt8Zw;", "9fK2mQ7xLp4Rt8Zw"),
        ('{"password": "9fK2mQ7xLp4Rt8Zw"}', "9fK2mQ7xLp4Rt8Zw"),
        ("Authorization token: Bearer 9fK2mQ7xLp4Rt8Zw", "9fK2mQ7xLp4Rt8Zw"),
        ("passphrase => '9fK2mQ7xLp4Rt8Zw'", "9fK2mQ7xLp4Rt8Zw"),
        ("pwd is 9fK2mQ7xLp4Rt8Zw.", "9fK2mQ7xLp4Rt8Zw"),
        ("api_key = 9fK2mQ7xLp4Rt8Zw, token = 1aB2cD3eF4gH5iJ6", "9fK2mQ7xLp4Rt8Zw 1aB2cD3eF4gH5iJ6"),
    ],
)
def test_a_value_is_found_however_it_is_assigned(text: str, value: str) -> None:
    assert " ".join(values(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "password = ${DB_PASSWORD_1}",
        "password = changeme123456",
        "token = xxxxxxxx12345678",
        "secret: ********1234",
        "token = https://example.org/1/2/3/4/5",
        "password = aB3",
        "the secret ingredient 9fK2mQ7xLp4Rt8Zw",
        "password = example-9fK2mQ7xLp4",
    ],
)
def test_placeholders_links_and_short_values_are_no_secrets(text: str) -> None:
    assert values(text) == []


@pytest.mark.parametrize(
    "text", ["https://example.org:8080/a@b", "http://user@example.org/", "mailto:a:b@c.org", "see a://b"]
)
def test_a_link_without_a_password_is_none_of_these(text: str) -> None:
    assert values(text, PersonalData.URL_CREDENTIALS) == []


def test_the_reason_does_not_hold_the_secret() -> None:
    text = f"api key: 9fK2mQ7xLp4Rt8Zw, ghp_{RANDOM}, https://u:pa55word@example.org/x"
    for found in personal_data.find(text):
        assert text[found.start : found.end] not in found.reason


@given(st.text(min_size=1, max_size=40))
def test_entropy_has_its_bounds_and_knows_no_order(value: str) -> None:
    bits = entropy(value)
    assert 0 <= bits <= math.log2(len(set(value))) + 1e-9
    assert bits == pytest.approx(entropy(value[::-1]))
    assert entropy(value * 2) == pytest.approx(bits)
