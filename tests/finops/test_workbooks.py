"""Workbooks somebody brings: what their cells say counts, not what they say of themselves, nor how wide they are."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import openpyxl
import pytest

from apps.finops import workbooks
from apps.finops.sheets import BadSheet

COLUMNS = [["team", "day"]]
Rewrite = Callable[[bytes], bytes]


def workbook(cells: Mapping[str, Any], rewrite: Rewrite = bytes) -> bytes:
    """A workbook of these cells; its sheet, as XML, may be rewritten."""
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    made, out = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as whole, zipfile.ZipFile(out, "w") as packed:
        for entry in whole.infolist():
            content = whole.read(entry)
            packed.writestr(entry, rewrite(content) if entry.filename.endswith("sheet1.xml") else content)
    return out.getvalue()


def sized(told: bytes) -> Rewrite:
    return lambda sheet: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="' + told + b'"', sheet)


HEADER = {"A1": "day", "B1": "team"}


@pytest.mark.parametrize(
    ("cells", "rewrite", "expected"),
    [
        pytest.param({"A2": 3, "B2": "live"}, bytes, [(2, "3", "live")], id="a plain one"),
        pytest.param({"B2": "live", "A4": "x"}, bytes, [(2, "", "live"), (4, "x", "")], id="with gaps"),
        pytest.param({"A2": 3, "B2": "live"}, sized(b"A1"), [(2, "3", "live")], id="smaller than it is, by its word"),
        pytest.param({"A2": 3}, sized(b"A1:XFD1048576"), [(2, "3", "")], id="larger than it is, by its word"),
        pytest.param({"A2": 3, "XFD2": "far"}, bytes, [(2, "3", "")], id="with a cell at the far end of a row"),
    ],
)
def test_the_cells_of_a_workbook(cells, rewrite, expected):
    found = workbooks.lines(workbook(HEADER | cells, rewrite), "plan.xlsx", COLUMNS)
    assert [(line, told["day"], told["team"]) for line, told in found] == expected


def test_a_row_is_as_wide_as_the_header(monkeypatch):
    """A few bytes may say that each of a million rows has 16,384 columns: that is neither made nor looked through."""
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    widths: list[int] = []
    row_of = ReadOnlyWorksheet._get_row

    def counted(self: Any, *given: Any, **named: Any) -> Any:
        row = row_of(self, *given, **named)
        widths.append(len(row))
        return row

    monkeypatch.setattr(ReadOnlyWorksheet, "_get_row", counted)
    found = list(workbooks.lines(workbook(HEADER | {"XFD2": "far", "A9": "last"}), "plan.xlsx", COLUMNS))
    assert [line for line, _ in found] == [9]
    assert max(widths[1:]) == 2
    assert widths[0] <= workbooks.MOST_COLUMNS


def far(line: int) -> Rewrite:
    """One line more, under a number of its own."""
    row = f'<row r="{line}"><c r="A{line}" t="inlineStr"><is><t>far</t></is></c></row></sheetData>'.encode()
    return lambda sheet: sheet.replace(b"</sheetData>", row)


def test_lines_that_are_missing_are_not_looked_through(monkeypatch):
    looked: list[Any] = []
    text_of = workbooks.text
    monkeypatch.setattr(workbooks, "text", lambda value: looked.append(value) or text_of(value))
    found = list(workbooks.lines(workbook(HEADER | {"A2": 3}, far(20_000)), "plan.xlsx", COLUMNS))
    assert [(line, told["day"]) for line, told in found] == [(2, "3"), (20_000, "far")]
    assert len(looked) < 10


def test_a_line_of_any_number_is_refused():
    made = workbook(HEADER | {"A2": 3}, far(workbooks.MOST_LINES + 1))
    with pytest.raises(BadSheet, match=r"^plan.xlsx, line 1048577: a sheet has at most 1,048,576 lines; delete those"):
        list(workbooks.lines(made, "plan.xlsx", COLUMNS))


@pytest.mark.parametrize("number", [b"123456789012345678.12", b"-1.5E+15"])
def test_a_number_that_lost_digits_is_refused(number):
    made = workbook(
        HEADER | {"A2": 3, "B2": "live"}, lambda sheet: sheet.replace(b"<v>3</v>", b"<v>" + number + b"</v>")
    )
    with pytest.raises(BadSheet, match=r"^plan.xlsx, line 2, day: a workbook keeps 15 digits of a number.*as text"):
        list(workbooks.lines(made, "plan.xlsx", COLUMNS))


FORMULA = HEADER | {"A2": 3, "A5": "=1+1", "B5": "live"}


def test_a_formula_is_what_it_came_to():
    made = workbook(FORMULA, lambda sheet: re.sub(rb"</f><v ?/>|</f><v></v>", b"</f><v>2</v>", sheet))
    found = [(line, told["day"]) for line, told in workbooks.lines(made, "plan.xlsx", COLUMNS)]
    assert found == [(2, "3"), (5, "2")]


def test_a_formula_may_come_to_an_empty_text():
    """As spreadsheets keep `=IF(A2="","",A2)`."""

    def kept(sheet: bytes) -> bytes:
        return re.sub(rb'<c r="A5"([^>]*)>', rb'<c r="A5" t="str"\1>', sheet)

    found = [(line, told["day"]) for line, told in workbooks.lines(workbook(FORMULA, kept), "plan.xlsx", COLUMNS)]
    assert found == [(2, "3"), (5, "")]


def test_a_formula_in_a_column_without_a_name_is_nobody_s():
    cells = {"A1": "day", "C1": "team", "A2": 3, "B2": "=1+1", "C2": "live"}
    found = [(line, told["day"], told["team"]) for line, told in workbooks.lines(workbook(cells), "p.xlsx", COLUMNS)]
    assert found == [(2, "3", "live")]


def test_a_formula_without_a_result_is_refused():
    said = r"^plan.xlsx, line 5, day: a formula whose result the workbook does not hold; open it in a spreadsheet"
    with pytest.raises(BadSheet, match=said):
        list(workbooks.lines(workbook(FORMULA), "plan.xlsx", COLUMNS))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        pytest.param({}, "they are .", id="nothing"),
        pytest.param({"A1": "day", "D1": "crew"}, "they are day,,,crew.", id="other columns, and where they stand"),
    ],
)
def test_another_workbook_is_refused(cells, said):
    with pytest.raises(BadSheet, match=re.escape(f"line 1: the columns must be team,day; {said}")):
        list(workbooks.lines(workbook(cells), "plan.xlsx", COLUMNS))
