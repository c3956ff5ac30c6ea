"""YAML with anchors, read within bounds: aliases of aliases make a small file fill the memory."""

from __future__ import annotations

from typing import Any

import yaml

from rag.errors import RagError

MOST_VALUES = 1_000_000  # of a file with its aliases written out


class _Loader(yaml.SafeLoader):
    r"""PyYAML's safe loader, with `\ud83d\ude00` read as one character: JSON writes emoji as two escapes."""

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return value


def load_yaml(text: str, name: str) -> tuple[Any, yaml.Node | None]:
    """Return the value of a YAML text and its syntax tree, which knows the lines.

    Raises RagError when it is not YAML, or has more values than a person wrote.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        if root is not None and _size(root, {}) > MOST_VALUES:
            raise RagError(
                f"{name} has more than {MOST_VALUES:,} values when its YAML aliases are written out."
            )
        return yaml.load(text, _Loader), root
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RagError(f"{name} is not YAML ({' '.join(str(error).split())}).") from error


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node is when every alias is written out."""
    if id(node) in known:
        if known[id(node)] < 0:
            raise ValueError("an alias is inside its own anchor")
        return known[id(node)]
    known[id(node)] = -1
    size = 1
    if isinstance(node, yaml.SequenceNode):
        size += sum(_size(one, known) for one in node.value)
    elif isinstance(node, yaml.MappingNode):
        size += sum(_size(key, known) + _size(value, known) for key, value in node.value)
    known[id(node)] = size
    return size
