"""The organisation in files: what a tree of units may say, what is said about one that may not, and that it comes
back as it was."""

from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from textwrap import dedent

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from apps.teams.documents import TeamsFileRefused, parse_file
from apps.teams.export import to_yaml
from apps.teams.models import Membership, Organisation, RuleSet, Team, Unit, UnitMembership
from apps.teams.organisation_csv import read_organisation, write_organisation
from apps.teams.organising import keep_tree, today, tree
from apps.teams.selectors import visible_teams
from apps.teams.services import import_teams
from apps.teams.tree import Place, Tree
from apps.teams.tree import Unit as TreeUnit

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WHOLE = """
organisation:
  - {name: acme, kind: company, title: 学而思}
  - {name: online, kind: unit, parent: acme, cost_center: CC-1, lead: {name: 李雷, email: lilei@example.com}}
  - {name: live, kind: department, parent: online, valid_from: 2026-01-01}
  - name: search
    kind: department
    places:
      - {parent: online, cost_center: CC-3, valid_to: 2026-07-01}
      - {parent: acme, cost_center: CC-4, valid_from: 2026-07-01}
teams:
  - name: player
    title: 播放器
    places:
      - {parent: live, valid_from: 2026-02-01, valid_to: 2026-10-11}
      - {parent: search, cost_center: CC-9, valid_from: 2026-10-11}
  - {name: bank, parent: search, cost_center: CC-5}
  - {name: brief, parent: live, valid_from: 2026-03-01, valid_to: 2026-04-01}
  - {name: old, department: 直播, cost_center: CC-6}
  - {name: cheap, cost_center: CC-7}
  - {name: free}
"""
OCT = date(2026, 10, 11)


def test_a_whole_tree_is_read() -> None:
    assert parse_file(WHOLE, file="teams.yaml").tree == Tree(
        units=(
            TreeUnit("acme", "company", "学而思"),
            TreeUnit("online", "unit", "", "李雷", "lilei@example.com", (Place("acme", "CC-1"),)),
            TreeUnit("live", "department", places=(Place("online", "", date(2026, 1, 1)),)),
            TreeUnit(
                "search", "department",
                places=(
                    Place("online", "CC-3", None, date(2026, 7, 1)), Place("acme", "CC-4", date(2026, 7, 1), None),
                ),
            ),
            TreeUnit("直播", "department", is_implied=True),
        ),
        teams={
            "player": (Place("live", "", date(2026, 2, 1), OCT), Place("search", "CC-9", OCT)),
            "bank": (Place("search", "CC-5"),),
            "brief": (Place("live", "", date(2026, 3, 1), date(2026, 4, 1)),),
            "old": (Place("直播", "CC-6"),),
            "cheap": (Place("", "CC-7"),),
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("team", "day", "expected"),
    [
        pytest.param("player", date(2026, 1, 31), None, id="before it began"),
        pytest.param("player", date(2026, 10, 10), ("acme", "online", "live", "CC-1"), id="the last day before a move"),
        pytest.param("player", date(2026, 10, 11), ("acme", "", "search", "CC-9"), id="the day of the move"),
        pytest.param("bank", date(2026, 6, 30), ("acme", "online", "search", "CC-5"), id="before its department moved"),
        pytest.param("bank", date(2026, 7, 1), ("acme", "", "search", "CC-5"), id="it moves with its department"),
        pytest.param("brief", date(2026, 3, 31), ("acme", "online", "live", "CC-1"), id="the last day of a team"),
        pytest.param("brief", date(2026, 4, 1), None, id="after its end"),
        pytest.param("old", date(2026, 1, 1), ("", "", "直播", "CC-6"), id="a department in words"),
        pytest.param("cheap", date(2026, 1, 1), ("", "", "", "CC-7"), id="a cost centre and nothing above"),
        pytest.param("free", date(2026, 1, 1), None, id="a team without a place"),
        pytest.param("nobody", date(2026, 1, 1), None, id="a team nobody knows"),
    ],
)
def test_where_a_team_stands(team: str, day: date, expected: tuple[str, ...] | None) -> None:
    spot = parse_file(WHOLE, file="teams.yaml").tree.spot(team, day)
    levels = ("company", "unit", "department", "cost_center")
    assert (None if spot is None else tuple(spot.value(level) for level in levels)) == expected


def test_what_is_written_is_read_again() -> None:
    read = parse_file(WHOLE, file="teams.yaml")
    assert parse_file(to_yaml(*read), file="again.yaml") == read
    assert Tree.from_document(read.tree.to_document()) == read.tree
    sheet = write_organisation(read.tree)
    again = read_organisation(sheet.encode(), name="o.csv", teams=read.tree.teams)
    assert write_organisation(again) == sheet
    assert (again.teams, [unit.places for unit in again.units]) == (
        read.tree.teams, [unit.places for unit in read.tree.units],
    )  # fmt: skip


def test_the_example_of_the_documentation_is_read() -> None:
    text = (Path(settings.BASE_DIR) / "docs/teams.md").read_text(encoding="utf-8")
    read = parse_file(text.partition("```yaml\n")[2].partition("```")[0], file="teams.yaml")
    assert parse_file(to_yaml(*read), file="again.yaml") == read
    assert [rule.name for rule in read.book.rules] == ["trainers of the pool", "live namespaces"]
    assert read.tree.below(["live"], date(2026, 10, 10)) == {"live-class"}
    assert read.tree.below(["live"], date(2026, 10, 11)) == {"live-class", "homework-help"}


HEAD = """\
organisation:
- {name: live, kind: department, valid_from: 2026-01-01, valid_to: 2027-01-01}
- {name: acme, kind: company}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "- {kind: unit}\n", ["line 4: a unit has no `name`"], id="a unit without a name",
        ),
        pytest.param("- {name: x}\n", ["line 4: kind '' of a unit is none of company"], id="a unit without a kind"),
        pytest.param("- {name: x, kind: team}\n", ["line 4: kind 'team' of a unit is none"], id="a team as a unit"),
        pytest.param("- {name: unallocated, kind: unit}\n", ["line 4: 'unallocated' is kept"], id="a reserved name"),
        pytest.param("- {name: (none), kind: unit}\n", ["line 4: '(none)' is kept"], id="the other reserved name"),
        pytest.param("- {name: acme, kind: unit}\n", ["line 4: unit 'acme' stands on line 3 already"], id="a twin"),
        pytest.param(
            "- {name: x, kind: unit, lead: {email: x}}\n", ["line 4: 'x' is not an e-mail address"], id="a bad address"
        ),
        pytest.param(
            "- {name: x, kind: unit, parent: y}\n", ["line 4: parent 'y' is not a unit"], id="an unknown parent"
        ),
        pytest.param(
            "- {name: x, kind: unit, parent: live}\n", ["line 4: a unit cannot stand below the department 'live'"],
            id="a unit below a department",
        ),
        pytest.param(
            "- {name: x, kind: unit, parent: x}\n", ["line 4: the way up goes in a circle from the beginning: x → x"],
            id="its own parent",
        ),
        pytest.param(
            "- {name: x, kind: unit, places: [{parent: y, valid_from: 2026-01-01}]}\n"
            "- name: y\n  kind: unit\n  places:\n"
            "  - {parent: acme, valid_to: 2026-05-01}\n  - {parent: x, valid_from: 2026-05-01}\n",
            ["line 4: the way up goes in a circle from 2026-05-01: x → y → x"],
            id="a circle from a day on",
        ),
        pytest.param(
            "- {name: x, kind: department, parent: live}\n",
            ["line 4: 'x' stands below 'live' from the beginning, which begins on 2026-01-01"],
            id="below a parent that has not begun",
        ),
        pytest.param(
            "- {name: x, kind: department, parent: live, valid_from: 2026-02-01}\n",
            ["line 4: 'x' stands below 'live' until the end, which ends on 2027-01-01"],
            id="below a parent that has ended",
        ),
        pytest.param(
            "- {name: x, kind: unit, valid_from: 2026-02-01, valid_to: 2026-02-01}\n",
            ["line 4: valid_to (2026-02-01, itself not included) must come after"], id="no day at all",
        ),
        pytest.param(
            "- name: x\n  kind: unit\n  places:\n  - {valid_to: 2026-02-03}\n  - {valid_from: 2026-02-02}\n",
            ["line 8: places overlap: one is valid to 2026-02-03"], id="places that overlap",
        ),
        pytest.param(
            "- name: x\n  kind: unit\n  places:\n  - {valid_to: 2026-02-01}\n  - {valid_from: 2026-02-02}\n",
            ["line 8: places leave a gap: one is valid to 2026-02-01"], id="places with a gap",
        ),
        pytest.param(
            "- name: x\n  kind: unit\n  places:\n  - {parent: acme}\n  - {valid_from: 2026-02-02}\n",
            ["line 8: of two places, the first needs a `valid_to`"], id="two places and an open end",
        ),
        pytest.param(
            "- {name: x, kind: unit, parent: acme, places: [{valid_to: 2026-02-03}]}\n",
            ["line 4: 'parent' stands beside `places`"], id="a place beside places",
        ),
        pytest.param("- {name: x, kind: unit, size: 3}\n", ["line 4: 'size' is unknown in a unit"], id="unknown key"),
        pytest.param(
            "- {name: x, kind: unit, valid_from: soon}\n", ["line 4: 'soon' is no date"], id="a date that is none"
        ),
        pytest.param(
            f"- {{name: x, kind: unit, cost_center: {'1' * 61}}}\n", ["line 4: `cost_center` has 61 characters"],
            id="a cost centre too long",
        ),
        pytest.param(
            "".join(f"- {{name: u{n}, kind: unit, parent: u{n + 1}}}\n" for n in range(31))
            + "- {name: u31, kind: unit}\n",
            ["line 4: the way up from here has more than 30 levels"], id="more levels than any company has",
        ),
        pytest.param(
            "teams:\n- {name: a, parent: live, department: live}\n", ["line 5: a team has both `department` and"],
            id="a department and a place",
        ),
        pytest.param(
            "teams:\n- {name: a, department: acme}\n", ["line 5: 'acme' is a company; write `parent: acme`"],
            id="a department that is none",
        ),
        pytest.param(
            "teams:\n- {name: a, parent: b}\n- {name: b}\n", ["line 5: parent 'b' is not a unit"],
            id="a team below a team",
        ),
    ],
)  # fmt: skip
def test_a_tree_that_cannot_be(text: str, expected: list[str]) -> None:
    whole = HEAD + text + ("" if text.startswith("teams:") else "teams: [{name: a}]\n")
    with pytest.raises(TeamsFileRefused) as refused:
        parse_file(whole, file="teams.yaml")
    found = [f"{problem.subject}: {problem.message}" for problem in refused.value.problems]
    assert len(found) == len(expected)
    assert all(told in one for told, one in zip(expected, found, strict=True)), found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "teams.yaml"
    path.write_text(WHOLE, encoding="utf-8")
    return path


pytestmark = pytest.mark.django_db


def test_versions_are_kept_and_rules_do_not_notice(file: Path) -> None:
    import_teams(file, NOW)
    first = tree()
    import_teams(file, NOW)
    assert (Organisation.objects.count(), RuleSet.objects.count()) == (1, 1)
    file.write_text(WHOLE.replace("CC-9", "CC-10"), encoding="utf-8")
    import_teams(file, NOW)
    assert (Organisation.objects.count(), RuleSet.objects.count()) == (2, 1)
    assert tree(1) == first != tree()


def test_a_unit_that_is_gone_is_retired_and_comes_back_with_its_members(file: Path) -> None:
    import_teams(file, NOW)
    UnitMembership.objects.create(user=User.objects.create(username="lead"), unit=Unit.objects.get(name="live"))
    file.write_text("teams: [{name: player}]", encoding="utf-8")
    import_teams(file, NOW)
    assert not Unit.objects.filter(is_active=True).exists()
    file.write_text(WHOLE, encoding="utf-8")
    import_teams(file, NOW)
    assert Unit.objects.get(name="live").memberships.count() == 1


@pytest.mark.parametrize(
    ("units", "teams", "expected"),
    [
        pytest.param([], [], set(), id="nobody's member sees nothing"),
        pytest.param([], ["free"], {"free"}, id="a member of a team"),
        pytest.param(["acme"], [], {"here", "there", "deep"}, id="the company: everything below, however deep"),
        pytest.param(["live"], [], {"here"}, id="a department: who stands there today, not who left or will come"),
        pytest.param(["search"], ["free"], {"there", "deep", "free"}, id="a department and a team"),
        pytest.param(["gone"], [], set(), id="a unit that was retired"),
    ],
)
def test_members_of_a_unit_see_the_teams_below_it_today(units: list[str], teams: list[str], expected: set[str]) -> None:
    user = User.objects.create(username="somebody")
    for name in ("here", "there", "deep", "coming", "free"):
        Team.objects.create(name=name)
    day = today()
    later = Place("live", valid_from=day.replace(year=day.year + 1, day=1))
    keep_tree(Tree(units=(TreeUnit("gone", "unit"),)), NOW)
    keep_tree(
        Tree(
            units=(
                TreeUnit("acme", "company"),
                TreeUnit("live", "department", places=(Place("acme"),)),
                TreeUnit("search", "department", places=(Place("acme"),)),
                TreeUnit("inner", "department", places=(Place("search"),)),
            ),
            teams={
                "here": (Place("search", valid_to=day), Place("live", valid_from=day)),
                "there": (Place("live", valid_to=day), Place("search", valid_from=day)),
                "deep": (Place("inner"),),
                "coming": (later,),
            },
        ),
        NOW,
    )
    for name in units:
        UnitMembership.objects.create(user=user, unit=Unit.objects.get(name=name))
    for name in teams:
        Membership.objects.create(user=user, team=Team.objects.get(name=name))
    assert visible_teams(user) == expected


SHEET = """\
name,kind,title,lead_name,lead_email,parent,cost_center,valid_from,valid_to
live,department,,,,acme,,,
acme,company,Acme,,,,CC-1,,
a,team,,,,live,,,2026-10-11
a,team,,,,acme,CC-2,2026-10-11,
"""


def test_the_organisation_at_the_terminal(tmp_path: Path) -> None:
    Team.objects.create(name="a", department="Old", cost_center="CC-0")
    Team.objects.create(name="b", department="Old")
    path = tmp_path / "organisation.csv"
    path.write_text(SHEET, encoding="utf-8")
    assert told("import", str(path)) == "1 teams have a place; version 1 of the organisation is in force.\n"
    assert told("export") == SHEET
    assert told("show", "--day", "2026-10-10", "--format", "csv").splitlines() == [
        "team,company,unit,department,cost_center,since,until",
        "a,acme,,live,CC-1,0001-01-01,2026-10-11",
    ]
    assert "1 teams have a place on 2026-10-11, by version 1" in told("show", "--day", "2026-10-11")
    assert told("list", "--format", "csv").splitlines()[1].startswith("1,")
    with pytest.raises(CommandError, match="no version 9 of the organisation; the newest is 1"):
        told("export", "--version", "9")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("a,team,,,,live", "x,team,,,,live", "line 4: team 'x' is not known", id="an unknown team"),
        pytest.param("acme,CC-2,2026", "acme,CC-2,2027", "line 5: places leave a gap", id="a gap"),
        pytest.param(
            "live,department", "acme,unit,B,,,,,,\nlive,department",
            "line 4: kind is 'company' here and 'unit' on line 2", id="two rows that disagree",
        ),
        pytest.param("name,kind", "name,size", "line 1: the columns must be", id="another header"),
    ],
)  # fmt: skip
def test_a_sheet_that_cannot_be(tmp_path: Path, old: str, new: str, expected: str) -> None:
    Team.objects.create(name="a", department="Old")
    path = tmp_path / "organisation.csv"
    path.write_text(dedent(SHEET).replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        told("import", str(path))
    assert expected in str(refused.value)
    assert (Organisation.objects.count(), Team.objects.get(name="a").department) == (0, "Old")


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("organisation", *arguments, stdout=out)
    return out.getvalue()
