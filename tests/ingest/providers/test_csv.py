"""Bills of anyone by a mapping that a user wrote: what it may say, what it makes, and how it is refused."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from django.core.management import CommandError, call_command

from apps.finops import focus
from apps.finops.tables import CHARGES
from apps.ingest import sources
from apps.ingest.models import LandedFile, Source
from apps.ingest.providers.generic import document, expressions
from apps.warehouse import lake
from tests.ingest.bills import NOW, charges, errors, ingest, put

MAPPING = """
name: hosting
inputs:
  day: {column: Date, kind: time, formats: ["%d.%m.%Y"], zone: Asia/Shanghai, required: true}
  what: {column: Type, required: true}
  service: {column: [Product, Service], required: true}
  customer: {column: Customer, required: true}
  amount: {column: Amount, kind: money, required: true}
  discount: {column: Discount, kind: money}
  quantity: {column: Hours, kind: money}
  price: {column: Price, kind: money}
  tags: {prefix: "tag:"}
columns:
  BilledCost: amount
  EffectiveCost: amount
  ListCost: {coalesce: [{product: [quantity, price], decimals: 4}, amount]}
  ContractedCost: {sum: [amount, discount]}
  BillingAccountId: customer
  BillingCurrency: {constant: CNY}
  BillingPeriodStart: {month_start: day}
  BillingPeriodEnd: {month_end: day}
  ChargePeriodStart: day
  ChargePeriodEnd: {later: day, days: 1}
  ChargeCategory: {choose: what, when: {use: Usage, tax: Tax, gift: Credit}}
  ServiceName: service
  Tags: tags
"""
ROWS = """Date,Type,Product,Customer,Amount,Discount,Hours,Price,tag:team,Note
01.10.2026,use,Server,c-1,10.00,2.50,24,0.52083333,web,first
31.10.2026,use,Server,c-1,0.10,,,,,
31.10.2026,gift,Voucher,c-1,-3.00,,,,,
31.10.2026,tax,VAT,c-1,0.426,,,,,
"""


def changed(**parts: object) -> str:
    """The mapping with other columns or inputs; None takes one away."""
    content = yaml.safe_load(MAPPING)
    for name, changes in parts.items():
        if not isinstance(changes, dict):
            content[name] = changes
            continue
        content[name] = {key: value for key, value in {**content[name], **changes}.items() if value is not None}
    return yaml.safe_dump(content, allow_unicode=True)


def source_of(folder: Path, mapping: str = MAPPING) -> Source:
    path = folder / "mapping.yaml"
    path.write_text(mapping)
    (folder / "bills").mkdir(exist_ok=True)
    return sources.add_source(
        name="hosting", kind="csv", location=str(folder / "bills"), cluster="", options={"mapping": str(path)}, now=NOW
    )


@pytest.fixture
def folder(db, home, tmp_path) -> Path:
    put(tmp_path / "bills", "october.csv", ROWS.encode())
    return tmp_path


def test_every_row_becomes_a_charge_that_adds_up_on_paper(folder):
    assert errors(ingest(source_of(folder))) == []
    found = [
        tuple(
            str(charge[name] if charge[name] is None else Decimal(charge[name]).normalize())
            for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
        )
        for charge in charges()
    ]
    # 24 h × 0.52083333 = 12.49999992, to four decimals 12.5000; 10.00 + 2.50 = 12.50
    assert found == [
        ("1E+1", "1E+1", "12.5", "12.5"),
        ("0.1", "0.1", "0.1", "0.1"),
        ("-3", "-3", "-3", "-3"),
        ("0.426", "0.426", "0.426", "0.426"),
    ]
    first = charges()[0]
    assert [charge["ChargeCategory"] for charge in charges()] == ["Usage", "Usage", "Credit", "Tax"]
    assert (str(first["ChargePeriodStart"]), str(first["ChargePeriodEnd"])) == (
        "2026-09-30 16:00:00+00:00",
        "2026-10-01 16:00:00+00:00",
    )
    assert (str(first["BillingPeriodStart"]), str(first["BillingPeriodEnd"])) == (
        "2026-09-30 16:00:00+00:00",
        "2026-10-31 16:00:00+00:00",
    )
    assert first["x_BillingMonth"] == "2026-10"
    assert (json.loads(first["Tags"]), json.loads(first["x_Other"])) == ({"team": "web"}, {"Note": "first"})
    assert charges()[1]["Tags"] is None
    assert {charge["x_SourceCost"] for charge in charges()} == {charge["BilledCost"] for charge in charges()}
    digest = document.read(MAPPING).mapping.version
    assert {charge["x_Mapping"] for charge in charges()} == {f"hosting {digest}"}


def sums(depth: int) -> object:
    """The amount with so many discounts added, each sum in the next."""
    return {"sum": [sums(depth - 1), "discount"]} if depth else "amount"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("amount", "10", id="an input"),
        pytest.param({"input": "amount"}, "10", id="an input, long form"),
        pytest.param({"constant": "0.1"}, "0.1", id="a constant is exact"),
        pytest.param({"sum": ["amount", "discount", {"constant": "1"}]}, "13.5", id="a sum"),
        pytest.param(sums(8), "30", id="sums in sums: 10 + 8 × 2.50"),
        pytest.param({"difference": ["amount", "discount", "discount"]}, "5", id="a difference"),
        pytest.param({"product": ["amount", {"constant": "-1"}]}, "-10", id="a sign turned"),
        pytest.param({"product": ["price", "price"], "decimals": "2"}, "0.27", id="rounded to two decimals"),
        pytest.param(
            {"product": [{"constant": "0.5"}, {"constant": "0.1"}], "decimals": "1"}, "0.1", id="half goes up"
        ),
        pytest.param(
            {"product": [{"constant": "-0.5"}, {"constant": "0.1"}], "decimals": "1"},
            "-0.1",
            id="half goes away from zero",
        ),
        pytest.param(
            {"product": [{"constant": "99999999.000000000001"}, {"constant": "1.000000000001"}]},
            "99999999.0001",
            id="twenty digits, exact until the one rounding",
        ),
        pytest.param(
            {"choose": "what", "when": {"use": {"input": "discount"}}, "otherwise": "0"}, "2.5", id="chosen by a text"
        ),
        pytest.param({"choose": "what", "when": {"tax": "1"}, "otherwise": "7"}, "7", id="otherwise"),
    ],
)
def test_expressions_of_money(folder, expression, expected):
    source = source_of(folder, changed(columns={"ListCost": expression}))
    assert errors(ingest(source)) == []
    assert Decimal(expected) == charges()[0]["ListCost"]


def test_what_is_missing_adds_nothing_and_nothing_at_all_is_missing(folder):
    put(folder / "bills", "november.csv", (ROWS.splitlines()[0] + "\n01.11.2026,use,Server,c-1,1,,,0.5,,\n").encode())
    assert errors(ingest(source_of(folder, changed(columns={"ListCost": {"sum": ["quantity", "price"]}})))) == []
    november, *october = sorted(charges(), key=lambda one: one["x_BillingMonth"], reverse=True)
    assert [one["ListCost"] for one in (november, *october)] == [
        Decimal("0.5"),
        Decimal("24.52083333"),
        None,
        None,
        None,
    ]


def test_a_sum_beyond_what_an_amount_may_be_refuses_the_file(folder):
    put(folder / "bills", "november.csv", f"{ROWS}01.11.2026,use,Server,c-1,6e25,6e25,,,,\n".encode())
    (told,) = errors(ingest(source_of(folder)))
    assert "november.csv" in told
    assert "Overflow in addition" in told


def test_a_mapping_grows_by_what_is_written():
    read = [document.read(changed(columns={"ListCost": sums(depth)})).mapping for depth in (4, 8, 12)]
    few, more, most = (len(one.columns["ListCost"]) for one in read)
    assert most - more == more - few


def test_zones_are_looked_for_once(monkeypatch):
    looked = []
    known = expressions.available_timezones()
    monkeypatch.setattr(expressions, "available_timezones", lambda: looked.append(1) or known)
    document.read(changed(inputs={f"day{number}": {"column": "D", "kind": "time"} for number in range(50)}))
    assert len(looked) <= 1


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        pytest.param(changed(columns={"Billedcost": "amount"}), "did you mean BilledCost", id="an unknown column"),
        pytest.param(changed(columns={"EffectiveCost": None}), "not there: EffectiveCost", id="a required column"),
        pytest.param(
            changed(inputs={"amount": {"column": "A", "kind": "float"}}), "'float' is none of", id="a bad kind"
        ),
        pytest.param(changed(columns={"ListCost": {"power": ["amount"]}}), "is no expression", id="no such expression"),
        pytest.param(changed(columns={"ListCost": "1); DROP TABLE x; --"}), "there is no input", id="SQL is no input"),
        pytest.param(changed(columns={"ListCost": "service"}), "is text, and money is needed", id="a text is no money"),
        pytest.param(changed(columns={"ListCost": {"constant": "1,50"}}), "is not an exact amount", id="a comma"),
        pytest.param(changed(columns={"ListCost": {"constant": "NaN"}}), "is not an exact amount", id="not a number"),
        pytest.param(changed(columns={"BilledCost": "discount"}), "would be missing in some rows", id="may be missing"),
        pytest.param(
            changed(columns={"BilledCost": {"sum": ["amount", "discount"]}}), "source_cost: name", id="what to tally"
        ),
        pytest.param(changed(source_cost="service"), "no input of kind money", id="a tally of text"),
        pytest.param(
            changed(columns={"ChargeCategory": {"constant": "usage"}}), "'usage' is none of Usage", id="a category"
        ),
        pytest.param(changed(inputs={"Amount x": "A"}), "a name is lower-case", id="the name of an input"),
        pytest.param(changed(inputs={"x_row": "A"}), "does not begin with x_", id="a name of ours"),
        pytest.param(
            changed(inputs={"day": {"column": "D", "kind": "time", "zone": "Beijing"}}), "no time zone", id="zone"
        ),
        pytest.param(
            changed(inputs={"day": {"column": "D", "kind": "time", "formats": "%H:%M'); --"}}), "formats", id="formats"
        ),
        pytest.param(changed(inputs={"amount": {"column": "A", "sql": "x"}}), "'sql' is no property", id="a property"),
        pytest.param(changed(sql="SELECT 1"), "sql: there is no such part", id="a part"),
        pytest.param(changed(encodings=["utf-7"]), "encodings", id="an encoding"),
        pytest.param(changed(name="Hosting'; --"), "name: write", id="a name"),
        pytest.param("- a\n- b", "no table", id="a list"),
        pytest.param("", "no table", id="nothing"),
        pytest.param("a: [", "not YAML", id="no YAML"),
        pytest.param("a: &a [1]\nb: *a", "aliases are not read", id="aliases"),
        pytest.param("name: a\nname: b", "said twice", id="a key twice"),
        pytest.param("a: !!python/object/apply:os.system [true]", "no such part", id="an object of Python"),
        pytest.param("[" * 5000, "not YAML", id="very deep"),
        pytest.param("x" * 300_000, "at most", id="very long"),
    ],
)
def test_a_mapping_is_judged_before_anything_is_read(mapping, said):
    with pytest.raises(document.BadMapping, match=said.replace("(", r"\(")):
        document.read(mapping)


def test_every_mistake_is_named_at_once():
    mapping = changed(
        inputs={"amount": {"column": "A", "kind": "x"}}, columns={"Foo": "y", "ServiceName": None}, more="x"
    )
    with pytest.raises(document.BadMapping) as caught:
        document.read(mapping)
    for said in ("more:", "inputs, amount:", "columns, Foo:", "ServiceName"):
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param(
            "01.10.2026,fee,Server,c-1,1,,,,,", "line 6, column Type: 'fee' is not known here", id="a new type"
        ),
        pytest.param("01.10.2026,use,Server,c-1,,,,,,", "line 6, column Amount: A required", id="no amount"),
        pytest.param("01.10.2026,use,Server,c-1,1e30,,,,,", "line 6, column Amount: '1e30'", id="a huge amount"),
        pytest.param("2026/10/01,use,Server,c-1,1,,,,,", "line 6, column Date", id="another date"),
        pytest.param("01.10.2026,use,Server,c-1,1,=2+3,,,,", "line 6, column Discount", id="a formula"),
    ],
)
def test_a_bad_row_refuses_the_file(folder, row, said):
    put(folder / "bills", "october.csv", (ROWS + row + "\n").encode())
    (told,) = errors(ingest(source_of(folder)))
    assert said in told
    assert charges() == []


def test_a_later_edit_of_the_file_changes_nothing_until_it_is_taken(folder):
    source = source_of(folder)
    (folder / "mapping.yaml").write_text("name: [")
    assert errors(ingest(source)) == []
    assert Source.objects.get().options["mapping"] == MAPPING


def test_a_mended_mapping_reads_what_was_refused(folder):
    source = source_of(folder, changed(inputs={"amount": {"column": "Total", "kind": "money", "required": "true"}}))
    assert "Required columns are missing: Total" in errors(ingest(source))[0]
    (folder / "mapping.yaml").write_text(MAPPING)
    call_command("source", "option", "hosting", "--option", f"mapping={folder / 'mapping.yaml'}", stdout=io.StringIO())
    assert errors(ingest(Source.objects.get())) == []
    assert len(charges()) == 4


def test_a_source_without_its_mapping_is_not_added(folder):
    with pytest.raises(document.BadMapping, match="mapping=FILE"):
        sources.add_source(name="a", kind="csv", location=str(folder), cluster="", options={}, now=NOW)


def test_a_preview_shows_charges_and_totals_and_publishes_nothing(folder):
    source_of(folder)
    out, err = io.StringIO(), io.StringIO()
    call_command("source", "preview", "hosting", "--rows", "2", "--format", "json", stdout=out, stderr=err)
    lines = json.loads(out.getvalue())
    assert [(line["what"], line["row"], line["billed_cost"]) for line in lines[:2]] == [
        ("charge", 1, "10.000000000000"),
        ("charge", 2, "0.100000000000"),
    ]
    assert [(line["category"], line["rows"], line["billed_cost"]) for line in lines[2:]] == [
        ("Credit", 1, "-3.000000000000"),
        ("Tax", 1, "0.426000000000"),
        ("Usage", 2, "10.100000000000"),
    ]
    assert "1 of 1 files were read; nothing was published" in err.getvalue()
    assert list(lake.location(CHARGES).rglob("*.parquet")) == []
    assert not LandedFile.objects.exists()


def test_a_preview_of_a_bad_file_says_where(folder):
    put(folder / "bills", "november.csv", (ROWS + "x,use,S,c,1,,,,,\n").encode())
    source_of(folder)
    err = io.StringIO()
    with pytest.raises(CommandError, match="not all of it"):
        call_command("source", "preview", "hosting", stdout=io.StringIO(), stderr=err)
    assert "november.csv, line 6, column Date" in err.getvalue()


def test_years_of_two_digits_are_read_where_a_format_says_so(folder):
    day = {"column": "Date", "kind": "time", "formats": ["%d.%m.%Y", "%d.%m.%y"], "required": True}
    put(folder / "bills", "october.csv", ROWS.replace("01.10.2026", "01.10.26").encode())
    assert errors(ingest(source_of(folder, changed(inputs={"day": day})))) == []
    assert [f"{charge['ChargePeriodStart']:%Y-%m-%d}" for charge in charges()] == ["2026-10-01", *["2026-10-31"] * 3]


def test_amounts_inside_structs_of_parquet(folder):
    told = [
        {name: cell for name, cell in row.items() if name != "Amount"} | {"Amount": {"net": row["Amount"], "tax": "9"}}
        for row in csv.DictReader(io.StringIO(ROWS))
    ]
    pq.write_table(pa.Table.from_pylist(told), folder / "bills" / "october.csv")  # told by its bytes
    assert errors(ingest(source_of(folder, MAPPING.replace("column: Amount", "column: Amount.net")))) == []
    assert [charge["BilledCost"] for charge in charges()] == [Decimal(cost) for cost in ("10", "0.1", "-3", "0.426")]


def test_text_in_chinese_encoding(folder):
    put(folder / "bills", "october.csv", ROWS.replace("Server", "云服务器").encode("gb18030"))
    assert errors(ingest(source_of(folder, changed(encodings=["utf-8", "gb18030"])))) == []
    assert charges()[0]["ServiceName"] == "云服务器"


def test_the_example_of_the_documentation_is_good():
    page = Path(__file__).resolve().parents[3] / "docs" / "providers" / "csv.md"
    example = page.read_text().split("```yaml\n")[1].split("```")[0]
    assert set(focus.REQUIRED) <= document.read(example).mapping.columns.keys()
