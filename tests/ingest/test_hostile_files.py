"""Hostile and damaged files: each refused whole, with a message that says where, and nothing published."""

import gzip
import io
import struct
import tarfile
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.ingest import unpack
from apps.ingest.models import LandedFile
from tests.ingest.bills import COLUMNS, bill, costs, errors, ingest, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

GOOD = bill(row("1"), row("2"))
LAST_IS_MONEY = bill(row("33.10"), columns=[*(name for name in COLUMNS if name != "BilledCost"), "BilledCost"])
LINES = GOOD.decode().splitlines(keepends=True)


def gz(content: bytes = GOOD) -> bytes:
    return gzip.compress(content, mtime=0)


def archive(*members: tuple[str, bytes], link: bool = False, flag: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o120777 if link else 0o100644) << 16
            packed.writestr(entry, content)
    raw = bytearray(out.getvalue())
    if flag:
        for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = raw.find(magic)
            raw[at + offset] |= flag
    return bytes(raw)


def tar(*members: tuple[str, bytes], link: bytes = b"", sparse: bool = False) -> bytes:
    """A tar archive as it lies inside gzip."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(content), tarfile.GNUTYPE_SPARSE if sparse else tarfile.REGTYPE
            packed.addfile(entry, io.BytesIO(content))
        if link:
            entry = tarfile.TarInfo("b.csv")
            entry.type, entry.linkname = link, "a.csv"
            packed.addfile(entry)
    return out.getvalue()


A_TAR = tar(("a.csv", GOOD), ("b.csv", GOOD))
SECOND = A_TAR.index(b"b.csv")


def twice(name: str) -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return archive((name, GOOD), (name, GOOD))


def overlapping() -> bytes:
    """Two names for the bytes of one file, as bombs have that are larger than any archive."""
    raw = bytearray(archive(("a.csv", GOOD), ("b.csv", GOOD)))
    first = raw.find(b"PK\x01\x02")
    second = raw.find(b"PK\x01\x02", first + 4)
    raw[second + 42 : second + 46] = raw[first + 42 : first + 46]
    return bytes(raw)


def hidden() -> bytes:
    """The bytes of two files, and the list of the first alone."""
    whole, one = archive(("a.csv", GOOD), ("b.csv", GOOD)), archive(("a.csv", GOOD))
    bodies, listed = whole[: whole.index(b"PK\x01\x02")], bytearray(one[one.index(b"PK\x01\x02") :])
    end = listed.rindex(b"PK\x05\x06")
    listed[end + 16 : end + 20] = struct.pack("<I", len(bodies))
    return bodies + bytes(listed)


def odd_tar(more: dict[str, str]) -> bytes:
    """A file with headers of its own, as they are written beside the plain ones."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as packed:
        info = tarfile.TarInfo("a.csv")
        info.size, info.pax_headers = len(GOOD), more
        packed.addfile(info, io.BytesIO(GOOD))
    return out.getvalue()


def endless() -> bytes:
    """A row of which Parquet says that it is there 1,100,000 times, in a few bytes."""
    out = io.BytesIO()
    always = pa.array([0], pa.int32()).take(pa.array([0] * 1_100_000))
    cells = {name: pa.DictionaryArray.from_arrays(always, pa.array([value])) for name, value in row().items()}
    pq.write_table(pa.table(cells), out, compression="zstd")
    return out.getvalue()


def parquet(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    cells = {name: pa.array([value]) for name, value in row().items()} | columns
    pq.write_table(pa.table(cells), out)
    return out.getvalue()


def spoilt(content: bytes, at: int, byte: int) -> bytes:
    """With another byte at a place."""
    changed = bytearray(content)
    changed[at] = byte
    return bytes(changed)


def header(*more: str) -> bytes:
    return ",".join([*COLUMNS, *more]).encode() + b"\n"


CASES = {
    "zero bytes": ("a.csv", b"", "a.csv: the file is empty"),
    "no header": ("a.csv", "".join(LINES[1:]).encode(), "line 1: Required columns are missing"),
    "a comment before the header": ("a.csv", b"# export\n" + GOOD, "line 1: Required columns are missing"),
    "two columns of one name": ("a.csv", header("Tags"), "line 1: Columns of the same name: Tags, Tags"),
    "names that differ by case": ("a.csv", header("tags"), "line 1: Columns of the same name: Tags, tags"),
    "a column without a name": ("a.csv", header(""), "line 1: Column 13 has no name"),
    "1,001 columns": ("a.csv", header(*(f"x_{at}" for at in range(1001))), "line 1: 1013 columns"),
    "UTF-16": ("a.csv", GOOD.decode().encode("utf-16"), "line 1: The file is UTF-16"),
    "a Latin-1 byte in a tag": ("a.csv", GOOD.replace(b"live", b"l\xefve", 1), "line 2: Byte 0xef at offset"),
    "semicolons": ("a.csv", GOOD.replace(b",", b";"), "line 1: Columns are separated by ';'"),
    "tabs": ("a.csv", GOOD.replace(b",", b"\t"), "line 1: Columns are separated by '\\t'"),
    "a short row": ("a.csv", (LINES[0] + LINES[1] + "1,2\n").encode(), "line 3, column EffectiveCost: The row has 2"),
    "a long row": ("a.csv", (LINES[0] + LINES[1].strip() + ",more\n").encode(), "line 2, column Tags: The row has 13"),
    "cut inside a row": ("a.csv", GOOD[: GOOD.rindex(b"Elastic")], "line 3, column"),
    "cut inside an amount": ("a.csv", LAST_IS_MONEY[:-2], "last line, column BilledCost: The file ends inside"),
    "cut inside quotes": ("a.csv", GOOD[:-6], "line 3: A quote is opened and not closed"),
    "a quote that swallows the rest": ("a.csv", GOOD.replace(b"Usage", b'"Usage', 1), "line 2"),
    "a value of two megabytes": ("a.csv", GOOD.replace(b"Usage", b'"' + b"x" * 2_000_000 + b'"', 1), "line 2: A quote"),
    "the header again in the middle": ("a.csv", GOOD + GOOD, "line 4, column BilledCost: The header is repeated"),
    "tags that are no JSON": ("a.csv", GOOD.replace(b'{""team', b"{team", 1), "line 2, column Tags"),
    "tags that are a list": ("a.csv", bill(row(Tags="[1]")), "line 2, column Tags"),
    "gzip cut off": ("a.csv.gz", gz()[:-12], "gzip data are damaged"),
    "gzip with a wrong checksum": ("a.csv.gz", gz()[:-8] + struct.pack("<I", 1) + gz()[-4:], "gzip data are damaged"),
    "gzip with a wrong length": ("a.csv.gz", gz()[:-4] + struct.pack("<I", 1), "gzip data are damaged"),
    "gzip and garbage": ("a.csv.gz", gz() + b"garbage", "gzip data are damaged"),
    "gzip in gzip": ("a.csv.gz", gz(gz()), "another gzip archive"),
    "a zip that climbs out": ("a.zip", archive(("../a.csv", GOOD)), "outside itself"),
    "a zip with an absolute name": ("a.zip", archive(("/a.csv", GOOD)), "outside itself"),
    "a zip with a symbolic link": ("a.zip", archive(("a.csv", b"/etc/passwd"), link=True), "symbolic link"),
    "an encrypted zip": ("a.zip", archive(("a.csv", GOOD), flag=1), "is encrypted"),
    "a zip in a zip": ("a.zip", archive(("b.zip", archive(("a.csv", GOOD)))), "neither CSV nor Parquet"),
    "a zip dressed as CSV in a zip": ("a.zip", archive(("a.csv", archive(("a.csv", GOOD)))), "another zip archive"),
    "a zip with a name of Windows": ("a.zip", archive((r"..\..\a.csv", GOOD)), "outside itself"),
    "a zip of 1,001 files": ("a.zip", archive(*((f"{at}.csv", GOOD) for at in range(1001))), "holds 1001 files"),
    "a zip whose files overlap": ("a.zip", overlapping(), "zip archive is damaged"),
    "an empty zip": ("a.zip", archive(), "holds no CSV or Parquet file"),
    "a zip cut off": ("a.zip", archive(("a.csv", GOOD))[:-30], "zip archive is damaged"),
    "two zips in one": ("a.zip", archive(("a.csv", GOOD)) + archive(("b.csv", GOOD)), "joined with another"),
    "a zip and half of another": ("a.zip", archive(("a.csv", GOOD)) + archive(("b.csv", GOOD))[:40], "with another"),
    "a zip and more": ("a.zip", archive(("a.csv", GOOD)) + b"more", "joined with another"),
    "a zip that hides a file": ("a.zip", hidden(), "joined with another"),
    "a zip with a file under two names": ("a.zip", archive(("a.csv", GOOD), ("./a.csv", GOOD)), "of the same name"),
    "a tar with a file under two names": ("a.tgz", gz(tar(("a.csv", GOOD), ("./a.csv", GOOD))), "of the same name"),
    "a tar of an odd map": ("a.tgz", gz(odd_tar({"GNU.sparse.map": "1,x"})), "damaged"),
    "a tar of an odd size": ("a.tgz", gz(odd_tar({"size": "9" * 21})), "damaged"),
    "a tar with one name twice": ("a.tgz", gz(tar(("a.csv", GOOD), ("a.csv", GOOD))), "two files of the same name"),
    "a tar cut between two files": ("a.tgz", gz(A_TAR[:SECOND]), "the tar archive is cut off"),
    "a tar cut inside a head": ("a.tgz", gz(A_TAR[: SECOND + 100]), "the tar archive is cut off"),
    "a tar with a damaged head": ("a.tgz", gz(spoilt(A_TAR, SECOND + 148, 0x39)), "cut off, damaged"),
    "two tars in one": ("a.tgz", gz(A_TAR + tar(("c.csv", GOOD))), "damaged or joined with another"),
    "a tar with a symbolic link": ("a.tgz", gz(tar(("a.csv", GOOD), link=tarfile.SYMTYPE)), "b.csv is a link"),
    "a tar with a hard link": ("a.tgz", gz(tar(("a.csv", GOOD), link=tarfile.LNKTYPE)), "b.csv is a link"),
    "a tar with a sparse file": ("a.tgz", gz(tar(("a.csv", GOOD), sparse=True)), "a.csv is a link or no plain file"),
    "Parquet cut off": ("a.parquet", parquet()[:-30], "Parquet file cannot be read"),
    "Parquet that is nothing": ("a.parquet", b"PAR1" + b"\0" * 60 + b"PAR1", "Parquet file cannot be read"),
    "Parquet with a damaged page": ("a.parquet", spoilt(parquet(), 4, 0x1F), "the file is damaged"),
    "Parquet with a page of an unknown kind": ("a.parquet", spoilt(parquet(), 5, 0xFF), "the file is damaged"),
    "a column whose name holds a NUL": ("a.csv", header("x\0y"), "line 1: The name of column 13 holds a NUL"),
    "Parquet whose columns are not UTF-8": (
        "a.parquet", parquet().replace(b"ServiceName", b"Servic\xe1Name"), "is damaged"
    ),
    "zip that lost bytes": ("a.zip", archive(("a.csv", GOOD))[:60] + archive(("a.csv", GOOD))[66:], "is damaged"),
    "Parquet with a wrong amount": ("a.parquet", parquet(BilledCost=pa.array(["x"])), "row 1, column BilledCost"),
    "Parquet with NaN": ("a.parquet", parquet(BilledCost=pa.array([float("nan")])), "row 1, column BilledCost"),
    "Parquet with lists of amounts": ("a.parquet", parquet(BilledCost=pa.array([[1]])), "BilledCost: values of type"),
    "Parquet with truths for amounts": ("a.parquet", parquet(BilledCost=pa.array([True])), "BilledCost: values of"),
    "Parquet with days for amounts": (
        "a.parquet", parquet(BilledCost=pa.array([date(2026, 10, 1)])), "BilledCost: values of type DATE"
    ),
    "Parquet with instants for amounts": (
        "a.parquet", parquet(BilledCost=pa.array([datetime(2026, 10, 1, tzinfo=UTC)])), "BilledCost: values of type"
    ),
    "Parquet with UUIDs for amounts": (
        "a.parquet", parquet(BilledCost=pa.array([b"0" * 16], pa.uuid())), "BilledCost: values of type UUID"
    ),
    "Parquet with spans of time for amounts": (
        "a.parquet", parquet(BilledCost=pa.array([timedelta(1)])), "a.parquet: The engine cannot read"
    ),
    "Parquet with lists of other amounts": (
        "a.parquet", parquet(ListCost=pa.array([[Decimal("1.5")]])), "row 1, column ListCost"
    ),
    "Parquet with decimals of sixty digits": (
        "a.parquet", parquet(ListCost=pa.array([Decimal("1.5")], pa.decimal256(60, 2))), "ListCost: values of type"
    ),
    "Parquet with objects for currencies": (
        "a.parquet", parquet(BillingCurrency=pa.array([{"is": "CNY"}])), "BillingCurrency: values of type STRUCT"
    ),
    "Parquet with lists of currencies": (
        "a.parquet", parquet(BillingCurrency=pa.array([["CNY"]])), "BillingCurrency: values of type VARCHAR[]"
    ),
    "Parquet with a list of tags": ("a.parquet", parquet(Tags=pa.array([["a"]])), "row 1, column Tags"),
    "Parquet that is encrypted": ("a.parquet", b"PARE" + parquet()[4:-4] + b"PARE", "line 1"),
    "Parquet of endless rows": ("a.parquet", endless(), "of Parquet promise 1100000 rows; this is not a bill"),
    "a NUL in an amount": ("a.csv", bill(row("1\0")), "line 2, column BilledCost"),
    "a leap second": ("a.csv", bill(row(ChargePeriodStart="2026-06-30T23:59:60Z")), "column ChargePeriodStart"),
    "seconds since 1970": ("a.csv", bill(row(ChargePeriodStart="1790812800")), "column ChargePeriodStart"),
    "milliseconds since 1970": ("a.csv", bill(row(ChargePeriodStart="1790812800000")), "column ChargePeriodStart"),
    "an amount with a decimal comma": ("a.csv", bill(row("1,5")), "line 2, column BilledCost"),
    "no currency": ("a.csv", bill(row(BillingCurrency="")), "line 2, column BillingCurrency"),
    "Parquet with bytes": ("a.parquet", parquet(ResourceId=pa.array([b"x"])), "column ResourceId: values of type BLOB"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_is_refused_whole(tmp_path, case):
    name, content, said = CASES[case]
    put(tmp_path / "in", name, content)
    put(tmp_path / "in", "good.csv", bill(row("40")))
    problems = errors(ingest(source(tmp_path / "in")))
    assert any(name in problem and said in problem for problem in problems), problems
    assert costs() == ["40"], "nothing of that file, all of the others"
    assert LandedFile.objects.get(path=name).state == LandedFile.State.REFUSED


def test_a_zip_with_one_name_twice_is_refused(tmp_path):
    put(tmp_path / "in", "a.zip", twice("a.csv"))
    (problem,) = errors(ingest(source(tmp_path / "in")))
    assert "two files of the same name" in problem


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: archive(("a.csv", content))], ids=["gzip", "zip"])
def test_a_bomb_is_refused(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(unpack, "FREE_BYTES", 1_000_000)
    put(tmp_path / "in", "bomb.zip", pack(GOOD + b"\n" * 20_000_000))
    (problem,) = errors(ingest(source(tmp_path / "in")))
    assert "this is not a bill" in problem


def test_at_most_twenty_problems_are_told(tmp_path):
    put(tmp_path / "in", "a.csv", bill(*(row("x") for _ in range(100))))
    assert len(errors(ingest(source(tmp_path / "in")))) == 20


@pytest.mark.parametrize("bit", range(0, 8 * 60, 37))
def test_a_flipped_bit_in_gzip_never_passes_as_another_sum(tmp_path, bit):
    damaged = bytearray(gz())
    damaged[40 + bit // 8] ^= 1 << bit % 8
    put(tmp_path / "in", "a.csv.gz", bytes(damaged))
    assert errors(ingest(source(tmp_path / "in")))
    assert costs() == []
