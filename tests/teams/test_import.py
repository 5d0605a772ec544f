"""Importing teams: what the database holds afterwards, and who may see what."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.management import CommandError, call_command

from apps.teams.documents import TeamsFileRefused
from apps.teams.lookalikes import alike, alike_teams
from apps.teams.models import Membership, RuleSet, Team
from apps.teams.ownership import PriceRatio, RuleBook
from apps.teams.selectors import active_teams, rule_book, visible_teams
from apps.teams.services import import_teams

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FIRST = """\
teams:
  - {name: live-class, title: Live, lead: {name: Li Lei, email: lilei@example.com}}
  - {name: data}
rules:
  - {name: live, when: {namespace: live-*}, team: live-class}
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "teams.yaml"
    path.write_text(FIRST, encoding="utf-8")
    return path


def change(file: Path, old: str, new: str) -> Path:
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return file


def test_before_the_first_import_nobody_owns_anything():
    assert rule_book() == (0, RuleBook(price_ratio=PriceRatio(8, 1, 320)))


@pytest.mark.parametrize(
    ("old", "new", "counts", "ruleset"),
    [
        pytest.param("", "", (0, 0, 0), 1, id="the same file twice changes nothing"),
        pytest.param("title: Live", "title: Live class", (0, 1, 0), 1, id="a title is no rule"),
        pytest.param("  - {name: data}\n", "", (0, 0, 1), 1, id="a team that is gone is retired"),
        pytest.param("{name: data}", "{name: ads}", (1, 0, 1), 1, id="another name is another team"),
        pytest.param("live-*", "class-*", (0, 0, 0), 2, id="a changed rule is a new set of rules"),
        pytest.param("rules:", "policy: {price_ratio: {cpu_core: 9}}\nrules:", (0, 0, 0), 2, id="a policy is a rule"),
        pytest.param("{name: live,", "{name:  live , ", (0, 0, 0), 1, id="spaces and comments mean nothing"),
    ],
)
def test_a_second_import(file, old, new, counts, ruleset):
    assert import_teams(file, NOW) == (2, 0, 0, 1)
    assert import_teams(change(file, old, new), NOW) == (*counts, ruleset)
    assert rule_book()[0] == ruleset == RuleSet.objects.count()


def test_a_retired_team_comes_back_as_itself(file):
    import_teams(file, NOW)
    before = Team.objects.get(name="data").pk
    import_teams(change(file, "  - {name: data}\n", ""), NOW)
    assert [team.name for team in active_teams()] == ["live-class"]
    file.write_text(FIRST, encoding="utf-8")
    assert import_teams(file, NOW) == (0, 1, 0, 1)
    assert Team.objects.get(name="data").pk == before


def test_going_back_to_older_rules_makes_them_the_newest(file):
    import_teams(file, NOW)
    import_teams(change(file, "live-*", "class-*"), NOW)
    file.write_text(FIRST, encoding="utf-8")
    assert import_teams(file, NOW).ruleset == 3
    assert rule_book()[1] == RuleBook.from_document(RuleSet.objects.get(number=1).document)


def test_a_wrong_file_changes_nothing(file):
    import_teams(file, NOW)
    with pytest.raises(TeamsFileRefused):
        import_teams(change(change(file, "title: Live", "title: Other"), "team: live-class", "team: nobody"), NOW)
    assert Team.objects.get(name="live-class").title == "Live"
    assert RuleSet.objects.count() == 1


def test_the_command_says_what_it_did(file):
    out = StringIO()
    call_command("import_teams", str(file), stdout=out)
    assert out.getvalue() == "2 teams created, 0 changed, 0 retired; rules 1 are in force.\n"


@pytest.mark.parametrize(
    ("first", "second", "is_alike"),
    [
        pytest.param("payroll", "p\u0430yroll", True, id="a letter of another alphabet"),
        pytest.param("Sales", "Ｓａｌｅｓ", True, id="wide letters"),
        pytest.param("Data team", "data  team", True, id="case and blanks"),
        pytest.param("search", "sea\u200brch", True, id="something nobody sees"),
        pytest.param("web01", "webO1", True, id="nought and o"),
        pytest.param("直播", "直播课堂", False, id="other words"),
        pytest.param("mail", "mall", False, id="words that only resemble"),
        pytest.param("Поиск", "Реклама", False, id="two words of one alphabet"),
        pytest.param("Live", "Live", False, id="the same title is told elsewhere, or meant"),
    ],
)
def test_names_that_look_alike_are_warned_about(first, second, is_alike):
    found = alike([first, second, ""])
    assert [(one.code, one.subject) for one in found] == ([("names_alike", second)] if is_alike else [])


def test_who_imports_teams_hears_of_names_that_look_alike(file):
    out = StringIO()
    call_command("import_teams", str(change(file, "{name: data}", "{name: data, title: L\u0456ve}")), stdout=out)
    told = "warning: Live: It looks like 'L\u0456ve', which is another team: people would take one for the other; "
    assert told in out.getvalue()
    assert [one.subject for one in alike_teams()] == ["Live"]


def test_the_command_fails_on_a_wrong_file(file):
    with pytest.raises(CommandError, match=r"teams\.yaml line 5: team 'nobody' is not among the teams"):
        call_command("import_teams", str(change(file, "team: live-class", "team: nobody")))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda: AnonymousUser(), frozenset(), id="nobody in particular sees nothing"),
        pytest.param(
            lambda: User.objects.create_user("lilei"), frozenset({"live-class"}), id="a lead sees the own team"
        ),
        pytest.param(lambda: User.objects.create_user("hanmei"), frozenset(), id="a member of no team sees nothing"),
        pytest.param(
            lambda: User.objects.create_user("lilei", is_active=False), frozenset(), id="a disabled user sees nothing"
        ),
        pytest.param(
            lambda: User.objects.create_superuser("root", is_active=False),
            frozenset(),
            id="nor does a disabled superuser",
        ),
        pytest.param(lambda: User.objects.create_superuser("root"), None, id="a superuser sees all"),
        pytest.param(lambda: User.objects.create_user("ops", is_staff=True), None, id="staff sees all"),
        pytest.param(lambda: in_finance(User.objects.create_user("lucy")), None, id="finance sees all"),
    ],
)
def test_who_sees_which_teams(file, make, expected):
    import_teams(file, NOW)
    user = make()
    if user.username == "lilei":
        Membership.objects.create(user=user, team=Team.objects.get(name="live-class"))
    assert visible_teams(user) == expected


def in_finance(user: User) -> User:
    user.groups.add(Group.objects.create(name="finance"))
    return user
