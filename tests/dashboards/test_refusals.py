"""What forms refuse: in Chinese every sentence of it is known, and a page calls a field as its label does."""

import ast
import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.utils.translation import override

from apps.dashboards.faults import FAULTS, refusal
from apps.dashboards.labelled import labels_of
from apps.dashboards.refusals import REFUSED
from apps.dashboards.telling import pattern_of
from apps.finops.errors import CostOpsError
from apps.operations.deciding import BadStep, Step, _check
from tests.dashboards.test_translations import written

ROOT = Path(__file__).resolve().parents[2]
FORMS = {
    "operations/deciding": "recommendation", "operations/people": "recommendation",
    "dashboards/recommendations": "recommendation",
    "budgets/drafts": "budgets", "budgets/profiles": "budgets", "budgets/services": "budgets",
    "budgets/people": "budgets",
    "savings/statements": "saving_form", "savings/scopes": "saving_form", "savings/people": "saving_form",
    "savings/services": "saving_form", "savings/outcomes": "saving", "finops/measurements": "saving",
    "planning/outcomes": "plan", "planning/services": "plan", "planning/drafts": "plan", "planning/timetable": "plan",
    "planning/offers/csv_file": "offers", "planning/offers/table": "offers", "prices/csv_file": "prices",
    "insights/idle/deciding": "idle", "insights/settling": "worklist", "insights/worklist": "worklist",
    "insights/planned/entering": "forecasts", "insights/anomalies/feedback": "anomaly",
    "books/disputes": "dispute", "books/entries": "dispute", "books/people": "dispute", "books/services": "closing",
    "books/invoice_file": "invoices",
    "explorer/annotating": "explorer", "explorer/services": "explorer",
    "alerts/limits": "alert_rules", "alerts/people": "alert", "channels/kinds": "channel",
    "channels/managing": "channel",
    "calendars/reading": "calendar", "calendars/services": "calendar",
    "teams/approval": "rule_draft", "teams/dating": "rules", "teams/proposals": "rules",
    "allocation/rehearsal": "rule_draft", "pipeline/asking": "runs",
    "finops/icalendars": "calendar", "budgets/sheet": "budgets",
    "finops/sheets": "budgets", "finops/workbooks": "budgets",
    "dashboards/idle_views": "idle", "dashboards/rule_views": "worklist", "dashboards/anomaly_views": "anomaly",
    "dashboards/explorer_views": "explorer", "dashboards/budget_views": "budgets", "dashboards/plan_views": "plan",
}  # fmt: skip
"""Module that refuses → page that says so."""
NOT_OF_FORMS = (
    "BadHours", "Unsound", "NoPlan", "NoSuchTimetable", "NoSuchBudget", "NoSuchDispute", "PermissionDenied",
    "ValueError", "BadQuestion", "NothingPublished", "selectors.NoSuchBudget", "BadScore", "NothingChosen",
)  # fmt: skip
"""What leads to another answer than a sentence on a page, or refuses what no form sends."""
OWN_LABELS = {"address", "pattern", "query"}
"""Fields whose labels are data, which `refusal` is given, and names that no form of a page sends."""
AROUND = {"%(name)s: %(cells)s. Nothing was imported.", "line %(line)s, column %(column)s: %(fault)s"}
WRAPPED = {"…", "…: …….\x20Nothing was imported.", "…: …."}
"""Sentences around others, and what is made of them; and why an operating system does not open a file."""
REFUSALS = ("BadBudget", "WrongCell", "Wrong", "sheets.Wrong", "NotPossible")


def text_of(node: ast.expr) -> str | None:
    """What is said, with `…` for what is put in; None where it is not written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def told_by(module: str) -> set[tuple[str, str]]:
    """What a module refuses: the name of a field, where it is written, and the sentence."""
    found: set[tuple[str, str]] = set()
    tree = ast.parse((ROOT / "apps" / f"{module}.py").read_text())
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in REFUSALS]
    for call in {*raised, *made}:
        if ast.unparse(call.func) in NOT_OF_FORMS or not call.args:
            continue
        text = text_of(call.args[-1])
        if text is None:
            continue
        field = text_of(call.args[0]) if len(call.args) > 1 else None
        if named := re.fullmatch(r"([a-z_]+): (.+)", text, re.DOTALL):
            field, text = named[1], named[2]
        text = re.sub(r"^column [^:]+: ", "", text)
        found.add(("" if field is None or ast.unparse(call.func) == "WrongCell" else field, text))
    complained = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".complain")
    ]
    return found | {("", text) for call in complained if (text := text_of(call.args[-1]))}


def is_known(text: str) -> bool:
    """Whether a sentence can be told in Chinese, with or without the field or file whose name stands before it."""
    forms = {text, text.removesuffix("."), text.removeprefix("…: "), text.removeprefix("…: ").removesuffix(".")}
    every = {*FAULTS, *REFUSED} - AROUND
    return any(pattern_of(one).fullmatch(form) for one in every for form in forms)


@pytest.mark.parametrize("module", FORMS)
def test_every_refusal_of_a_form_is_known(module):
    told = {text for _, text in told_by(module)} - WRAPPED
    assert [text for text in sorted(told) if not is_known(text)] == []


@pytest.mark.parametrize(("module", "page"), FORMS.items())
def test_every_field_that_is_refused_has_a_label_on_its_page(module, page):
    labels = labels_of(f"dashboards/{page}.html")
    assert {field for field, _ in told_by(module)} - labels.keys() - {"", "…"} - OWN_LABELS == set()


def test_every_view_that_refuses_knows_its_page():
    """No page is forgotten: whoever refuses says of which template the labels are."""
    views = sorted((ROOT / "apps" / "dashboards").glob("*_views.py"))
    bare = [path.name for path in views if "**refusal(refused)" in path.read_text()]
    assert bare == ["run_views.py"], "whose forms have no fields"


def test_every_sentence_is_translated():
    assert {*FAULTS, *REFUSED} - written().keys() == set()
    assert [one for one, other in pairwise(sorted(REFUSED)) if one == other] == []


@pytest.mark.parametrize(
    ("message", "template", "chinese", "english"),
    [
        ("why: to decline say why; it is kept.", "recommendation", "“为何”：谢绝须说明理由；理由会保留。",
         "“Why”: to decline say why; it is kept."),
        ("assignee: name the user it is for.", "recommendation", "“交给”：请选择交给哪位用户。",
         "“For”: name the user it is for."),
        ("name: is empty.", "budgets", "“名称”：不能为空。", "“Name”: is empty."),
        ("currency: '' is not a currency code of ISO 4217, such as CNY.", "budgets",
         "“币种”：'' 不是 ISO 4217 货币代码，如 CNY。",
         "“Currency”: '' is not a currency code of ISO 4217, such as CNY."),
        ("weights: terms needs one weight, such as 1.5; there are 0.", "budgets",
         "terms 需要 一个权重，如 1.5；", "needs one weight, such as 1.5; there are 0."),
        ("valid_from: 2026-10-02 is not the first day of a month; October 2026 begins on 2026-10-01, the next on "
         "2026-11-01.", "budgets", "2026-10-02 不是月份的首日；October 2026 始于",
         "2026-10-02 is not the first"),
        ("value: 'abc' is no number.", "saving", "“数值”：'abc' 不是数字。", "“Value”: 'abc' is no number."),
        ("Recommendation 3 is in progress: nobody can decline it now.", "recommendation",
         "建议 3 的状态为“进行中”，现在不能谢绝。", "Recommendation 3 is in progress"),
        ("b.csv: line 2, column amount: 'x' is not a number; write 7.1234; line 3, column name: is empty; and 2 more. "
         "Nothing was imported.", "budgets",
         "b.csv：第 2 行，列 amount：'x' 不是数字；请写成 7.1234; 第 3 行，列 name：不能为空; "
         "另有 2 处。未导入任何内容。",
         "b.csv: line 2, column amount"),
        ("The draft was not kept:\n  draft line 1: nothing is proposed; write `add:`, `change:` or `end:` with a list "
         "of rules", "rules", "草案未保存：\n  草案第 1 行：没有提出任何更改", "The draft was not kept:"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_the_readers_language(message, template, chinese, english):
    for language, expected in (("zh-hans", chinese), ("en", english)):
        with override(language):
            assert expected in refusal(CostOpsError(message), f"dashboards/{template}.html")["refused"]


@pytest.mark.parametrize("page", sorted(set(FORMS.values())))
def test_labels_are_those_of_the_page(page):
    source = get_template(f"dashboards/{page}.html").template.source
    labels = labels_of(f"dashboards/{page}.html")
    for name, label in re.findall(r'\{% field "(\w+)" _\("([^"]+)"\)', source):
        assert labels[name] == label


def test_a_page_that_refuses_speaks_chinese(published, client_of):
    given = {"name": "", "amount": "10", "currency": "CNY", "valid_from": f"{date(2026, 10, 1)}"}
    told = client_of("finance").post("/budgets/", given, headers={"accept-language": "zh-hans"})
    assert told.status_code == 400
    notice = re.search(r'role="alert">(.*?)</p>', told.content.decode())
    assert notice is not None
    assert notice[1] == "“名称”：不能为空。"


def test_the_day_offered_to_sleep_until_is_taken():
    today = date(2026, 11, 30)
    with pytest.raises(BadStep) as refused:
        _check(Step("snooze", until=today), today)
    (offered,) = re.findall(r"such as ([\d-]+)\.", str(refused.value))
    _check(Step("snooze", until=date.fromisoformat(offered)), today)
