"""Chat templates get what they are written for, are asked again in another form when they refuse, and are bounded."""

import time
from datetime import datetime
from typing import get_args

import pytest

from rag.errors import ModelError
from rag.models.chat_template import BUILT_IN, NO_SYSTEM_ROLE, check_template, render_chat
from rag.settings import ChatTemplate

SYSTEM = {"role": "system", "content": "Be brief."}
HI = {"role": "user", "content": "Hi"}
CHATML = BUILT_IN["chatml"]


def said(template: str, *messages: dict[str, str]) -> str:
    return render_chat(template, messages or (SYSTEM, HI), "<s>", "</s>").text


# What a template says besides the messages: these show the environment.
SAYS = "{% for m in messages %}{{ m['content'] }}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ bos_token }}{{ eos_token }}", "<s></s>"),
        ("{{ strftime_now('%Y') }}", str(datetime.now().year)),
        ("{% for n in range(9) %}{% if n == 1 %}{% continue %}{% endif %}{% if n == 3 %}{% break %}{% endif %}{{ n }}{% endfor %}", "02"),
        ("{{ {'b': '<ä>', 'a': 1} | tojson }}", '{"b": "<ä>", "a": 1}'),
        ("{{ {'b': 1, 'a': 2} | tojson(indent=1, sort_keys=true, separators=(',', ':')) }}", '{\n "a":2,\n "b":1\n}'),
        ("{{ 'ä' | tojson(ensure_ascii=true) }}", '"\\u00e4"'),
        ("{% generation %}x{% endgeneration %}", "x"),
        ("{% if tools is defined and tools %}t{% endif %}{% if tools is none %}n{% endif %}{{ nothing }}", "n"),
        ("{{ 'a-b'.replace('-', '+') }}{{ 'a-b' | replace('-', '') }}{{ ','.join(['1', '2']) }}", "a+bab1,2"),
        ("{{ 'a\nb' | indent(2) }}{{ 'abc'[::-1] }}{{ 'a b'.split()[-1] }}", "a\n  bcbab"),
        ("{% set ns = namespace(found=false) %}{% set ns.found = true %}{{ ns.found }}", "True"),
        ("{%- macro m(x) -%}<{{ x }}>{%- endmacro -%}{{ m('a') }}", "<a>"),
        ("{{ add_generation_prompt }}{{ messages[0].role }}{{ messages | length }}", "Truesystem2"),
        ("{% for k, v in {'a': 1} | items %}{{ k }}{{ v }}{% endfor %}", "a1"),
        ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "1"),
    ],
)  # fmt: skip
def test_a_template_has_the_environment_it_is_written_for(template: str, text: str) -> None:
    assert said(template + SAYS) == text + "Be brief.Hi"


def test_blocks_take_no_line_of_their_own() -> None:
    assert said(
        "{% for m in messages %}\n    {% if true %}\n{{ m.content }}\n    {% endif %}\n{% endfor %}\n"
    ) == ("Be brief.\nHi\n")


REFUSES = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
ALTERNATES = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/...') }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}{% endfor %}"
)


@pytest.mark.parametrize(
    "template",
    [REFUSES + ALTERNATES, ALTERNATES, "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}"],
)  # fmt: skip
def test_a_refused_or_ignored_system_role_goes_before_the_first_user_message(template: str) -> None:
    found = render_chat(template, [SYSTEM, HI, {"role": "assistant", "content": "Ho"}, HI])
    assert found.text == "[user]Be brief.\n\nHi[assistant]Ho[user]Hi"
    assert found.note == NO_SYSTEM_ROLE


def test_messages_of_one_role_in_a_row_are_joined_where_roles_must_alternate() -> None:
    assert said(ALTERNATES, HI, HI) == "[user]Hi\n\nHi"


def test_a_template_for_pictures_gets_its_contents_in_parts() -> None:
    parts = "{% for m in messages %}{% for c in m.content %}{% if c.type == 'text' %}{{ c.text }}|{% endif %}{% endfor %}{% endfor %}"
    assert said(parts) == "Be brief.|Hi|"
    assert said(REFUSES + parts) == "Be brief.\n\nHi|"


def test_what_is_taken_as_it_is_has_no_note() -> None:
    assert render_chat(CHATML, [SYSTEM, HI]).note == ""
    assert check_template(CHATML).note == check_template(CHATML).problem == ""
    assert check_template(REFUSES + SAYS).note == NO_SYSTEM_ROLE


BOMBS = {
    "an endless loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
    "a long text": "{{ 'x' * 9999999999 }}",
    "a long replacement": "{{ ('x' * 99999) | replace('x', 'y' * 99999) }}",
    "a long replacement by method": "{{ ('x' * 99999).replace('', 'y' * 99999) }}",
    "a long join": "{{ ('y' * 99999).join(['x'] * 99999) }}",
    "a long indent": "{{ ('\n' * 99999) | indent('y' * 99999) }}",
    "a long time": "{{ strftime_now('%c' * 400000) * 9999 }}",
    "a recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a division": "{{ 1 // 0 }}",
    "a wrong syntax": "{% for %}",
    "an unclosed brace": "{{ unclosed",
    "nested parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "Python's insides": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a method that pads": "{{ 'x'.ljust(999999999) }}",
    "a file": "{% include '/etc/passwd' %}",
    "a refusal of all": "{{ raise_exception('no') }}",
    "nothing": " ",
    "no question": "Hello!",
    "a wrong type": "{{ messages[0].content + 1 }}",
    "a change of the messages": "{{ messages.append(1) }}",
    "a template that is too long": "x" * 100_001,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_cannot_be_used_is_one_reason_quickly(name: str) -> None:
    began = time.process_time()
    with pytest.raises(ModelError) as found:
        said(BOMBS[name])
    assert time.process_time() - began < 5
    assert str(found.value)
    assert len(str(found.value)) < 400
    assert "\n" not in str(found.value)
    assert check_template(BOMBS[name]).problem


def test_the_reason_is_the_one_of_the_form_that_came_furthest() -> None:
    with pytest.raises(ModelError, match="later trouble"):
        said(REFUSES + "{{ raise_exception('later trouble') }}")


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_template_takes_a_whole_conversation(name: str) -> None:
    found = render_chat(
        BUILT_IN[name], [SYSTEM, HI, {"role": "assistant", "content": "Ho"}, HI], "<s>", "</s>"
    )
    places = [found.text.index(word) for word in ("Be brief.", "Hi", "Ho")]
    assert places == sorted(places)
    assert found.note == (NO_SYSTEM_ROLE if name in ("gemma", "mistral") else "")
    assert not check_template(BUILT_IN[name]).problem


def test_built_in_templates_are_written_as_their_models_know_them() -> None:
    assert said(CHATML) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    assert said(BUILT_IN["llama-3"], HI) == (
        "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert said(BUILT_IN["gemma"], HI) == "<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"
    assert said(BUILT_IN["mistral"], HI, {"role": "assistant", "content": "Ho"}, HI) == (
        "<s>[INST] Hi [/INST] Ho</s>[INST] Hi [/INST]"
    )
    assert said(BUILT_IN["phi-3"], HI) == "<|user|>\nHi<|end|>\n<|assistant|>\n"
    assert said(BUILT_IN["plain"]) == "System: Be brief.\n\nUser: Hi\n\nAssistant:"


def test_the_settings_know_the_names_of_the_built_in_templates() -> None:
    assert get_args(ChatTemplate) == tuple(BUILT_IN)
