"""The account of a document counts kinds, names what was left out, and stays readable."""

from rag.parsing.account import Account
from rag.parsing.rows import AccountLine


def test_an_account_says_what_was_read_and_then_what_was_not() -> None:
    account = Account()
    account.leave_out("attachment", "zip files are not supported", name="plans.zip")
    account.read("footnote", 2)
    account.leave_out("attachment", "zip files are not supported", name="pictures.zip")
    account.read("entry", 1, "entries")
    assert account.lines == (
        AccountLine("2 footnotes read"),
        AccountLine("1 entry read"),
        AccountLine("2 attachments not read (zip files are not supported): plans.zip, pictures.zip", 2),
    )


def test_an_account_of_nothing_has_no_lines() -> None:
    account = Account()
    account.read("comment", 0)
    account.leave_out("page", "an image", 0)
    assert account.lines == ()


def test_one_kind_with_two_reasons_is_two_lines_and_read_or_not_too() -> None:
    account = Account()
    account.read("chart")
    account.leave_out("chart", "its data is damaged", name="slide 3")
    account.leave_out("chart", "it has no data", name="slide 4")
    assert [(line.text, line.left_out) for line in account.lines] == [
        ("1 chart read", 0),
        ("1 chart not read (its data is damaged): slide 3", 1),
        ("1 chart not read (it has no data): slide 4", 1),
    ]


def test_many_names_are_cut_with_their_count_and_long_ones_shortened() -> None:
    account = Account()
    for number in range(1, 2003):
        account.leave_out("line", "not valid JSON", name=str(number))
    account.leave_out("attachment", "empty", name="a\nb " + "x" * 200)
    lines, attachment = account.lines
    assert lines.text == "2,002 lines not read (not valid JSON): 1, 2, 3, 4, 5, 6, 7, 8 and 1,994 more"
    assert lines.left_out == 2002
    assert attachment.text == "1 attachment not read (empty): a b " + "x" * 76


def test_the_account_of_a_part_joins_that_of_the_document() -> None:
    part = Account()
    part.read("footnote", 2)
    part.leave_out("picture", "no text describes it", name="plan.png")
    whole = Account()
    whole.read("footnote")
    whole.include(part, "report.docx")
    whole.include(part)
    assert [line.text for line in whole.lines] == [
        "5 footnotes read",
        "2 pictures not read (no text describes it): report.docx plan.png, plan.png",
    ]
