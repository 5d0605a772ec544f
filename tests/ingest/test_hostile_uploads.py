"""Three hundred hostile files in one delivery: each is read to the last decimal or refused whole, with a sentence."""

import csv
import gzip
import io
import random
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.finops.tables import CHARGES
from apps.ingest import services
from apps.ingest.models import LandedFile, Source
from apps.ingest.sources import add_upload_source
from apps.ingest.uploads import Brought, keep, refusals
from apps.warehouse import lake
from tests.ingest.bills import COLUMNS, NOW, bill, row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

SEED = 20261126
FILES = 300
MONEY = COLUMNS.index("BilledCost")
AMOUNTS = (
    "1e30", "-1e30", "9" * 40, "NaN", "nan", "Infinity", "-inf", "=1+1", '=HYPERLINK("http://x")', "@SUM(A1)",
    "1,000.50", "1_000", "(2.50)", "12.5%", "¥3", "0x10", "1e", "--1", "１２", "٣", "1.2.3", "1 000", "1d", "True",
    "'1", "1e99", "+",
)  # fmt: skip
TIMES = (
    "03/04/2026",
    "1760000000",
    "2026-13-01T00:00:00Z",
    "2026-02-30",
    "24:00",
    "now",
    "=NOW()",
    "0000-00-00",
    "10000-01-01",
)
TAGS = ("{", "[1]", "team=a", '"text"', "{'a':1}", "[" * 2000)


def numbered(name: str) -> bytes:
    """A good bill of its own, so that none is another's duplicate."""
    return bill(row("1.50", ResourceId=name), row("2.25", ResourceId=name, day="2026-10-02"))


def packed(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def columnar(**cells: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({name: pa.array([value]) for name, value in row().items()} | cells), out)
    return out.getvalue()


def refused_for_sure() -> Iterator[tuple[str, bytes]]:
    """Files of which nothing may count, by what is wrong with them."""
    good = numbered("refused")
    for number, amount in enumerate(AMOUNTS):
        yield f"amount-{number}.csv", bill(row(), row(amount))
        yield (
            f"effective-{number}.csv.gz",
            gzip.compress(bill(row(EffectiveCost=amount, ResourceId=str(number)), row())),
        )
    for number, time in enumerate(TIMES):
        yield f"start-{number}.csv", bill(row(), row(ChargePeriodStart=time))
        yield f"period-{number}.csv", bill(row(BillingPeriodStart=time), row())
    for number, tags in enumerate(TAGS):
        yield f"tags-{number}.csv", bill(row(), row(Tags=tags))
    for column in COLUMNS[:10]:
        yield f"without-{column}.csv", bill(row(), columns=[name for name in COLUMNS if name != column])
        yield f"nothing-in-{column}.csv", bill(row(), row(**{column: ""}))
        twice = good.replace(b"ResourceId", column.encode(), 1)
        yield f"twice-{column}.csv", twice
    yield from damaged_packing(good)
    yield from odd_texts(good)


@cache
def bombs() -> tuple[tuple[str, bytes], ...]:
    zeros = b"0" * (80 << 20)
    return ("bomb.csv.gz", gzip.compress(zeros, 9)), ("bomb.zip", packed(("a.csv", zeros)))


def damaged_packing(good: bytes) -> Iterator[tuple[str, bytes]]:
    whole = gzip.compress(good)
    for cut in (1, 5, 11, len(whole) // 2, len(whole) - 9, len(whole) - 4, len(whole) - 1):
        yield f"cut-{cut}.csv.gz", whole[:cut]
    zipped = packed(("a.csv", good))
    for cut in (3, 30, len(zipped) // 2, len(zipped) - 1):
        yield f"cut-{cut}.zip", zipped[:cut]
    table = columnar()
    for cut in (4, 100, len(table) // 2, len(table) - 4):
        yield f"cut-{cut}.parquet", table[:cut]
    yield from bombs()
    yield "nested.zip", packed(("a.csv", zipped))
    yield "climbs.zip", packed(("../../a.csv", good))
    yield "program.zip", packed(("a.exe", good))
    yield "twice-packed.csv.gz", gzip.compress(whole)
    for name, cell in {"floats": float("nan"), "endless": float("inf"), "blob": b"1.5"}.items():
        yield f"{name}.parquet", columnar(BilledCost=pa.array([cell]))


def odd_texts(good: bytes) -> Iterator[tuple[str, bytes]]:
    yield "long-field.csv", bill(row(), row(ResourceId="x" * (5 << 20)))
    yield "long-quoted.csv", bill(row(), row(ResourceId='x"\n' * (2 << 20)))
    yield "long-header.csv", b"x" * (5 << 20) + b"," + good
    yield "wide.csv", ",".join(f"c{number}" for number in range(5_000)).encode() + b"\n"
    yield "utf-16.csv", good.decode().encode("utf-16")
    yield "utf-32.csv", good.decode().encode("utf-32")
    yield "mixed.csv", bill(row(ServiceName="云服务器")) + bill(row(ServiceName="云服务器")).decode().encode("gb18030")
    yield "latin.csv", bill(row(ServiceName="Café")).decode().encode("latin-1")
    yield "nul.csv", good.replace(b"Usage", b"Us\0age")[: len(good) // 2]
    yield "page.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>"
    yield "error.csv", b'{"error": "access denied"}'
    yield "spaces.csv", b"   \n  \n"
    yield "semicolons.csv", good.replace(b",", b";")
    yield "tabs.csv", good.replace(b",", b"\t")
    yield "joined.csv", good + good


def mutated(chance: random.Random, made: Callable[[str], bytes] = numbered) -> Iterator[tuple[str, bytes]]:
    """Good files, damaged at random: bytes changed, cut out, doubled, moved; lines and cells likewise."""
    number = 0
    while True:
        number += 1
        name = f"mutated-{number}"
        content = bytearray(made(name))
        for _ in range(chance.randint(1, 3)):
            at, length = chance.randrange(len(content)), chance.choice((1, 1, 1, 2, 8, 40))
            match chance.randrange(7):
                case 0:
                    content[at] = chance.randrange(256)
                case 1:
                    content[at] = ord(chance.choice('",\n\r;.-+eE0 \\\0'))
                case 2:
                    del content[at : at + length]
                case 3:
                    content[at:at] = content[at : at + length]
                case 4:
                    content[at:at] = chance.choice((b'""', b"\r\n", b"\xef\xbb\xbf", b"NULL", b"1e5", b"\xff", b"=1"))
                case 5:
                    lines = content.splitlines(keepends=True)
                    chance.shuffle(lines)
                    content = bytearray(b"".join(lines))
                case _:
                    del content[at:]
                    content = content or bytearray(b"\n")
        suffix, pack = chance.choice(((".csv", bytes), (".csv", bytes), (".csv.gz", gzip.compress)))
        yield name + suffix, pack(bytes(content))


def bring(source: Source, files: Mapping[str, bytes], folder: Path) -> None:
    """Upload files; the page itself refuses none of them."""
    brought = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / str(number)
        path.write_bytes(content)
        brought.append(Brought(name, path, len(content)))
    assert refusals(brought) == {}
    keep(source, brought)


def test_three_hundred_hostile_files_leave_no_partial_row(home, tmp_path):
    sure = dict(refused_for_sure())
    files = {**sure, "good.csv": numbered("good")}
    damaged = mutated(random.Random(SEED))
    while len(files) < FILES:
        name, content = next(damaged)
        files[name] = content
    source = add_upload_source(name="hand", kind="focus", cluster="", options={"files": "parts"}, now=NOW)
    bring(source, files, tmp_path)

    assert services.land(source, NOW).failed is False
    services.normalize(source, NOW)

    landed = {file.path: file for file in LandedFile.objects.all()}
    assert landed.keys() == files.keys()
    states = LandedFile.State
    assert [name for name in sure if landed[name].state not in (states.REFUSED, states.DUPLICATE)] == []
    assert landed["good.csv"].state == states.CURRENT
    _assert_every_refusal_says_where(landed.values())
    _assert_the_lake_holds_what_counts_and_no_row_more(landed.values(), files)


def _assert_every_refusal_says_where(landed: object) -> None:
    for file in landed:  # type: ignore[attr-defined]
        told = [problem for problem in file.problems if problem["severity"] == "error"]
        assert bool(told) == (file.state == LandedFile.State.REFUSED), (file.path, file.state, told)
        for problem in told:
            said = f"{problem['subject']}: {problem['message']}"
            assert file.path in said, said
            assert len(problem["message"]) > 15, said
            assert len(said) < 2_000, file.path
            assert "Traceback" not in said, said
            assert "please report" not in said, said


def _assert_the_lake_holds_what_counts_and_no_row_more(landed: object, files: dict[str, bytes]) -> None:
    rows: dict[str, list[Decimal]] = defaultdict(list)
    for charge in lake.scan(CHARGES).select("x_FileId", "BilledCost").to_pyarrow().to_pylist():
        rows[charge["x_FileId"]].append(charge["BilledCost"])
    counting = {file.file_id: file for file in landed if file.state == LandedFile.State.CURRENT}  # type: ignore[attr-defined]
    assert rows.keys() <= counting.keys()
    for key, file in counting.items():
        content = files[file.path]
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8-sig")
        read = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        amounts = [Decimal(one["BilledCost"].strip()) for one in read]
        assert (len(rows[key]), sum(rows[key])) == (len(amounts), sum(amounts)), file.path
