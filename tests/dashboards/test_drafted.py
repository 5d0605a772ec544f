"""Drafts and files of teams, rules and policies, and closing months: what is wrong is told in the reader's language."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override

from apps.books.models import TrailEntry
from apps.dashboards import trails
from apps.dashboards.drafted import PROBLEMS, WRITTEN
from apps.dashboards.faults import said
from apps.dashboards.refusals import AGAINST
from apps.dashboards.telling import pattern_of
from apps.dashboards.trails import MOVES, OUTCOMES, SUBJECTS
from apps.finops import yamls
from apps.teams.dating import BadChange, parse_change
from apps.teams.documents import TeamsFileRefused, parse_file
from tests.books.worlds import NOW
from tests.dashboards.test_refusals import ROOT, told_by
from tests.dashboards.test_translations import written
from tests.teams import test_dating, test_documents, test_policies, test_tree

TWO_WAYS = {
    "a policy …; write exactly one of …",
    "places …: one is valid to … (itself not included), the next from …; write the same day",
}
"""Of each of these there are two sentences, which the files of `tables` have both."""
READERS = ("yaml_file", "csv_file", "checks", "policy_checks", "tree_drafts", "organisation_csv")


def tables() -> Iterator[tuple[str, str]]:
    """Every wrong file of the tests of those who read them, and what it is called."""
    heads = {
        test_documents.test_a_wrong_file_is_refused_with_the_line_and_what_to_do: ("", "teams.yaml"),
        test_documents.test_a_wrong_csv_is_refused: ("", "teams.csv"),
        test_policies.test_a_wrong_policy_is_refused_with_its_line: (f"{test_policies.HEAD}policies:\n", "teams.yaml"),
        test_tree.test_a_tree_that_cannot_be: (test_tree.HEAD, "teams.yaml"),
    }
    for test, (head, file) in heads.items():
        for one in test.pytestmark[0].args[1]:
            yield head + one.values[0], file


def problems() -> Iterator[str]:
    for text, file in tables():
        try:
            parse_file(text, file=file)
        except TeamsFileRefused as refused:
            yield from (problem.message for problem in refused.problems)


def test_every_problem_of_a_file_of_teams_is_told_in_chinese():
    found = sorted(set(problems()))
    assert len(found) > 60
    with override("zh-hans"):
        assert [one for one in found if said(one) == one] == []


def test_every_draft_that_is_refused_is_told_in_chinese():
    for one in test_dating.test_what_cannot_be_proposed_is_refused.pytestmark[0].args[1]:
        try:
            parse_change(one.values[0], test_dating.TEAMS)
        except BadChange as refused:
            faults = [line.partition(": ")[2] for line in str(refused).splitlines()[1:]]
            assert faults
            with override("zh-hans"):
                assert [fault for fault in faults if said(fault) == fault] == []


@pytest.mark.parametrize("module", READERS)
def test_every_complaint_in_the_code_is_known(module: str):
    known = [pattern_of(one) for one in WRITTEN]
    told = {text for _field, text in told_by(f"teams/{module}")} - TWO_WAYS
    assert told
    assert [text for text in sorted(told) if not any(one.fullmatch(text) for one in known)] == []


def test_every_objection_in_the_code_is_known():
    source = (ROOT / "apps" / "books" / "readiness.py").read_text()
    assert {one for one in re.findall(r'"((?:[^"\\]|\\.)+[.?])"', source) if "%(" in one} == set(AGAINST)


def test_every_sentence_is_translated():
    assert {*WRITTEN, *PROBLEMS, *AGAINST, *OUTCOMES, *MOVES, *SUBJECTS} - written().keys() == set()


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        pytest.param("a: [1", "应为 ',' 或 ']'，遇到文本末尾", id="an open list"),
        pytest.param("\ta: 1", "字符 '\\t' 不能作为开头", id="a tab"),
        pytest.param("a: b: c", "此处不能有键的值", id="two colons"),
        pytest.param("a: 'x", "文本意外结束", id="an open quote"),
        pytest.param('a: "\\q"', "未知的转义字符 'q'", id="an escape"),
        pytest.param("- a\nb: 1", "缩进与上文不符，遇到'?'", id="indented otherwise"),
        pytest.param("a: 1\n---\nb: 2", "只能有一个文档，却出现了另一个", id="two documents"),
        pytest.param("a: \x01", "位置 3 有不允许的特殊字符 #x0001", id="a control character"),
        pytest.param("a: *b", "不读取别名；请写出 *b 所代表的内容", id="an alias"),
        pytest.param("}", "应为内容，遇到'}'", id="nothing to begin with"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_told_in_chinese(text: str, chinese: str):
    with pytest.raises(yamls.yaml.YAMLError):
        yamls.compose(text)
    with pytest.raises(BadChange) as refused, override("zh-hans"):
        parse_change(text, ())
    with override("zh-hans"):
        told = said(str(refused.value))
    assert told.startswith("草案未保存：\n  草案第 ")
    assert told.endswith(chinese)


def test_a_page_of_drafts_tells_them_in_chinese(published, client_of):
    told = client_of("finance").post(
        "/rules/", {"text": "add: [", "reason": ""}, headers={"accept-language": "zh-hans"}
    )
    assert told.status_code == 400
    assert "草案第 1 行：这不是 YAML：应为" in told.content.decode()


def test_the_first_steps_tell_them_in_chinese(people, client_of):
    from apps.teams.models import Team

    Team.objects.all().delete()
    brought = SimpleUploadedFile("t.yaml", b"teams:\n  - {title: x}\n")
    told = client_of("staff").post(
        "/first-steps/take/", {"step": "teams", "file": brought}, headers={"accept-language": "zh-hans"}
    )
    body = told.content.decode()
    assert told.status_code == 400
    assert "有团队缺少 `name`" in body
    assert "第 2 行" in body


REFUSED = (
    "2026-10 is not closed. Source a has no charges on 2026-10-03, 2026-10-04: is its bill complete? Disputes about "
    "2026-10 are not settled: 3; see the page Disputes. To close it nevertheless, give a reason (--force)."
)


def test_what_speaks_against_closing_is_told_within_the_refusal():
    with override("zh-hans"):
        assert said(REFUSED) == (
            "2026-10 未结账。数据源 a 在 2026-10-03, 2026-10-04 没有费用：其账单是否完整？"
            "关于 2026-10 的争议尚未了结：3；请看“争议”页面。若仍要结账，请给出理由（--force）。"
        )


@pytest.mark.parametrize(
    ("outcome", "chinese"),
    [
        ("over rules 3", "基于规则集 3"),
        ("2026-10-01 to 2026-10-29, over rules 3; 12.00 CNY leave unallocated and 3.00 USD join unallocated",
         "2026-10-01 至 2026-10-29，基于规则集 3；12.00 CNY 离开未分配；3.00 USD 进入未分配"),
        ("2026-10-01 to 2026-10-29, over rules 3; nothing leaves or joins unallocated",
         "2026-10-01 至 2026-10-29，基于规则集 3；没有成本离开或进入未分配"),
        ("for ops, web; still to agree: data", "代表 ops, web；尚待同意：data"),
        ("5 CNY of 2026-10 from a to b, for dispute 7", "2026-10 的 5 CNY 由 a 转至 b，为争议 7"),
        ("5 CNY of web, publication 3", "web 的 5 CNY，发布版本 3"),
        ("3 statements are as they were", "3 份结算单均未改变"),
        ("2026-10 is not over: it ends on 2026-11-01. The bills of 2026-10 may still change: they are final from "
         "2026-11-04 on.", "2026-10 尚未结束：于 2026-11-01 结束。2026-10 的账单仍可能变化：自 2026-11-04 起定稿。"),
        ("what nobody knows", "what nobody knows"),
    ],
)  # fmt: skip
def test_a_trail_is_told_in_the_readers_language(outcome: str, chinese: str):
    with override("zh-hans"):
        assert trails.outcome(outcome) == chinese
    with override("en"):
        assert trails.outcome(outcome) == outcome


def test_the_trail_of_closing_is_chinese_on_a_chinese_page(published, client_of):
    TrailEntry.objects.create(
        at=NOW, by="hanmeimei", action="withdrew", subject="dispute 3", why="x", outcome="5 CNY of web, publication 3"
    )
    body: Any = client_of("finance").get("/closing/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "撤回 争议 3" in re.sub(r"\s+", " ", body)
    assert "web 的 5 CNY，发布版本 3" in body
