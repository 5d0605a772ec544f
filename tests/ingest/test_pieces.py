"""A long CSV file is cut into pieces of whole rows, whatever its values hold."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.ingest.bill.pieces import pieces

cells = st.text(st.sampled_from('a1,"\n\r é'), max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables, size=st.integers(1, 200), newline=st.sampled_from(["\n", "\r\n"]))
def test_every_piece_holds_whole_rows_and_together_they_are_the_file(tmp_path, table, size, newline):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(table)
    content = out.getvalue().encode()
    path = tmp_path / "bill.csv"
    path.write_bytes(b"a,b\n" + content)
    found = [bytes(piece) for piece in pieces(path, skip=4, size=size)]
    assert b"".join(found) == content
    assert [row for piece in found for row in csv.reader(io.StringIO(piece.decode(), newline=""), strict=True)] == table


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_file_without_rows_has_no_pieces(tmp_path, size):
    (tmp_path / "bill.csv").write_bytes(b"a,b\n")
    assert list(pieces(tmp_path / "bill.csv", skip=4, size=size)) == []
