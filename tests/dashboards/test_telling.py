"""Problems in Chinese: every sentence that is said of data is known, and what was found in it stays as it is."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.translation import override

from apps.dashboards.telling import _BEGINNINGS, _ENDS, is_known, said, said_where
from apps.dashboards.told import TOLD
from apps.ingest.quality.rows import about
from tests.dashboards.test_translations import written

ROOT = Path(__file__).resolve().parents[2]
READERS = (
    "ingest/text", "ingest/bill", "ingest/quality", "ingest/apart", "ingest/unpack.py", "ingest/usage.py",
    "ingest/usage_formats", "ingest/delivered.py",
    "ingest/scrub.py", "ingest/lateness.py", "ingest/providers/aws", "ingest/providers/azure/exports.py",
    "ingest/providers/alibaba/discovery.py", "ingest/providers/base.py", "ingest/providers/china.py",
    "ingest/remembering.py",
)  # fmt: skip
"""Where problems of files are told."""
OTHERS = (
    "fetch the month's bill", "the month is still open", " Names are written exactly so", "; export by hour",
    "different keys; at most so many", "found at line",
    "h after its end; \0", "The kernel of this machine does not confine readers",
)  # fmt: skip
"""Parts of sentences, and what only programs or logs tell."""


def sentences(path: Path) -> set[str]:
    """The sentences a module may say, with `%(…)s` for what is put in."""
    tree = ast.parse(path.read_text())
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} | {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }
    found = {text_of(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    found |= {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside
    }
    return {text for text in found if re.fullmatch(r"[^\n]{10,}\.", text) and " " in text and "SELECT" not in text}


def text_of(node: ast.JoinedStr) -> str:
    parts = (part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
    return "".join(str(part) for part in parts)


def modules() -> list[Path]:
    places = [ROOT / "apps" / name for name in READERS]
    return [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*.py")))]


def test_every_sentence_about_files_can_be_translated():
    checks = {*_BEGINNINGS, *_ENDS}
    unknown = {
        text
        for path in modules()
        for text in sentences(path)
        if text not in checks and not any(part in text for part in OTHERS)
        if not is_known(text)
    }
    assert unknown == set()


def test_every_sentence_is_translated():
    assert set(TOLD) - written().keys() == set()
    assert {*_BEGINNINGS, *_ENDS} - written().keys() == set()


@pytest.mark.parametrize(
    ("message", "chinese"),
    [
        pytest.param("A required value is missing.", "缺少必填值。", id="a plain sentence"),
        pytest.param(
            "'1,5' is not an amount; write plain digits with a decimal point, like -1234.50.",
            "'1,5' 不是金额；请写成带小数点的纯数字，如 -1234.50。",
            id="with what was found",
        ),
        pytest.param(
            "The currency is none of ISO 4217. 3 charges. If it is another name of one you use (RMB for CNY), correct "
            "the export: the two are never added.",
            "币种不在 ISO 4217 之列。3 笔费用。",
            id="a check",
        ),
        pytest.param(
            "168 node-hours (5376 core-hours) have no charge: no ResourceId in the bill equals 'i-1'. Check that the "
            "bill covers this account and period.",
            "168 个节点小时（5376 核时）没有费用：账单中没有 ResourceId 等于 'i-1'。请检查账单是否覆盖该账号和时段。",
            id="a sentence that a shorter one would take for its own",
        ),
        pytest.param(
            about("missing_days", "x", "2 days: 2026-10-02, 2026-10-03.").message,
            "2 天：2026-10-02, 2026-10-03。",
            id="days",
        ),
        pytest.param(
            "The new issue is much smaller: 2026-09: 0 charges, no cost instead of 2 charges, 1.00 CNY; "
            "2026-10: 1 charges, 1.00 CNY instead of 2 charges, 9.00 CNY.",
            "新一期账单小了很多：2026-09：0 笔费用、no cost，而此前为 2 笔、1.00 CNY; 2026-10：1 笔费用、1.00 CNY",
            id="what was lost, month by month",
        ),
        pytest.param(
            "crossed over CNY: [USD→CNY 7.1, rates.csv line 2, version 1 of han, 2026-11-05 08:00 UTC] × "
            "1 ÷ [EUR→CNY 8, rates.csv line 3, version 1 of han, 2026-11-05 08:00 UTC]",
            "经 CNY 换算：[USD→CNY 7.1，rates.csv 第 2 行，版本 1（han，2026-11-05 08:00 UTC）] × "
            "1 ÷ [EUR→CNY 8，rates.csv 第 3 行，版本 1（han，2026-11-05 08:00 UTC）]",
            id="where a rate is from",
        ),
        pytest.param("%(x)s {y} nobody knows", "%(x)s {y} nobody knows", id="what is not known stays"),
        pytest.param("100% of it: x is not a whole number.", "100% of it: x 不是整数。", id="a percent sign"),
    ],
)
def test_a_message_is_told_in_the_readers_language(message, chinese):
    with override("zh-hans"):
        assert said(message).startswith(chinese) or chinese in said(message)
    with override("en"):
        assert said(message) == message


@pytest.mark.parametrize(
    ("subject", "chinese"),
    [
        pytest.param("a, line b.csv, line 2, column BilledCost", "a, line b.csv，第 2 行，列 BilledCost", id="a cell"),
        pytest.param("a.csv, row 1, 2, 3", "a.csv，第 1, 2, 3 行", id="rows"),
        pytest.param("a.csv, last line", "a.csv，最后一行", id="the last line"),
        pytest.param("aliyun, 2026-10", "aliyun, 2026-10", id="another place"),
    ],
)
def test_a_place_is_told_in_the_readers_language(subject, chinese):
    with override("zh-hans"):
        assert said_where(subject) == chinese
    with override("en"):
        assert said_where(subject) == subject
