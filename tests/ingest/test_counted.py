"""Lines found by counting quotes are those the careful reader finds, or none."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.ingest.text import careful
from apps.ingest.text.counted import lines_of

cells = st.text(st.sampled_from('a1,"\n é'), max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=20)


def carefully(path: Path) -> dict[int, int]:
    return {row.number: row.line for row in careful.rows(path)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables, newline=st.sampled_from(["\n", "\r\n"]), blanks=st.integers(0, 2), bom=st.booleans())
@example(table=[["", ""]], newline="\n", blanks=1, bom=True)
def test_the_same_lines_as_the_careful_reader(tmp_path, table, newline, blanks, bom):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=newline)
    writer.writerow(["a", "b"])
    for row in table:
        out.write(newline * blanks)
        writer.writerow(row)
    path = tmp_path / "bill.csv"
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + out.getvalue().encode())
    assert lines_of(path, range(1, len(table) + 1)) == (carefully(path), len(table))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param('a,b\n5" disk,1\nx,2\n', [1], id="a quote inside a value swallows the rest"),
        pytest.param('a,b\n5" disk,1\nx" y,2\nz,3\n', [1], id="two of them make one row of two"),
        pytest.param("a,b\n1\n", [1], id="a row narrower than the header"),
        pytest.param("", [1], id="nothing at all"),
    ],
)
def test_what_counting_cannot_tell_is_left_to_the_careful_reader(tmp_path, text, wanted):
    path = tmp_path / "bill.csv"
    path.write_text(text)
    assert lines_of(path, wanted) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param(b"a,b\n1,2\n", "bill.csv.gz, line 2", id="a file as it was received"),
        pytest.param(b"\x1f\x8bnothing of gzip", "bill.csv.gz (cannot be read), row 1", id="damaged bytes"),
        pytest.param(None, "bill.csv.gz (no longer kept), row 1", id="no bytes"),
    ],
)
def test_the_place_of_a_row(home, content, place):
    from apps.ingest.landing import landed_path
    from apps.ingest.lines import places
    from apps.ingest.models import LandedFile, Source

    now = datetime(2026, 11, 1, tzinfo=UTC)
    source = Source.objects.create(name="bill", kind="focus", location="/x", created_at=now)
    file = LandedFile.objects.create(
        source=source, path="bill.csv.gz", revision=1, sha256="ab" * 32, size=1, modified_ns=0, delivery=1, rows=1,
        landed_at=now,
    )  # fmt: skip
    if content is not None:
        path = landed_path(file.sha256)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    assert str(places(f"f{file.pk}", [1])[1]) == place
    assert str(places("f999", [3])[3]) == "f999 (no longer kept), row 3"
