"""Writes the containers of old Office files and Outlook mails, and the smallest files of these kinds."""

import struct
from typing import Any

_NONE, _END = 0xFFFFFFFF, 0xFFFFFFFE


def compound(content: dict[str, Any]) -> bytes:
    """A compound file; a value of bytes is a stream, a dict a storage."""
    entries: list[list[Any]] = [
        ["Root Entry", 5, _NONE, _NONE, 0, 0]
    ]  # name, kind, right, child, start, size
    small = bytearray()

    def add(parent: int, inside: dict[str, Any]) -> None:
        before = _NONE
        for name, value in inside.items():
            number = len(entries)
            entries.append([name, 1 if isinstance(value, dict) else 2, _NONE, _NONE, 0, 0])
            if before == _NONE:
                entries[parent][3] = number
            else:
                entries[before][2] = number
            before = number
            if isinstance(value, dict):
                add(number, value)
            else:
                entries[number][4:] = [value, len(value)]

    add(0, content)
    sectors: list[bytes] = []
    fat: list[int] = []
    mini_fat: list[int] = []

    def store(data: bytes) -> int:
        start, parts = len(sectors), [data[at : at + 512] for at in range(0, len(data), 512)]
        sectors.extend(part.ljust(512, b"\0") for part in parts)
        fat.extend([*range(start + 1, start + len(parts)), _END])
        return start

    for entry in entries[1:]:
        if entry[1] != 2:
            continue
        data = entry[4]
        if len(data) >= 4096:
            entry[4] = store(data)
        else:
            start, count = len(mini_fat), max(-(-len(data) // 64), 1)
            small.extend(data.ljust(64 * count, b"\0"))
            mini_fat.extend([*range(start + 1, start + count), _END])
            entry[4] = start
    if small:
        entries[0][4:] = [store(bytes(small)), len(small)]
    mini_at = store(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(512, b"\xff")) if mini_fat else _END
    listed = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack(
            "<HBBIII16sIQQIQ", 2 * len(name) + 2, kind, 1, _NONE, right, child, b"", 0, 0, 0, start, size
        )
        for name, kind, right, child, start, size in entries
    )
    directory_at = store(listed)
    fat_count = -(-(len(fat) + 1) // 127)
    fat_at = list(range(len(sectors), len(sectors) + fat_count))
    fat += [0xFFFFFFFD] * fat_count
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(512 * fat_count, b"\xff")
    sectors += [table[at : at + 512] for at in range(0, len(table), 512)]
    head = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_count,
        directory_at, 0, 4096, mini_at, int(bool(mini_fat)), _END, 0,
    ) + struct.pack("<109I", *fat_at, *[_NONE] * (109 - fat_count))  # fmt: skip
    return head + b"".join(sectors)


def word(text: str, *, footnotes: str = "", flags: int = 0, wide: str = "") -> bytes:
    """A Word 97 document: a piece of one byte a letter, one of two for `wide`, and its footnotes."""
    head = bytearray(0x600)
    struct.pack_into("<HH", head, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", head, 0x0A, 0x200 | flags)
    struct.pack_into("<II", head, 0x4C, len(text) + len(wide), len(footnotes))
    pieces = [(text.encode("cp1252"), 1), (wide.encode("utf-16-le"), 2), (footnotes.encode("cp1252"), 1)]
    letters, places, body = [0], [], bytearray()
    for data, size in pieces:
        if not data:
            continue
        letters.append(letters[-1] + len(data) // size)
        at = len(head) + len(body)
        places.append((at * 2) | 0x40000000 if size == 1 else at)
        body += data
    table = struct.pack(f"<{len(letters)}I", *letters)
    table += b"".join(struct.pack("<HIH", 0, place, 0) for place in places)
    clx = b"\x01\x02\x00ab" + b"\x02" + struct.pack("<I", len(table)) + table
    struct.pack_into("<II", head, 0x1A2, 0, len(clx))
    return compound({"WordDocument": bytes(head + body), "1Table": clx})


def record(kind: int, data: bytes, instance: int = 0, container: bool = False) -> bytes:
    """A record of a PowerPoint file."""
    return struct.pack("<HHI", instance << 4 | (0xF if container else 0), kind, len(data)) + data


def slides(*shown: tuple[str, str, str]) -> bytes:
    """A PowerPoint 97 presentation: for each slide its outline, the text of a box, and its notes."""
    boxes, notes, outline, noted = [], [], b"", b""
    for number, (title, box, said) in enumerate(shown, 1):
        persist = struct.pack("<IIIII", number, 0, 0, 255 + number, 0)
        outline += record(0x03F3, persist) + record(0x0FA0, title.encode("utf-16-le"))
        shape = record(0xF00D, record(0x0FA8, box.encode("latin-1")), container=True)
        boxes.append(record(0x03EE, record(0x040C, shape, container=True), container=True))
        noted += record(0x03F3, struct.pack("<IIIII", 100 + number, 0, 0, 0, 0))
        atom = record(0x03F1, struct.pack("<II", 255 + number, 0))
        text = record(0x0FA0, said.encode("utf-16-le")) if said else b""
        notes.append(record(0x03F0, atom + record(0xF00D, text, container=True), container=True))
    lists = record(0x0FF0, outline, 0, True) + record(0x0FF0, noted, 2, True)
    data = record(0x03E8, lists, container=True)
    places = []
    for part in boxes + notes:
        places.append(len(data))
        data += part
    count = len(boxes)
    directory = struct.pack(f"<I{count}I", count << 20 | 1, *places[:count])
    directory += struct.pack(f"<I{count}I", count << 20 | 101, *places[count:])
    return compound({"PowerPoint Document": data + record(0x1772, directory), "Current User": b"x"})


def outlook_parts(
    *, attachments: tuple[dict[str, Any], ...] = (), narrow: bool = False, **texts: str | bytes
) -> dict[str, Any]:
    """The parts of an Outlook mail: properties by number (`p0037="Subject"`), bytes for binary ones."""
    made: dict[str, Any] = {}
    for name, value in texts.items():
        tag = name.removeprefix("p")
        if isinstance(value, bytes):
            made[f"__substg1.0_{tag}0102"] = value
        elif narrow:
            made[f"__substg1.0_{tag}001E"] = value.encode("cp1252")
        else:
            made[f"__substg1.0_{tag}001F"] = value.encode("utf-16-le")
    for number, attachment in enumerate(attachments):
        made[f"__attach_version1.0_#{number:08X}"] = attachment
    time = struct.pack("<HHIQ", 0x40, 0x0039, 6, 133_500_000_000_000_000)
    made["__properties_version1.0"] = bytes(32) + time
    return made
