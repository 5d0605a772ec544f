"""Hundreds of hostile files over all providers: each is read to the last decimal or refused whole, with a sentence."""

import csv
import gzip
import io
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from apps.finops.tables import CHARGES
from apps.ingest import kinds, services
from apps.ingest.models import LandedFile, Source
from apps.ingest.providers.generic import document
from apps.ingest.sources import add_upload_source
from apps.warehouse import lake
from tests.ingest.bills import NOW, bill
from tests.ingest.providers.alibaba_bills import v1, v2
from tests.ingest.providers.aws_bills import LEGACY, line
from tests.ingest.providers.azure_costs import ea
from tests.ingest.providers.test_azure_rows import MCA
from tests.ingest.providers.test_csv import MAPPING, ROWS
from tests.ingest.providers.test_gcp import flat, usage
from tests.ingest.providers.test_huawei import factor
from tests.ingest.providers.test_tencent import component, english
from tests.ingest.test_hostile_uploads import bring, damaged_packing, mutated, packed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

SEED = 20261127
FILES = 300
AMOUNTS = ("1e30", "9" * 40, "NaN", "-inf", "=1+1", "@SUM(A1)", "1,000.50", "(2.50)", "１２", "1.2.3")
TIMES = ("2026-13-01", "now", "=NOW()", "1760000000")
Cells = Mapping[str, str]


@dataclass(frozen=True)
class Given:
    """A bill of a provider: a good row, its amount and time, and whose name keeps files apart."""

    kind: str
    row: Cells
    amount: str
    time: str
    label: str
    mapping: str = ""

    def good(self, label: str, **cells: str) -> bytes:
        """A bill of its own, so that none is another's duplicate."""
        return bill(dict(self.row) | {self.label: label}, dict(self.row) | {self.label: label} | cells)

    @property
    def required(self) -> list[str]:
        """The columns without which no mapping of the provider reads the bill."""
        known = [document.read(self.mapping).mapping] if self.mapping else kinds.BILLS[self.kind].mappings
        reading = next(one for one in known if not one.bind(tuple(self.row)).missing())
        told = [set(one.names) & self.row.keys() for one in reading.required]
        return [next(iter(names)) for names in told if len(names) == 1]


FLAT = next(csv.DictReader(io.StringIO(flat(usage()).decode())))
HOSTED = next(csv.DictReader(io.StringIO(ROWS)))
GIVEN = {
    "AWS CUR 2.0": Given(
        "aws", line(), "line_item_unblended_cost", "line_item_usage_start_date", "line_item_resource_id"
    ),
    "AWS legacy": Given("aws", LEGACY, "lineItem/UnblendedCost", "lineItem/UsageStartDate", "lineItem/ResourceId"),
    "Azure EA": Given("azure", ea(), "Cost", "Date", "ResourceId"),
    "Azure MCA": Given("azure", MCA, "costInBillingCurrency", "date", "ProductName"),
    "Google": Given("gcp", FLAT, "cost", "usage_start_time", "resource.name"),
    "Alibaba v1": Given("alibaba", v1(), "应付金额", "账单月份", "资产/资源实例ID"),
    "Alibaba v2": Given("alibaba", v2(), "应付信息/应付金额（含税）", "账单信息/账单月份", "资源信息/资源名称"),
    "Huawei": Given("huawei", factor(), "应付金额", "消费开始时间", "资源ID"),
    "Tencent": Given("tencent", component(), "优惠后总价", "开始使用时间", "实例ID"),
    "Tencent in English": Given("tencent", english(), "Total Amount After Discount", "Usage Start Time", "Instance ID"),
    "a mapping of one's own": Given("csv", HOSTED, "Amount", "Date", "Note", MAPPING),
}
EACH = 40
SURE = 32


def broken_cells(given: Given) -> Iterator[tuple[str, bytes]]:
    for number, amount in enumerate(AMOUNTS):
        yield f"amount-{number}.csv", given.good(f"a{number}", **{given.amount: amount})
    for number, time in enumerate(TIMES):
        yield f"time-{number}.csv", given.good(f"t{number}", **{given.time: time})
    for number, column in enumerate(given.required):
        yield f"without-{number}.csv", bill(given.row, columns=[name for name in given.row if name != column])
        yield f"nothing-in-{number}.csv", given.good(f"n{number}", **{column: ""})


def broken_text(given: Given) -> Iterator[tuple[str, bytes]]:
    good = given.good("text")
    header, first, second = good.splitlines(keepends=True)
    yield "page.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>"
    yield "error.csv", b'{"error": "access denied"}'
    yield "utf-16.csv", good.decode().encode("utf-16")
    yield "mixed.csv", header + first + second.rstrip() + b"\xff\xff\n"
    yield "five-megabytes.csv", given.good("x" * 5_000_000)
    yield "twice.csv", header.rstrip() + b"," + header.split(b",")[0] + b"\n" + first.rstrip() + b",x\n"
    yield "short.csv", header + first + b"1,2\n"
    yield "long.csv", header + first.rstrip() + b",more\n"
    yield "joined.csv", good + good
    yield "semicolons.csv", good.replace(b",", b";")
    yield "cut.csv", good[: len(header) + len(first) // 2]


def refused_for_sure(given: Given) -> list[tuple[str, bytes]]:
    """Files of which nothing may count."""
    packing = [pair for pair in damaged_packing(given.good("packed")) if not pair[0].endswith(".parquet")]
    return [*broken_text(given), *packing, *broken_cells(given)]


def delivered(given: Given, chance: random.Random) -> dict[str, bytes]:
    files = {"good.csv": given.good("good"), "good.zip": packed(("a.csv", given.good("zipped")))}
    for name, content in chance.sample(refused_for_sure(given), SURE):
        files[f"sure-{name}"] = content
    damaged = mutated(chance, given.good)
    while len(files) < EACH:
        name, content = next(damaged)
        files[name] = content
    return files


def chance_of(case: str) -> random.Random:
    return random.Random(f"{SEED} {case}")


def source_of(given: Given, tmp_path: Path) -> Source:
    options = {"files": "parts"}
    if given.mapping:
        (tmp_path / "mapping.yaml").write_text(given.mapping)
        options["mapping"] = str(tmp_path / "mapping.yaml")
    return add_upload_source(name="hand", kind=given.kind, cluster="", options=options, now=NOW)


@pytest.mark.parametrize(
    ("case", "column", "text"),
    [
        pytest.param("Azure EA", "Date", "12/31/9999", id="Azure: a placeholder"),
        pytest.param("Azure EA", "Date", "10/4/26", id="Azure: two digits"),
        pytest.param("Azure EA", "BillingPeriodEndDate", "10/31/26", id="Azure: the end of a period"),
        pytest.param("Azure MCA", "date", "1969-12-31", id="Azure MCA"),
        pytest.param("Google", "invoice.month", "999912", id="Google"),
        pytest.param("Alibaba v1", "账单月份", "9999-12", id="Alibaba Cloud: a month"),
        pytest.param("Alibaba v1", "账单日期", "99991230", id="Alibaba Cloud: a day"),
        pytest.param("Huawei", "消费开始时间", "9999-12-31 23:00:00", id="Huawei Cloud"),
        pytest.param("Huawei", "账期", "220001", id="Huawei Cloud: a month"),
        pytest.param("Tencent", "开始使用时间", "0026-10-08 00:00:00", id="Tencent Cloud"),
        pytest.param("a mapping of one's own", "Date", "31.12.9999", id="a mapping of one's own"),
        pytest.param("a mapping of one's own", "Date", "01.10.26", id="a mapping of one's own: two digits"),
    ],
)
def test_a_year_that_no_bill_is_of_is_refused_in_every_format(case, column, text, tmp_path):
    given = GIVEN[case]
    assert column in given.row
    source = source_of(given, tmp_path)
    bring(source, {"bad.csv": given.good("bad", **{column: text}), "good.csv": given.good("good")}, tmp_path)
    services.land(source, NOW)
    (said,) = [problem for problem in services.normalize(source, NOW).problems if problem.severity == "error"]
    assert said.subject.endswith(f"bad.csv, line 3, column {column}")
    assert f"{text!r} is not a date and time of the years 1970 to 2199" in said.message
    states = LandedFile.objects.values_list("path", "state")
    assert dict(states) == {"bad.csv": LandedFile.State.REFUSED, "good.csv": LandedFile.State.CURRENT}


@pytest.mark.parametrize("case", GIVEN)
def test_every_file_counts_to_the_last_decimal_or_not_at_all(case, tmp_path):
    given = GIVEN[case]
    files = delivered(given, chance_of(case))
    source = source_of(given, tmp_path)
    bring(source, files, tmp_path)
    services.land(source, NOW)
    services.normalize(source, NOW)

    landed = {file.path: file for file in LandedFile.objects.all()}
    assert landed.keys() == files.keys()
    states = LandedFile.State
    assert [name for name in files if name.startswith("sure-") and landed[name].state == states.CURRENT] == []
    assert {landed[name].state for name in ("good.csv", "good.zip")} == {states.CURRENT}
    for file in landed.values():
        said_clearly(file)
    counts_whole(given, landed, files)


def said_clearly(file: LandedFile) -> None:
    told = [problem for problem in file.problems if problem["severity"] == "error"]
    assert bool(told) == (file.state == LandedFile.State.REFUSED), (file.path, file.state, told)
    for problem in told:
        said = f"{problem['subject']}: {problem['message']}"
        assert file.path in said, said
        assert 15 < len(problem["message"]) < 2_000, said
        assert not any(word in said for word in ("Traceback", "please report", "engine cannot")), said


def counts_whole(given: Given, landed: Mapping[str, LandedFile], files: Mapping[str, bytes]) -> None:
    rows: dict[str, list[Decimal]] = defaultdict(list)
    for charge in lake.scan(CHARGES).select("x_FileId", "x_SourceCost", "BilledCost").to_pyarrow().to_pylist():
        cost = charge["BilledCost"] if charge["x_SourceCost"] is None else charge["x_SourceCost"]
        rows[charge["x_FileId"]].append(cost)
    counting = {file.file_id: file for file in landed.values() if file.state == LandedFile.State.CURRENT}
    assert rows.keys() <= counting.keys(), "no row of a file that does not count"
    for key, file in counting.items():
        if file.path.endswith(".zip"):
            continue
        content = files[file.path]
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        read = list(csv.DictReader(io.StringIO(text_of(plain), newline=""), strict=True))
        amounts = [Decimal(one[given.amount].strip()) for one in read]
        assert (len(rows[key]), sum(rows[key])) == (len(amounts), sum(amounts)), file.path


def text_of(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def test_there_are_more_than_three_hundred_of_every_kind_for_every_provider():
    assert EACH * len(GIVEN) > FILES
    assert {given.kind for given in GIVEN.values()} >= kinds.BILLS.keys() - {"focus", "alibaba_api"}
    names = " ".join(name for case in GIVEN for name in delivered(GIVEN[case], chance_of(case)))
    wanted = ("bomb", "five-megabytes", "twice", "mixed", "amount-", "time-", "without-", "nothing-in-", "cut-", "page")
    assert [word for word in wanted if names.count(f"sure-{word}") < 3] == []
