"""Bytes of any encoding become text, and what could not be read is counted with its line."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.parsing.account import Account
from rag.parsing.encodings import Decoded, codec, decode, read

LOG = "Prüfung der Türöffner läuft für Größe 7."


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfabc", "abc"),
        ("abc€".encode("utf-16"), "abc€"),
        ("abc€".encode("utf-32"), "abc€"),
        (b"plain", "plain"),
        (b"", ""),
        ("Grüße und alle Maße.".encode("utf-16-be"), "Grüße und alle Maße."),
        (b"# -*- coding: latin-1 -*-\n\xfcber", "# -*- coding: latin-1 -*-\nüber"),
        (b"<?xml encoding='koi8-r'?>\xf0\xd2\xc9\xd7\xc5\xd4", "<?xml encoding='koi8-r'?>Привет"),
        (b"charset=utf-8 \xe4\xf6", "charset=utf-8 äö"),  # it says what the bytes are not
        (b"charset=no-such-one \xe4", "charset=no-such-one ä"),
    ],
)
def test_bytes_of_unknown_encoding_become_text(data: bytes, text: str) -> None:
    assert decode(data) == text


@given(st.binary(max_size=200))
def test_no_bytes_are_ever_refused(data: bytes) -> None:
    assert isinstance(decode(data), str)


@given(st.text(max_size=60))
def test_utf_8_is_read_as_it_was_written(text: str) -> None:
    data = text.encode("utf-8")
    assume(not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")))
    assume(b"\x1b$" not in data)
    assert decode(data) == text


def account_of(found: Decoded, where: str = "") -> list[str]:
    account = Account()
    found.tell(account, where)
    return [line.text for line in account.lines]


@pytest.mark.parametrize(
    ("data", "lost", "kept"),
    [
        ((LOG * 20).encode() + b"\n\x96 end\n" + LOG.encode(), {2: 1}, LOG),
        (b"\xef\xbb\xbf" + LOG.encode() + b"\n\x96\n", {2: 1}, LOG),
        (("日志：水泵\n" * 9).encode()[:-2], {9: 1}, "日志：水泵\n日志"),
        (f"{LOG}\n".encode() * 30 + b"Fenster f\xfcr innen\n", {31: 1}, LOG),
        (f"{LOG}\r".encode() * 3 + b"\xff\xff\r", {4: 2}, LOG),
        (b"T\xc3\xbcr f\xfcr", {1: 1}, "Tür f"),
        ("仓库日志：水泵已检查，阀门已更换。\n".encode("gb18030") * 9 + b"\xff\n", {10: 1}, "水泵已检查"),
        (("倉庫の日誌" * 20).encode("cp932")[:-1], {1: 1}, "倉庫の日誌"),
        (LOG.encode("utf-16") + b"\x00", {1: 1}, LOG),
    ],
)
def test_a_few_wrong_bytes_cost_their_own_characters_only(
    data: bytes, lost: dict[int, int], kept: str
) -> None:
    found = read(data)
    assert kept in found.text
    assert found.lost == lost
    assert found.text.count("\ufffd") == sum(lost.values())


def test_the_account_names_the_lines_with_wrong_bytes() -> None:
    data = f"{LOG}\n\xff and \xfe\n".encode("latin-1").replace(LOG.encode("latin-1"), LOG.encode())
    assert account_of(read(data)) == ["2 characters not read (wrong bytes in UTF-8 text): line 2"]
    assert account_of(read(data), "note.txt") == [
        "2 characters not read (wrong bytes in UTF-8 text): note.txt line 2"
    ]
    assert account_of(read(LOG.encode())) == []
    assert account_of(read("a real \ufffd sign".encode())) == []


@pytest.mark.parametrize("every", [2, 3, 9])
@pytest.mark.parametrize(
    ("encoding", "line"),
    [("cp1252", "Größe"), ("cp1251", "Журнал склада"), ("cp866", "насос заменён"), ("cp932", "倉庫の日誌")],
)
def test_each_line_of_a_log_with_two_encodings_is_read_in_its_own(
    encoding: str, line: str, every: int
) -> None:
    text = [f"{number} {line}" for number in range(40)]
    data = b"\n".join(t.encode("utf-8" if n % every else encoding) for n, t in enumerate(text))
    found = read(data)
    assert found.text.split("\n") == text
    others = found.other_lines
    assert account_of(found) == [f"{others} lines in {found.other_encoding} among lines in UTF-8 read"]
    other_way = b"\n".join(t.encode(encoding if n % every else "utf-8") for n, t in enumerate(text))
    assert read(other_way).text.split("\n") == text


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("gb2312", "gb18030"),
        ("GBK", "gb18030"),
        ("latin-1", "cp1252"),
        ("ISO-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("iso-8859-9", "cp1254"),
        ("TIS-620", "cp874"),
        ("windows-874", "cp874"),
        ("shift_jis", "cp932"),
        ("x-sjis", "cp932"),
        ("ks_c_5601-1987", "cp949"),
        ("Big5", "big5hkscs"),
        (' "utf-8" ', "utf-8"),
        ("koi8-r", "koi8-r"),
        ("no-such-one", None),
        ("punycode", None),
        ("rot13", None),
        ("a\0b", None),
        ("", None),
    ],
)
def test_a_declared_label_means_what_browsers_take_it_for(label: str, expected: str | None) -> None:
    assert codec(label) == expected


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ('<meta charset="gb2312"><p>朱镕基'.encode("gbk"), "", "朱镕基"),
        (b"<meta charset=iso-8859-1>\x80 \x93x\x94", "", "€ “x”"),
        ("<meta charset=windows-1252>Grüße".encode(), "", "Grüße"),
        ('@charset "windows-1250"; /* Łódź */'.encode("cp1250"), "", "Łódź"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße €".encode("cp1252"), "us-ascii", "Grüße €"),
        ("女".encode("gbk"), "gb2312", "女"),
        ("한국어".encode("iso2022_kr"), "iso-2022-kr", "한국어"),
        ("汉字".encode("hz"), "hz-gb-2312", "汉字"),
        ("Gr\xfc\xdfe, the mail had charset=koi8-r".encode("latin-1"), "", "Grüße"),
    ],
)
def test_a_label_counts_where_the_bytes_agree(data: bytes, label: str, text: str) -> None:
    assert text in decode(data, label)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp874", "คู่มือการใช้งานเครื่องสูบน้ำ รุ่น 7"),
        ("cp874", "ชื่อ;อายุ\nสมชาย;30"),
        ("cp1257", "Ąžuolas auga prie upės, o šiaurėje pučia žvarbus vėjas."),
        ("cp1257", "Atslēga karājas pie dēļa, žāvētāja labajā pusē."),
        ("cp1257", "Šokolaad ja žürii, täna õhtul üks küsimus."),
        ("cp1252", "Það er mikilvægt að lesa þetta áður en dælan er ræst."),
        ("cp1252", "¿Dónde está la llave? El niño comió piña."),
        ("cp1252", "5 µm ± 2 °C, § 5"),
        ("cp1250", "A szivattyút havonta ellenőrizni kell, és a szűrőt ki kell cserélni."),
        ("cp1250", "Pompa trebuie verificată în fiecare lună, iar filtrul în săptămâna a noua."),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("cp1254", "Anahtar güney tarafındaki panoda asılı, ışık açık."),
        ("cp1253", "Αθήνα"),
        ("cp1255", "שלום עולם"),
        ("cp1256", "يجب فحص المضخة كل شهر"),
        ("cp866", "Журнал склада: насос проверен"),
        ("mac_roman", "Müller fährt über die Straße"),
        ("cp850", "Müller fährt über die Straße"),
    ],
)
def test_one_byte_encodings_are_told_by_the_letters_of_their_languages(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_vietnamese_is_read_with_its_combining_tones() -> None:
    tones = "Ha\u0300 Nô\u0323i la\u0300 thu\u0309 đô cu\u0309a nươ\u0301c Viê\u0323t Nam"
    assert decode(tones.encode("cp1258")) == tones


def test_a_large_text_with_one_wrong_byte_is_read_in_seconds() -> None:
    data = LOG.encode() * 50_000 + b"\x96"
    started = time.perf_counter()
    assert read(data).lost == {1: 1}
    assert time.perf_counter() - started < 5
