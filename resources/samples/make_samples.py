"""Writes the PDF and DOCX of the sample collection: `python resources/samples/make_samples.py`.

The texts are ours; the company and its product do not exist. The PDF is written by hand with a base font, so
that it has a real text layer and needs no library.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent

MANUAL = [
    (
        "Aurora 3 Weather Station - User Manual",
        """The Aurora 3 is a compact weather station made by Nordlicht Instruments. It measures air temperature, relative humidity, air pressure, rainfall, wind speed and wind direction. The station was introduced in March 2024 and replaces the Aurora 2.

The package contains the sensor head, a mounting bracket, a mast clamp for poles of 30 to 50 mm, the indoor console, a 12 V power adapter and a calibration certificate.

Measuring ranges: The temperature sensor measures from -40 to 60 degrees Celsius with an accuracy of 0.2 degrees. The anemometer measures wind speeds up to 60 m/s. The barometer covers 500 to 1100 hPa. The rain gauge has a resolution of 0.2 mm.""",
    ),
    (
        "Installation",
        """Mount the sensor head at least 2 metres above the ground and at least 10 metres away from walls and trees. The small arrow on the housing must point to the north. Tighten the mast clamp with a torque of 4 newton metres.

Connect the sensor head to the console by radio. The radio range is 150 metres in the open field. Hold the pairing button on the console for five seconds until the blue light blinks. Pairing takes up to two minutes.

The sensor head is powered by a solar panel and a lithium battery. A fully charged battery lasts 21 days without sunlight. Do not use the power adapter outdoors.""",
    ),
    (
        "Operation and maintenance",
        """The console shows new readings every 16 seconds. Readings are stored every ten minutes in the internal memory, which holds 400 days of data. The data can be exported as CSV over USB.

Clean the rain gauge every three months and remove leaves and insects from the funnel. Replace the radiation shield every five years. Recalibrate the humidity sensor every 24 months; the service centre in Tromso does this within eight working days.

Error E4 means that the wind sensor is blocked, usually by ice. Error E7 means that the battery voltage is below 3.4 volts. Error E9 means that the console has had no radio contact for 30 minutes.""",
    ),
]

POLICY = [
    (
        "Warranty",
        [
            "Nordlicht Instruments gives a warranty of three years on the Aurora 3, counted from the date of purchase. The battery has a warranty of one year.",
            "The warranty does not cover damage by lightning, by salt water or by opening the housing. Keep the invoice: without it the date of manufacture counts.",
        ],
    ),
    (
        "Returns",
        [
            "An unused station can be returned within 30 days. The customer pays the return shipping of 14 euros inside the European Union.",
            "Refunds are paid within ten working days after the station has arrived in our warehouse in Bremen.",
        ],
    ),
    (
        "Repairs",
        [
            "Repairs outside the warranty cost a flat fee of 85 euros plus parts. The customer receives a quotation before any work begins.",
            "The service team answers mails to the service desk within two working days. The head of service is Ingrid Solheim.",
            "A replacement device is lent for the time of the repair when the customer has the Premium service plan, which costs 49 euros a year.",
        ],
    ),
    (
        "Sending in a device",
        [
            "Write to the service desk before you send anything. You receive a return number, which begins with the letters NR and must be written on the parcel. Parcels without a return number are sent back unopened.",
            "Remove the battery and pack it separately. Protect the anemometer cups with the foam shell that came with the station. The parcel is insured up to 500 euros on the way to us.",
        ],
    ),
    (
        "Calibration service",
        [
            "A calibration of the humidity sensor costs 45 euros, and a calibration of all sensors costs 95 euros. The certificate names the reference instruments and is issued by the laboratory in Tromso, led by Henrik Aas.",
        ],
    ),
    (
        "Spare parts and updates",
        [
            "Spare parts are supplied for ten years after the last station of a series was made. Firmware updates are free and are published for at least six years after the introduction of a series.",
            "The Aurora 2 was sold until February 2024; its spare parts are available until 2034.",
        ],
    ),
    (
        "Complaints",
        [
            "Complaints are answered by the customer office in Bremen within five working days. If no agreement is reached, the customer can turn to the arbitration board for consumers, which charges nothing. The law of Norway applies to business customers only.",
        ],
    ),
]


def main() -> None:
    (HERE / "aurora-3-manual.pdf").write_bytes(pdf(MANUAL))
    write_docx(HERE / "service-and-warranty.docx")


def pdf(pages: list[tuple[str, str]]) -> bytes:
    """A PDF 1.4 with one page for each (heading, text), in Helvetica."""
    objects = [b"", b""]  # catalogue and pages, filled in below
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
    kids = []
    for number, (heading, body) in enumerate(pages, 1):
        stream = page_stream(heading, body, number)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        content = len(objects)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" % content
        )
        kids.append(len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids),
        b" ".join(b"%d 0 R" % kid for kid in kids),
    )
    objects.append(b"<< /Title (Aurora 3 User Manual) /Author (Nordlicht Instruments) >>")
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body_bytes in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body_bytes)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(objects),
        start,
    )
    return bytes(out)


def page_stream(heading: str, body: str, number: int) -> bytes:
    lines = ["BT /F2 18 Tf 60 770 Td", f"({escape(heading)}) Tj", "/F1 11 Tf 0 -34 Td 15 TL"]
    for paragraph in body.split("\n\n"):
        lines += [f"({escape(line)}) Tj T*" for line in textwrap.wrap(" ".join(paragraph.split()), 88)]
        lines.append("T*")
    lines += ["ET", f"BT /F1 9 Tf 290 40 Td ({number}) Tj ET"]
    return "\n".join(lines).encode("cp1252")


def escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def write_docx(path: Path) -> None:
    import docx

    document = docx.Document()
    document.core_properties.title = "Aurora 3 Service and Warranty"
    document.add_heading("Aurora 3 Service and Warranty", 0)
    for heading, paragraphs in POLICY:
        document.add_heading(heading, 1)
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
    document.save(str(path))


if __name__ == "__main__":
    main()
