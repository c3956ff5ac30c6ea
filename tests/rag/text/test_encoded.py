"""What programs write for programs is told from what people wrote, however long its lines are."""

import base64
import random
import time
from itertools import pairwise

import pytest

from rag.text.encoded import EncodedKind, encoded_stretches

BYTES = random.Random(7).randbytes(900)
JS = (
    "!function(e,t){for(var n=0;n<t.length;n++){var r=t[n];r.enumerable=r.enumerable||!1,(e=r)&&e.go(n?1:0)}}"
    "(a,b);var c=function(e){return e&&e.x?e:{d:e}};if(c(a)){b=(c(b)||a).d(c);while(b){b=b.next()}}"
)
CSS = ".a{color:#fff;margin:0 auto}.b>.c{display:flex;padding:2px}#d:hover{top:0;left:0}"
PROSE = "The harbour of Emden is closed in a storm; boats wait (at most 12 hours) for the tide. "


def kinds(text: str) -> list[tuple[str, str]]:
    return [(stretch.kind.value, text[stretch.start : stretch.end]) for stretch in encoded_stretches(text)]


@pytest.mark.parametrize(
    "encoded",
    [
        base64.b64encode(BYTES).decode(),
        base64.urlsafe_b64encode(BYTES).decode(),
        BYTES.hex(),
        BYTES.hex().upper(),
        base64.encodebytes(BYTES).decode().rstrip("\n"),
    ],
    ids=["base64", "url-safe", "hex", "HEX", "wrapped"],
)
def test_encoded_text_is_found_with_its_exact_ends(encoded: str) -> None:
    text = f"The picture of the harbour:\n{encoded}\nIt was taken in May."
    assert kinds(text) == [("encoded", encoded)]
    assert kinds(f"![map](data:image/png;base64,{encoded}\n)") == [("encoded", encoded)]


@pytest.mark.parametrize("source", [JS * 6, CSS * 15])
def test_minified_code_is_found(source: str) -> None:
    assert kinds(f"// a header\n{source}\n// the end") == [("minified", source)]


@pytest.mark.parametrize(
    "text",
    [
        PROSE * 30,
        "ACGT" * 300,
        "-" * 500,
        "31415926535897932384" * 40,
        "/usr/share/docs/harbour-of-emden/" * 20,
        "eine-sehr-lange-Zeile_ohne-Leerzeichen-" * 20,
        "東京の港は嵐の日に閉まります。" * 100,
        '{"name":"Emden","open":true,"boats":[1,2,3],"note":"closed (storm)"},' * 30,
        "INSERT INTO ports VALUES " + "(1,'Emden',12.5),(2,'Bremen',3.5)," * 40,
        "12.5,33.1 14.0,35.2 " * 100,
        "Emden;12,5;open;Bremen;3,5;closed;" * 60,
        "def open(port):\n    return port.gate(1) or port.wait(2)\n" * 40,
        "\n".join(f"{n:064x}  harbour-{n}.txt" for n in range(40)),
        "<p>Boats wait</p><ul><li>for the tide</li></ul>" * 40,
    ],
    ids="prose dna rule digits path hyphens japanese json sql numbers table code checksums html".split(),
)
def test_what_a_person_may_look_for_is_left_alone(text: str) -> None:
    assert encoded_stretches(text) == []


def test_stretches_are_apart_and_in_order() -> None:
    blob = base64.b64encode(BYTES).decode()
    text = f"{JS * 6}data:{blob}\n\nThe tide.\n{blob}\n"
    found = encoded_stretches(text)
    assert [stretch.kind for stretch in found] == [EncodedKind.MINIFIED, EncodedKind.ENCODED]
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize("unit", ["a", "a-", "Ab1", "Ab1" * 13 + "\n", "a" * 199 + " ", "=", " \n>"])
def test_the_time_grows_with_the_text_and_not_faster(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.perf_counter()
    encoded_stretches(text)
    assert time.perf_counter() - began < 2.0
