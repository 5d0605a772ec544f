"""Bills and usage files of every format, damaged at random: each is taken whole or refused whole, with a reason."""

import argparse
import csv
import gzip
import io
import random
import re
import signal
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tests.faults.forking import Told, fork
from tests.faults.generations import Violated

BATCH = 50
HANGS_SECONDS = 30
SHOWN = 5
NASTY = (
    "", " ", "NaN", "inf", "-inf", "1e400", "1_000", "0x10", "١٢", "１２", "(2.50)", "1,234.50", "1e-30", "9" * 40,
    "\x00", "\u202e", "'", '"', '""', "2026-02-30T00:00:00Z", "0000-00-00", "9999-12-31T23:59:60Z", "{", "[]", "null",
    "x" * 70_000, "-0.00", "+5", ".5", "5.", "1.0000000000000000001",
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A good file: the kind of its source, its name there, its bytes; `table` of a usage file."""

    kind: str
    name: str
    content: bytes
    table: str = ""


def samples() -> list[Sample]:
    """A small one of every format that is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tests.ingest.bills import bill, row
    from tests.ingest.providers import alibaba_bills, aws_bills, azure_costs, test_gcp, test_huawei, test_tencent
    from tests.ingest.test_usage_files import COVERAGE, NODES

    plain = bill(row("1.5"), row("2.25", day="2026-10-02"), row("33.10"))
    table = pa.table({name: [cells[name] for cells in (row("1.5"), row("2.25"))] for name in row()})
    columns = io.BytesIO()
    pq.write_table(table, columns)
    gcp = test_gcp.ROWS
    return [
        Sample("focus", "a.csv", plain),
        Sample("focus", "a.csv.gz", gzip.compress(plain, mtime=0)),
        Sample("focus", "a.zip", zipped("a.csv", plain)),
        Sample("focus", "a.parquet", columns.getvalue()),
        Sample("aws", "cur.csv", bill(aws_bills.line(cost="1.00"), aws_bills.line(cost="0.90"))),
        Sample("alibaba", alibaba_bills.DAY, bill(alibaba_bills.v1(), alibaba_bills.v1("3.10"))),
        Sample("alibaba", alibaba_bills.DAY, bill(alibaba_bills.v1()).decode().encode("gb18030")),
        Sample("azure", "part_0_0001.csv.gz", gzip.compress(bill(*azure_costs.ACTUAL), mtime=0)),
        Sample("gcp", "export.jsonl", test_gcp.json_lines(*gcp)),
        Sample("gcp", "export.csv", test_gcp.flat(*gcp)),
        Sample("gcp", "export.parquet", test_gcp.parquet(*gcp)),
        Sample("huawei", test_huawei.NAME, bill(test_huawei.factor(), test_huawei.factor("1.25"))),
        Sample("tencent", "20261001-L2.csv", bill(test_tencent.component(), test_tencent.component("1.25"))),
        Sample("usage_files", "coverage_hours.csv", COVERAGE.encode(), "coverage_hours"),
        Sample("usage_files", "node_hours.csv", NODES.encode(), "node_hours"),
    ]


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


# --- Damage ---------------------------------------------------------------------------------------------------------
def flip_bit(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :]


def put_byte(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]


def cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def lose(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + content[at + dice.randrange(1, 64) :]


def insert(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + dice.randbytes(dice.randrange(1, 32)) + content[at:]


def of_lines(change: Callable[[list[bytes], random.Random], None]) -> Callable[[bytes, random.Random], bytes]:
    def mutate(content: bytes, dice: random.Random) -> bytes:
        lines = content.splitlines(keepends=True)
        change(lines, dice)
        return b"".join(lines)

    return mutate


def _double(lines: list[bytes], dice: random.Random) -> None:
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))


def _drop(lines: list[bytes], dice: random.Random) -> None:
    lines.pop(dice.randrange(len(lines)))


def _swap(lines: list[bytes], dice: random.Random) -> None:
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def _cell(lines: list[bytes], dice: random.Random) -> None:
    """Another value in a cell, in the header as well."""
    at = dice.randrange(len(lines))
    cells = lines[at].split(b",")
    cells[dice.randrange(len(cells))] = dice.choice(NASTY).encode()
    lines[at] = b",".join(cells)


def _fewer_or_more(lines: list[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    cells = lines[at].split(b",")
    lines[at] = b",".join(cells[:-1] if dice.random() < 0.5 else [*cells, b"more"])


def _rename(lines: list[bytes], dice: random.Random) -> None:
    cells = lines[0].rstrip().split(b",") if lines else [b""]
    at = dice.randrange(len(cells))
    cells[at] = dice.choice((b"x_" + cells[at], cells[at].lower(), dice.choice(cells), b""))
    lines[:1] = [b",".join(cells) + b"\n"]


def encode(content: bytes, dice: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(dice.choice(("utf-16", "utf-8-sig", "gb18030", "latin-1", "utf-32")), "replace")


def separate(content: bytes, dice: random.Random) -> bytes:
    return content.replace(b",", dice.choice((b";", b"\t", b"|")))


def break_lines(content: bytes, dice: random.Random) -> bytes:
    return content.replace(b"\n", dice.choice((b"\r\n", b"\r", b"\n\n", b"\n\x00")))


TO_BYTES = (flip_bit, put_byte, cut, lose, insert)
TO_TEXT = (
    *TO_BYTES, of_lines(_double), of_lines(_drop), of_lines(_swap), of_lines(_cell), of_lines(_cell), of_lines(_cell),
    of_lines(_fewer_or_more), of_lines(_rename), encode, separate, break_lines,
)  # fmt: skip


def damaged(sample: Sample, dice: random.Random) -> bytes:
    """One to three kinds of damage; of a packed file, to what is packed or to the package."""
    content, is_text = sample.content, not sample.content.startswith((b"\x1f\x8b", b"PK", b"PAR1"))
    pack: Callable[[bytes], bytes] | None = None
    if sample.name.endswith(".gz") and dice.random() < 0.5:
        content, is_text, pack = gzip.decompress(content), True, lambda plain: gzip.compress(plain, mtime=0)
    elif sample.name.endswith(".zip") and dice.random() < 0.5:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("a.csv")
        is_text, pack = True, lambda plain: zipped("a.csv", plain)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        if content:
            content = dice.choice(TO_TEXT if is_text and content.count(b"\n") else TO_BYTES)(content, dice)
    return pack(content) if pack else content


# --- Reading --------------------------------------------------------------------------------------------------------
def read(sample: Sample, path: Path) -> Any:
    from apps.ingest import kinds
    from apps.ingest.apart.asking import read_bill, read_usage
    from apps.ingest.bill.writer import Bill
    from apps.ingest.usage import UsageFile

    if sample.table:
        return read_usage(UsageFile(path, sample.name, "s", "school", "f1", "UTC"))
    provider = kinds.BILLS[sample.kind]
    return read_bill(
        Bill(
            path=path, name=sample.name, source="s", file_id="f1", zone="UTC",
            mappings=provider.mappings_for(sample.name, ""), encodings=provider.encodings,
            is_answer=provider.has_answers, told={"path": sample.name, "period": "", "release": ""},
        )
    )  # fmt: skip


def judge(sample: Sample, content: bytes, reading: Any) -> str:
    """What became of it; Violated where that breaks a promise."""
    from apps.finops.tables import CHARGES, USAGE
    from apps.warehouse import lake

    table = USAGE[sample.table] if sample.table else CHARGES
    left = set(lake.location(table).rglob("*.parquet")) if lake.location(table).exists() else set()
    parts = {lake.location(table) / part.path for part in reading.parts.get(table.name, ())}
    if reading.is_refused:
        errors = [problem for problem in reading.problems if problem.severity == "error"]
        for problem in errors:
            _judge_refusal(sample, problem)
        if left:
            raise Violated(f"refused, and {len(left)} files of it are left")
        return f"refused {errors[0].code}"
    if left != parts:
        raise Violated("files lie there that the reading does not name")
    if sample.kind == "focus" and (expected := _added_up(content)) is not None:
        costs = [cost["billed_cost"] for content in reading.contents for cost in content.cost.values()]
        found = sum(costs, Decimal(0))
        if found != expected:
            raise Violated(f"{found} was read, and {expected} stands in the file")
    for path in left:
        path.unlink()
    return "taken"


def _judge_refusal(sample: Sample, problem: Any) -> None:
    if problem.code in ("reader_died", "too_much_memory", "too_slow"):
        raise Violated(f"whoever reads it comes to harm: {problem.message}")
    if not problem.subject.startswith((sample.name, "coverage_hours", "node_hours")) or not problem.message:
        raise Violated(f"refused without a place or reason: {problem}")
    if problem.code.startswith("bad_") and not re.search(r"(line|row) \d+|column", problem.subject):
        raise Violated(f"refused without a line or column: {problem}")


def _added_up(content: bytes) -> Decimal | None:
    """The billed cost of a CSV file by plain Python; None where it is not so simple."""
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        elif content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = archive.read(archive.namelist()[0])
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        return sum((Decimal((cells["BilledCost"] or "").strip(" ")) for cells in rows), Decimal(0))
    except (
        UnicodeDecodeError,
        KeyError,
        InvalidOperation,
        csv.Error,
        OSError,
        EOFError,
        zipfile.BadZipFile,
        TypeError,
    ):
        return None


@contextmanager
def within(seconds: int) -> Iterator[None]:
    def late(*_signal: Any) -> None:
        raise Violated(f"it hangs: more than {seconds} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def batch(home: Path, seed: int, count: int) -> None:
    """Damage and read so many files; what each came to is told."""
    told, dice = Told(home / "told"), random.Random(seed)
    given = samples()
    path = home / "file"
    became: Counter[str] = Counter()
    for at in range(count):
        sample = dice.choice(given)
        content = damaged(sample, dice)
        path.write_bytes(content)
        began = time.monotonic()
        try:
            with within(HANGS_SECONDS):
                became[judge(sample, content, read(sample, path))] += 1
        except Violated as violated:
            told.add(seed=seed, at=at, sample=sample.name, kind=sample.kind, violated=str(violated))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
            told.add(
                seed=seed, at=at, sample=sample.name, kind=sample.kind, violated=f"{type(error).__name__}: {error}"
            )
        slow = time.monotonic() - began
        became["slow"] += slow > HANGS_SECONDS / 2
    told.add(became=dict(became))


def run(asked: argparse.Namespace, report: dict[str, Any]) -> None:
    """So many damaged files, in processes of their own: one that crashes is told as well."""
    dice, deadline = random.Random(asked.seed), time.monotonic() + asked.seconds
    done = 0
    crashes: list[str] = []
    while done < asked.kills and time.monotonic() < deadline:
        seed = dice.randrange(10**9)
        count = min(BATCH, asked.kills - done)
        child = fork(batch, asked.home, seed, count)
        status = child.wait(HANGS_SECONDS * count)
        if status != 0:
            child.kill()
            crashes.append(f"the process of seed {seed} ended with {status}")
        done += count
    told = Told(asked.home / "told").all()
    became: Counter[str] = Counter()
    for one in told:
        became.update(one.get("became", {}))
    violations = [one for one in told if "violated" in one]
    report |= {
        "files": done,
        "became": dict(sorted(became.items())),
        "violations": violations[:SHOWN],
        "crashes": crashes,
    }
    if violations or crashes:
        raise Violated(f"{len(violations)} of {done}: {(violations or crashes)[0]}")
