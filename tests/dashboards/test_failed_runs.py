"""What runs tell of a step that failed: in Chinese every sentence of it is known, those yet to be written as well."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.utils.translation import override

from apps.dashboards.failures import FAILURES
from apps.dashboards.telling import is_known, said
from apps.finops.errors import CostOpsError
from tests.dashboards.test_refusals import FORMS
from tests.dashboards.test_translations import written

ROOT = Path(__file__).resolve().parents[2]
PROBLEM = "Problem"
OF_PEOPLE = {
    "NotYours", "BadQuestion", "BadFeedback", "BadThreshold", "NoSuchBudget", "NoSuchImport", "NoSuchPlanner",
    "NoSuchTimetable", "NoSuchInitiative", "NoSuchOrganisation", "NobodyTells", "BadObject", "NotSent", "BadChannel",
    "BadTagKeys", "BadSettings", "TooManyRows",
}  # fmt: skip
"""What only people bring about who ask or decide, and what deliveries tell on a page of their own."""
REFUSING = {f"apps.{name.replace('/', '.')}" for name in FORMS} - {"apps.planning.services", "apps.planning.drafts"}
"""What forms refuse has a test of its own; the steps of these two tell why there is no plan."""
PARTS = {"", "…", "….", "…: …", "… …", "… ….", "… (…).", "… … charges. …"}
"""What is put together of others that are known, or is what a server says."""


@cache
def modules() -> dict[str, Path]:
    """The modules of the steps: what the work of runs imports, and what that imports."""
    found: dict[str, Path] = {}
    ahead = ["apps.pipeline.work", "apps.pipeline.leases"]
    while ahead:
        name = ahead.pop()
        path = ROOT / name.replace(".", "/")
        file = next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)
        if file is not None and name not in found:
            found[name] = file
            ahead += _imported(file)
    return found


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("apps"):
            yield from (str(node.module), *(f"{node.module}.{each.name}" for each in node.names))


def _kinds(kind: type[CostOpsError] = CostOpsError) -> Iterator[str]:
    for one in kind.__subclasses__():
        yield from (one.__name__, *_kinds(one))


def _texts(node: ast.expr, scope: ast.AST) -> Iterator[str]:
    """What an expression says, with `…` for what is put in; a name says what is given to it anywhere around."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from (left + right for left in _texts(node.left, scope) for right in _texts(node.right, scope))
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body, scope), *_texts(node.orelse, scope))
    elif isinstance(node, ast.Name):
        given = (one for one in ast.walk(scope) if isinstance(one, ast.Assign))
        for one in given:
            if node.id in map(ast.unparse, one.targets) and node.id not in ast.unparse(one.value):
                yield from _texts(one.value, scope)


def told() -> Iterator[tuple[str, str]]:
    """Module and sentence of every failure and every problem that is made in the steps' code."""
    for name in modules():
        importlib.import_module(name)
    kinds = set(_kinds()) - OF_PEOPLE
    for name, path in modules().items():
        asked = {PROBLEM} if name in REFUSING else kinds | {PROBLEM}
        tree = ast.parse(path.read_text())
        for scope in (node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)):
            own = isinstance(scope, ast.ClassDef) and scope.name in kinds
            for call in (node for node in ast.walk(scope) if isinstance(node, ast.Call) and node.args):
                made = ast.unparse(call.func)
                if made.split(".")[-1] in asked or (own and made == "super().__init__"):
                    yield from ((name, text) for text in _texts(call.args[-1], scope))


def test_every_sentence_of_a_failed_run_is_known():
    found = sorted({(name, text) for name, text in told() if text not in PARTS and not text.startswith("…; ")})
    assert len(found) > 150
    assert [(name, text) for name, text in found if not is_known(text)] == []


def test_every_sentence_is_translated():
    assert set(FAILURES) - written().keys() == set()


@pytest.mark.parametrize(
    ("message", "chinese"),
    [
        pytest.param(
            "s3://lake: 00012.json: timed out; tried 5 times. Nothing was changed here.",
            "s3://lake：00012.json：timed out；已尝试 5 次。此处未作更改。",
            id="the store does not answer",
        ),
        pytest.param(
            "charges: Version 7 was written by somebody else meanwhile. Nothing was changed here; run the step again.",
            "charges：其间版本 7 已由其他运行写入。此处未作更改；请重新运行该步骤。",
            id="a sentence within a sentence",
        ),
        pytest.param(
            "There is no forecast of publication 3; `manage.py fill --step forecast` makes one of the newest. Earlier "
            "plans stay.",
            "没有预测（发布版本 3）；`manage.py fill --step forecast` 会为最新版本生成预测。此前的方案保留。",
            id="what stays",
        ),
        pytest.param(
            "a 2026-10 ECS: the overview says 47.99 CNY, the charges add up to 50, 2.01 more; the month is still open.",
            "a 2026-10 ECS：概览为 47.99 CNY，费用合计 50，多 2.01；该月尚未结束。",
            id="amounts",
        ),
        pytest.param("/mnt/bills: Input/output error", "/mnt/bills: Input/output error", id="what a system says"),
        pytest.param("KeyError: 'x'.", "KeyError: 'x'.", id="a fault of ours is not counted as names"),
        pytest.param("3: Compute, Storage.", "3 个：Compute, Storage。", id="names"),
    ],
)
def test_a_failed_run_is_told_in_the_readers_language(message, chinese):
    with override("zh-hans"):
        assert said(message) == chinese
    with override("en"):
        assert said(message) == message
