"""Text cells are what a strict reader of CSV finds, or nothing at all."""

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ingest.text.cells import Misshapen, has_any, read_cells
from apps.ingest.text.values import MISSING

LONG = "x" * 1_000_000


def read(text: str, columns: int = 2) -> list[tuple[str | None, ...]]:
    table = read_cells(memoryview(text.encode()), columns)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


@given(st.text(st.sampled_from('a,"\n\r\0é'), max_size=40))
def test_any_text_is_read_as_a_strict_reader_reads_it_or_refused(text):
    try:
        found = read(text)
    except (Misshapen, pa.ArrowInvalid):
        return
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    assert found == [tuple(None if cell in MISSING else cell for cell in row) for row in rows]


@given(
    st.lists(st.lists(st.text(st.sampled_from('a,"\n é'), max_size=6), min_size=2, max_size=2), min_size=1),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_whatever_a_writer_of_csv_quotes_is_read(table, newline, is_ended):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(table)
    text = out.getvalue() if is_ended else out.getvalue().removesuffix(newline)
    assert read(text) == [tuple(None if cell in MISSING else cell for cell in row) for row in table]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('a,b"c\n', id="a quote inside a plain value"),
        pytest.param('a,"b"c\n', id="text behind a closing quote"),
        pytest.param('a,"b"" c\n', id="a quote that is never closed"),
        pytest.param('a, "b"\n', id="a quote behind a blank"),
        pytest.param("a,b\rc,d\n", id="a row that ends with a lone carriage return"),
        pytest.param("a\n", id="a value too few"),
        pytest.param("a,b,c\n", id="a value too many"),
        pytest.param(f"a,{LONG}x\n", id="a value of more than a megabyte"),
    ],
)
def test_what_is_not_strict_csv_is_refused(text):
    with pytest.raises((Misshapen, pa.ArrowInvalid)):
        read(text)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("a,b\n\n\nc,d\n", [("a", "b"), ("c", "d")], id="blank lines are no rows"),
        pytest.param("\r\na,b\r\n\r\n", [("a", "b")], id="blank lines of Windows are no rows"),
        pytest.param('a,"b\n\nc"\n', [("a", "b\n\nc")], id="line breaks inside quotes end no row"),
        pytest.param('NULL,""\n', [(None, None)], id="missing values"),
        pytest.param("a,b", [("a", "b")], id="a last row without a line break"),
        pytest.param(f"{LONG},{LONG}\n", [(LONG, LONG)], id="a row longer than what is parsed at a time"),
        pytest.param('"",\n"",""', [(None, None), (None, None)], id="quotes at both ends"),
    ],
)
def test_what_is_strict_csv_is_read(text, rows):
    assert read(text) == rows


def test_a_quote_on_the_edge_of_a_step_is_seen():
    filler = "a,b\n" * ((1 << 19) // 4 - 1)
    for shift in range(6):
        text = f'{"a" * shift},b\n{filler}c,"d""e"\n'
        assert read(text)[-1] == ("c", 'd"e')
        with pytest.raises(Misshapen):
            read(f'{text}c,d"e\n')


def test_characters_are_found_in_cells_and_not_beside_them():
    table = read_cells(memoryview(b"1e3,12\n1,2\n"), 2)
    assert has_any(table.column(0), "eE")
    assert not has_any(table.column(1), "eE")
