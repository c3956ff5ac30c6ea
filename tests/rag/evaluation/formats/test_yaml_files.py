"""YAML with anchors is read; a bomb of anchors is not."""

import pytest

from rag.errors import RagError
from rag.evaluation.formats.yaml_files import load_yaml


def test_anchors_and_merge_keys_are_read() -> None:
    text = "base: &b {a: 1, c: 2}\nlist: [*b, *b]\nmerged: {<<: *b, c: 3}\n"
    value, root = load_yaml(text, "a.yaml")
    assert value["list"] == [{"a": 1, "c": 2}] * 2 and value["merged"] == {"a": 1, "c": 3}
    assert root is not None and root.start_mark.line == 0
    assert load_yaml("", "a.yaml") == (None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
         + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 8)), "values when its"),
        ("a: &a [1, *a]", "inside its own anchor"),
        ("a: [", "is not YAML"),
        ("!!python/object/apply:os.system [echo]", "is not YAML"),
        ("[" * 5000, "is not YAML"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(RagError, match=message) as found:
        load_yaml(text, "a.yaml")
    assert "\n" not in str(found.value)


def test_an_emoji_that_json_writes_as_two_escapes_is_one_character() -> None:
    assert load_yaml(r'{"\ud83d\ude00": ["a \ud83d\ude00", "\ud83d"]}', "a.json")[0] == {
        "😀": ["a 😀", "\ud83d"]
    }
