"""Reads every file below a folder and prints how many words it gave, how long it took and what was left out.

Where the folder holds `expected_outputs/NAME.md`, the share of the words of that text that were found is printed
too (goal: 0.97 or more each). `--save FILE` keeps the words, and `--compare FILE` names those that were lost.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from pathlib import Path

from rag.errors import DocumentError
from rag.parsing.formats import is_supported, parse_file
from rag.parsing.rows import ParsedDocument

GOAL = 0.97
WORD = re.compile(r"\w+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--save", type=Path, help="write the words of each file as JSON")
    parser.add_argument("--compare", type=Path, help="what --save wrote before a change")
    arguments = parser.parse_args()
    before = json.loads(arguments.compare.read_text("utf-8")) if arguments.compare else {}
    words: dict[str, dict[str, int]] = {}
    shares: dict[str, float] = {}
    began = time.perf_counter()
    for path in sorted(arguments.folder.rglob("*")):
        if not path.is_file() or not is_supported(path) or "expected_outputs" in path.parts:
            continue
        name = path.relative_to(arguments.folder).as_posix()
        started = time.perf_counter()
        document = read(path)
        seconds = time.perf_counter() - started
        if isinstance(document, str):
            print(f"{name}: {document}")
            continue
        words[name] = Counter(WORD.findall(document.text))
        expected = arguments.folder / "expected_outputs" / f"{path.stem}.md"
        share = found_share(expected, words[name]) if path.suffix == ".pdf" and expected.exists() else None
        if share is not None:
            shares[name] = share
        print(line(name, document, seconds, words[name], share, before.get(name, {})))
    print(f"{len(words)} files in {time.perf_counter() - began:.1f} s")
    if shares:
        worst = min(shares, key=shares.__getitem__)
        print(
            f"worst of {len(shares)} with a reference text: {shares[worst]:.3f}, {worst}   (goal: {GOAL} or more)"
        )
    if arguments.save:
        arguments.save.write_text(json.dumps(words, ensure_ascii=False), "utf-8")


def read(path: Path) -> ParsedDocument | str:
    """Return a document, or why it cannot be read."""
    try:
        return parse_file(path)
    except DocumentError as error:
        return str(error)


def found_share(expected: Path, words: dict[str, int]) -> float:
    """Return the share of the words of a reference text, each as often as it stands there, that were found."""
    wanted = Counter(WORD.findall(expected.read_text("utf-8")))
    return (wanted & Counter(words)).total() / max(1, wanted.total())


def line(
    name: str,
    document: ParsedDocument,
    seconds: float,
    words: dict[str, int],
    share: float | None,
    before: dict[str, int],
) -> str:
    parts = [f"{name}: {sum(words.values()):,} words, {seconds:.2f} s"]
    if share is not None:
        parts.append(f"{share:.3f} of the reference")
    lost = [word for word in before if word not in words]
    if lost:
        parts.append(f"LOST {' '.join(lost[:20])}")
    return "; ".join([*parts, *(entry.text for entry in document.account)])


if __name__ == "__main__":
    main()
