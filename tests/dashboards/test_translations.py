"""Two languages: nothing is left untranslated, and what is compiled is what is written."""

import gettext
import re
from pathlib import Path

import pytest
from django.utils.translation import override

from apps.dashboards.naming import in_a_row

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
TAG = re.compile(r"""\{%\s*translate\s+(?:"([^"]+)"|'([^']+)')""")
CALL = re.compile(r"""\b_\(\s*"((?:[^"\\]|\\.)+)"\s*\)""")


def written(file: Path = FOLDER / "django.po") -> dict[str, str]:
    """The messages of a source file, by msgid."""
    text = file.read_text()
    text = re.sub(r'"\n"', "", text)
    pairs = re.findall(r'^msgid "(.*)"\n(?:msgid_plural ".*"\n)?msgstr(?:\[0\])? "(.*)"$', text, re.MULTILINE)
    return {_plain(key): _plain(value) for key, value in pairs if key}


def _plain(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")


def used() -> set[str]:
    """The messages of templates and pages; the weekly e-mail keeps its own."""
    templates = "\n".join(
        path.read_text() for path in (ROOT / "templates").rglob("*.html") if path.parent.name != "reports"
    )
    said = [
        *(ROOT / "apps" / "dashboards").rglob("*.py"),
        *(ROOT / "apps" / "planning").rglob("*.py"),
        ROOT / "apps" / "ingest" / "quality" / "checks.py",
    ]
    code = "\n".join(path.read_text() for path in said)
    called = CALL.findall(f"{templates}\n{code}")
    return {one or other for one, other in TAG.findall(templates)} | {_plain(text) for text in called}


def test_every_message_is_translated():
    assert len(used()) > 100
    assert used() - written().keys() == set()
    assert [key for key, value in written().items() if not value] == []


def test_placeholders_survive_translation():
    name = re.compile(r"%\(\w+\)[sd]")
    assert [key for key, value in written().items() if set(name.findall(key)) != set(name.findall(value))] == []


def test_the_compiled_messages_are_the_written_ones():
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    stale = [
        key for key, value in written().items() if value not in (compiled.gettext(key), compiled.ngettext(key, key, 2))
    ]
    assert [key for key in stale if compiled.pgettext("date format", key) != written()[key]] == []


@pytest.mark.parametrize(("word", "chinese"), [("Idle", "闲置"), ("Unallocated", "未分配"), ("Reconciliation", "对账")])
def test_the_words_of_the_trade(word, chinese):
    assert written()[word] == chinese


def test_axes_of_figures_are_marked_in_the_language_of_their_reader():
    """The name of a month that the browser writes is in its own order of day and month."""
    marked = re.compile(r"""(\w*)\(?"[^"\n]*%b[^"\n]*\"""")
    files = [file for name in ("charts", "dashboards", "planning") for file in (ROOT / "apps" / name).rglob("*.py")]
    found = {(path.name, call[1]) for path in files for call in marked.finditer(path.read_text())}
    assert {called for _, called in found} == {"gettext_lazy", "_"}, found
    assert all("%b" not in translated for key, translated in written().items() if "%b" in key)


TERMS = {
    "有效成本": "摊销成本", "关账": "结账", "异议": "争议", "未分摊": "未分配", "业务量版本": "驱动量版本",
    "抢占式": "竞价实例", "右尺寸": "规格优化", "无服务器": "Serverless", "第 %(number)s 次": "发布版本",
    "推迟": "暂缓", "你": "您", "警报": "告警", "空闲资源": "闲置资源", "单元成本": "单位成本",
}  # fmt: skip
"""What something was called, or might be → what it is called."""
LETTERS = ROOT / "apps" / "reports" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
CHINESE = [FOLDER / "django.po", LETTERS, *sorted((ROOT / "docs" / "zh").glob("*.md"))]


@pytest.mark.parametrize(("other", "term"), TERMS.items())
def test_a_thing_has_one_name_in_chinese(other, term):
    lines = [(path.name, line) for path in CHINESE for line in path.read_text().splitlines()]
    assert [found for found in lines if other in found[1]] == [], f"it is called {term}"
    assert any(term in line for _, line in lines)


@pytest.mark.parametrize("address", ["/", "/teams/live-class/", "/explorer/?period=month", "/units/", "/rules/"])
def test_chinese_is_joined_by_its_own_marks(published, client_of, address):
    body = client_of("finance").get(address, headers={"accept-language": "zh-hans"}).content.decode()
    told = re.sub(r"<(script|style|code|pre|bdi)\b.*?</\1>", "", body, flags=re.DOTALL)
    assert re.findall(r"[^<>\"]*[\u4e00-\u9fff）][,;.] ?[^<>\"]*", told) == []


def test_guides_call_pages_and_buttons_as_they_are_called():
    messages = written() | written(LETTERS)
    named = re.findall(r"(?<![*\w])\*([A-Z][A-Za-z →' ]+)\*(?!\*)", (ROOT / "docs" / "guide.md").read_text())
    assert {part for name in named for part in name.split(" → ")} - messages.keys() == set()
    quoted = re.findall("“([^”]+)”", (ROOT / "docs" / "zh" / "guide.md").read_text())
    assert set(quoted) - set(messages.values()) == set()
    assert min(len(named), len(quoted)) > 1


@pytest.mark.parametrize(("language", "told"), [("en", "A. B."), ("zh-hans", "A.B.")])
def test_sentences_stand_one_behind_the_other(language, told):
    """A Chinese one ends with a mark that is as wide as a letter."""
    with override(language):
        assert in_a_row(["A.", "", "B."]) == told
