"""A package is opened part by part: names by any case, the Strict dialect, and bounds that hold."""

from pathlib import Path

import pytest
from office_files import STRICT, package, relations

from rag.parsing.office.package import Package, PartError, Relation


def test_relations_lead_to_parts_and_outside(tmp_path: Path) -> None:
    rels = relations({"r1": ("image", "../media/a%20b.png"), "r2": ("chart", "/charts/c.xml")}).replace(
        "</Relationships>",
        "<Relationship Id='r3' Type='x/hyperlink' Target='http://example.org/' TargetMode='External'/></Relationships>",
    )
    made = package(tmp_path / "a.zip", {"word/_rels/document.xml.rels": rels.encode()})
    with Package(made) as opened:
        assert opened.relations("word/document.xml") == {
            "r1": Relation("image", "media/a b.png", False),
            "r2": Relation("chart", "charts/c.xml", False),
            "r3": Relation("hyperlink", "http://example.org/", True),
        }
        assert opened.related("word/document.xml", "chart") == ["charts/c.xml"]
        assert opened.related("word/document.xml", "hyperlink") == []
        assert opened.relations("word/other.xml") == {}
        assert opened.main("usual.xml") == "usual.xml"


def test_names_are_found_by_any_letter_case_and_slash(tmp_path: Path) -> None:
    made = package(tmp_path / "a.zip", {"Word\\Document.xml": b"<a/>"})
    with Package(made) as opened:
        assert opened.xml("/word/document.XML").tag == "a"


def test_the_strict_dialect_is_translated(tmp_path: Path) -> None:
    xml = (
        f"<w:a xmlns:w='{STRICT}/wordprocessingml/main' xmlns:o='urn:x'><w:b w:val='1' o:c='2' d='3'/></w:a>"
    )
    usual = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    with Package(package(tmp_path / "a.zip", {"a.xml": xml.encode()})) as opened:
        for root in (opened.xml("a.xml")[0], next(opened.pieces("a.xml", frozenset({"a"})))):
            assert root.tag == f"{usual}b"
            assert root.attrib == {f"{usual}val": "1", "{urn:x}c": "2", "d": "3"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<a>", "it is damaged"),
        (b"", "it is damaged"),
        (b"<?xml version='1.0' encoding='odd'?><a/>", "it is damaged"),
    ],
)
def test_a_part_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    with Package(package(tmp_path / "a.zip", {"a.xml": content})) as opened:
        with pytest.raises(PartError, match=reason):
            opened.xml("a.xml")
        with pytest.raises(PartError, match=reason):
            list(opened.pieces("a.xml", frozenset({"a"})))
        with pytest.raises(PartError, match="it is missing"):
            opened.xml("b.xml")


def test_a_part_whose_bytes_are_damaged_says_so(tmp_path: Path) -> None:
    path = package(tmp_path / "a.zip", {"a.xml": b"<a>" + b"x" * 5000 + b"</a>"})
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with Package(path) as opened, pytest.raises(PartError, match="it is damaged"):
        opened.xml("a.xml")


def test_a_part_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = package(tmp_path / "a.zip", {"a.xml": b"<a>" + b" " * (1 << 20) + b"</a>"})
    with Package(path, largest_tree=1 << 20, largest_part=1 << 20) as opened:
        with pytest.raises(PartError, match="more than 1 MB"):
            opened.xml("a.xml")
        with pytest.raises(PartError, match="more than 1 MB"):
            list(opened.pieces("a.xml", frozenset({"a"})))
    with Package(path, largest_tree=2 << 20, largest_part=2 << 20) as opened:
        assert opened.xml("a.xml").tag == "a"


def test_entities_do_not_expand(tmp_path: Path) -> None:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10 if n else 'x' * 100}'>" for n in range(9))
    xml = f"<!DOCTYPE a [{entities}]><a>&e8;</a>".encode()
    with Package(package(tmp_path / "a.zip", {"a.xml": xml})) as opened, pytest.raises(PartError):
        opened.xml("a.xml")


def test_pieces_come_one_by_one_and_those_before_a_fault_are_given(tmp_path: Path) -> None:
    xml = b"<a><group><b n='1'><c/></b></group><b n='2'/><d/><b n='3'>"
    with Package(package(tmp_path / "a.zip", {"a.xml": xml})) as opened:
        pieces = opened.pieces("a.xml", frozenset({"a", "group"}))
        seen = []
        with pytest.raises(PartError):
            for piece in pieces:
                seen.append((piece.tag, piece.get("n"), len(piece)))
    assert seen == [("b", "1", 1), ("group", None, 0), ("b", "2", 0), ("d", None, 0)]


def test_the_title_is_that_of_the_properties(tmp_path: Path) -> None:
    rels = relations({"r": ("metadata/core-properties", "core.xml")})
    core = b"<p xmlns:d='http://purl.org/dc/elements/1.1/'><d:title>House rules</d:title></p>"
    with Package(package(tmp_path / "a.zip", {"_rels/.rels": rels, "core.xml": core})) as opened:
        assert opened.title() == "House rules"
    with Package(package(tmp_path / "b.zip", {"_rels/.rels": rels, "core.xml": b"<p"})) as opened:
        assert opened.title() == ""
