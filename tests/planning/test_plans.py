"""Plans kept, read, tried by other settings, taken along as files and recommended, with a planner of one line."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils.translation import gettext, gettext_lazy, override

from apps.charts.plans import Axis, Series, over
from apps.finops.errors import CostOpsError
from apps.finops.findings import Sentence
from apps.marts.query import Scope
from apps.operations import services as operations
from apps.operations.kinds import KINDS
from apps.operations.models import Recommendation
from apps.planning import registry, selectors, services
from apps.planning.arrays import pack, unpack
from apps.planning.drafts import (
    Action,
    BadSettings,
    Case,
    Check,
    Column,
    Draft,
    Export,
    FigureShape,
    Planner,
    Settings,
    Slider,
    TableShape,
    Unsound,
    checked,
)
from apps.planning.exporting import NoSuchFile, exported, file_names
from apps.planning.models import ChosenSettings, Fault, Plan
from apps.planning.packing import packed, unpacked
from apps.planning.selectors import NoPlan
from apps.teams.approval import Actor, NotYours
from apps.teams.models import Membership, Team
from tests.once import made_once, put_in_home
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
FINANCE = Actor("fin", None)
made: list[tuple[bytes, Settings]] = []


def _make(data: bytes, settings: Settings) -> Draft:
    made.append((data, settings))
    meta, _arrays = unpack(data)
    saving = Decimal(meta["cost"]) * Decimal(str(settings["part"])) / 100
    return Draft(
        currency="CNY", cost_per_month=Decimal(meta["cost"]), saving_per_month=saving,
        says=(Sentence("Keep %(nodes)s nodes standing", {"nodes": "<b>3</b>"}),),
        risks=(Sentence("All may fall by %(cost)s", {"cost": "777 CNY"}),),
        binds=(Sentence("All pay %(cost)s", {"cost": "888 CNY"}),),
        unknowns=(Sentence("Nobody knows when %(names)s ends", {"names": "ri-of-data"}),),
        checks=(Check(Sentence("the cost re-adds"), meta["cost"] != "13"),),
        actions=(_action("web", saving * 3 / 4), _action("data", saving / 4)),
        tables={"parts": [["=web()", "web", f"{saving * 3 / 4:f}", 0.75], ["data", "data", f"{saving / 4:f}", 0.25]],
                "sums": [["all", f"{saving:.2f}"]]},
        settings=settings, seed=7, objective=98.0, bound=100.0,
    )  # fmt: skip


def _action(team: str, saving: Decimal) -> Action:
    return Action(team, team, Sentence("Give back %(what)s", {"what": team}), (), "CNY", saving, date(2026, 10, 30))


def _draw(draft: Draft, what: str) -> Any:
    return over(Axis("h", [1, 2]), [Series(what, [1.0, float(draft.saving_per_month)], "#3b7dd8")], unit="CNY")


TEXT = Column("name", "Name")
PARTS = TableShape("parts", "Parts", (TEXT, Column("team", "Team", "team"), Column("saving", "Saving", "money"),
                                      Column("share", "Share", "share")))  # fmt: skip
SUMS = TableShape("sums", "Sums", (TEXT, Column("saving", "Saving", "money")))
TOY = Planner(
    name="pools", title="Toy", about="A planner of one line", version="1",
    read=lambda _pinned, _now: (
        Case("a", pack({"cost": "200"})),
        Case("b", withheld=Sentence("%(days)s days are known", {"days": "3"})),
    ),
    make=_make, draw=_draw, sliders=(Slider("part", gettext_lazy("Plan"), 0, 100, 5, 10, "%"),), tables=(PARTS, SUMS),
    figures=(FigureShape("line", "Line"),),
    exports=(Export("toy.yaml", "text/yaml", lambda draft: f"s: {draft.seed}\n"),),
)  # fmt: skip


def client(name: str) -> Client:
    found = Client()
    found.force_login(User.objects.get(username=name))
    return found


def make() -> None:
    """Somebody who sees everything, the lead of a team, and one publication, planned by the toy."""
    web = Team.objects.create(name="web", lead_email="web@example.test")
    Team.objects.create(name="data")
    User.objects.create_superuser("han")
    lead = User.objects.create_user("web-lead", email="web@example.test")
    Membership.objects.create(user=lead, team=web)
    publish_costs([{"day": date(2026, 10, 1), "effective_cost": "200", "team": "web"}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "PLANNERS", (TOY,))
        patch.setattr(registry, "PLANNERS", (TOY,))
        services.plan(now=NOW)


@pytest.fixture(scope="module")
def lake_of_world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    with made_once(django_db_blocker, tmp_path_factory.mktemp("world") / "lake", make) as lake:
        yield lake


@pytest.fixture(autouse=True)
def toy(lake_of_world: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """The toy in place of all planners, in the world made once."""
    put_in_home(lake_of_world)
    for module in (registry, services):
        monkeypatch.setattr(module, "PLANNERS", (TOY,))
    monkeypatch.setattr("apps.planning.selectors.PLANNERS", (TOY,))
    monkeypatch.setattr("apps.api.plans.NAMES", ("pools",))
    made.clear()
    cache.clear()


def with_planner(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    other = replace(TOY, **changed)
    for module in (registry, services):
        monkeypatch.setattr(module, "PLANNERS", (other,))


def test_a_plan_is_kept_whole_and_made_once() -> None:
    first, second = Plan.objects.order_by("subject")
    draft = unpacked(first.draft)
    assert draft == _make(bytes(first.data), TOY.defaults)
    assert packed(draft) == first.draft
    assert (draft.saving_per_month, draft.gap, draft.is_verified) == (Decimal(20), 0.02, True)
    assert (second.draft, second.withheld) == (None, ["%(days)s days are known", {"days": "3"}])
    made.clear()
    assert services.plan(now=NOW).rows == 2
    assert made == []


def test_another_version_of_the_method_plans_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = services.identity()
    with_planner(monkeypatch, version="2")
    assert services.identity() != before
    made.clear()
    services.plan(now=NOW)
    assert len(made) == 1


def test_a_planner_that_cannot_read_leaves_earlier_plans_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise CostOpsError("the price table is empty.")

    with_planner(monkeypatch, read=fail)
    told = services.plan(now=NOW)
    assert [(one.code, one.message) for one in told.problems] == [
        ("no_plan", "the price table is empty. Earlier plans stay.")
    ]
    assert Plan.objects.count() == 2
    assert "the price table is empty." in client("han").get("/plans/pools/").content.decode()


def _break(*_: Any) -> Any:
    raise KeyError("cores")


def test_a_task_whose_time_is_up_ends_and_blames_no_planner() -> None:
    slow = replace(TOY, read=lambda *_: (_ for _ in ()).throw(SoftTimeLimitExceeded))
    with pytest.raises(SoftTimeLimitExceeded):
        services.plan(now=NOW, planners=[slow])


@pytest.mark.parametrize("changed", [pytest.param({"read": _break}, id="reading"),
                                     pytest.param({"make": _break, "version": "2"}, id="making")])  # fmt: skip
def test_a_fault_of_one_planner_stops_no_other(
    changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The broken planner's plans of the earlier publication stay, sliders and all, and its page says so."""
    earlier = Plan.objects.get(subject="a").publication
    publish_costs([{"day": date(2026, 10, 1), "effective_cost": "300", "team": "web"}])
    broken, other = replace(TOY, **changed), replace(TOY, name="gpu", title="Other")
    told = services.plan(now=NOW, planners=[broken, other])
    assert [(one.severity, one.code, one.subject, one.message) for one in told.problems] == [
        ("warning", "no_plan", "pools", "The planner failed (KeyError); the log says where. Earlier plans stay.")
    ]
    assert "KeyError" in caplog.text
    assert any(record.exc_info for record in caplog.records), "the log says where"
    assert told.rows == 2
    newest = Plan.objects.get(planner="gpu", subject="a").publication
    assert newest > earlier
    assert Plan.objects.get(planner="pools", subject="a").publication == earlier
    page = client("han").get("/plans/pools/", {"subject": "a", "part": "50"}).content.decode()
    for sentence in (f"could not plan publication {newest}", "The fault is in the planner", "100.00",
                     "planned from an earlier publication"):  # fmt: skip
        assert sentence in " ".join(page.split())
    assert "could not plan publication" in client("han").get("/plans/").content.decode()
    services.plan(now=NOW, planners=[TOY, other])
    assert not Fault.objects.exists()
    assert "could not plan publication" not in client("han").get("/plans/pools/").content.decode()


def test_a_planner_that_finds_nothing_any_more_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cluster was deleted, or its Prometheus retired."""
    kinds = [kind for kind in KINDS if kind.name == "pools"]
    operations.recommend(now=NOW, kinds=kinds)
    states = Recommendation.objects.values_list("team", "state").order_by("team")
    assert [state for _team, state in states] == ["found", "assigned"]
    publish_costs([{"day": date(2026, 10, 1), "effective_cost": "300", "team": "web"}])
    with_planner(monkeypatch, read=lambda *_: ())
    services.plan(now=NOW)
    operations.recommend(now=NOW, kinds=kinds)
    assert (selectors.findings("pools"), selectors.totals(selectors.plans("pools"))) == ((), {})
    assert {state for _team, state in states.all()} == {"closed"}
    assert [(one.plan.subject, str(one.withheld)) for one in selectors.plans("pools")] == [("", services.NOTHING)]
    assert services.NOTHING in client("han").get("/plans/pools/").content.decode()
    with override("zh-hans"):
        assert gettext(services.NOTHING) != services.NOTHING
    with_planner(monkeypatch)
    services.plan(now=NOW)
    assert [one.plan.subject for one in selectors.plans("pools")] == ["a", "b"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"saving_per_month": Decimal(201)}, "of a cost of 200", id="more than the things cost"),
        pytest.param({"saving_per_month": Decimal(-1)}, "A saving of -1", id="a saving below nothing"),
        pytest.param({"saving_per_month": Decimal(19)}, "promise 20", id="actions beyond the plan"),
    ],
)
def test_what_cannot_be_is_not_kept(changed: dict[str, Any], message: str) -> None:
    draft = _make(pack({"cost": "200"}), TOY.defaults)
    assert checked(draft) is draft
    with pytest.raises(Unsound, match=message):
        checked(replace(draft, **changed))


def test_other_settings_are_tried_on_the_same_numbers_and_remembered() -> None:
    made.clear()
    tried = selectors.plan_of("pools", "a", Scope(None), {"part": "50"})
    again = selectors.plan_of("pools", "a", Scope(None), {"part": "50"})
    assert tried.draft is not None
    assert again.draft is not None
    assert (tried.is_tried, tried.draft.saving_per_month, again.draft.saving_per_month) == (True, 100, 100)
    assert len(made) == 1
    assert not selectors.plan_of("pools", "a", Scope(None), {"part": "10"}).is_tried
    for wrong in ({"part": "101"}, {"part": "much"}, {"half": "1"}, {"part": "nan"}):
        with pytest.raises(BadSettings):
            selectors.plan_of("pools", "a", Scope(None), wrong)


def test_chosen_settings_make_the_next_plan_and_only_finance_chooses() -> None:
    before = services.identity()
    with pytest.raises(NotYours):
        services.choose("pools", "a", {"part": 20}, by=Actor("mei", frozenset({"web"})), now=NOW)
    with pytest.raises(NoPlan):
        services.choose("pools", "c", {"part": 20}, by=FINANCE, now=NOW)
    services.choose("pools", "a", {"part": "20"}, by=FINANCE, now=NOW)
    assert services.identity() != before
    services.plan(now=NOW)
    draft = selectors.plan_of("pools", "a", Scope(None)).draft
    assert draft is not None
    assert draft.saving_per_month == Decimal(40)
    assert ChosenSettings.objects.get().by == "fin"


def test_a_team_sees_its_own_part() -> None:
    found = selectors.plans("pools", Scope(frozenset({"web"})))
    assert [one.plan.subject for one in found] == ["a"]
    draft = found[0].draft
    assert draft is not None
    assert (draft.saving_per_month, [one.team for one in draft.actions], draft.says) == (Decimal(15), ["web"], ())
    assert draft.cost_per_month is None, (
        "what the whole plan is about is not theirs to know, and 15 of 15 would be wrong"
    )
    assert {name: [row[1] for row in rows] for name, rows in draft.tables.items()} == {"parts": ["web"]}
    assert selectors.plans("pools", Scope(frozenset({"ops"}))) == []


@pytest.mark.parametrize("where", ["/plans/pools/", "/api/v1/plans/pools/"])
def test_sentences_about_all_are_for_who_sees_all(where: str) -> None:
    whole, own = (client(name).get(where, {"subject": "a"}).content.decode() for name in ("han", "web-lead"))
    for told in ("777", "888", "ri-of-data"):
        assert told in whole
        assert told not in own


def test_what_is_verified_becomes_findings() -> None:
    told = [(one.kind, one.team, one.saving_per_month, one.link) for one in selectors.findings("pools")]
    assert told == [("pools", "web", Decimal(15), "/plans/pools/?subject=a"),
                    ("pools", "data", Decimal(5), "/plans/pools/?subject=a")]  # fmt: skip


def test_a_plan_with_a_broken_check_recommends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with_planner(monkeypatch, read=lambda *_: (Case("a", pack({"cost": "13"})),))
    services.plan(now=NOW)
    assert selectors.findings("pools") == ()
    assert selectors.plans("pools")[0].draft is not None


def test_files_are_whole_and_harmless() -> None:
    draft = _make(pack({"cost": "200"}), TOY.defaults)
    assert file_names(TOY) == ("plan.json", "parts.csv", "sums.csv", "toy.yaml")
    assert unpacked(json.loads(exported(TOY, draft, "plan.json").text)) == draft
    rows = list(csv.reader(io.StringIO(exported(TOY, draft, "parts.csv").text)))
    assert rows[:2] == [["name", "team", "saving", "share"], ["'=web()", "web", "15", "0.75"]]
    assert exported(TOY, draft, "toy.yaml").text == "s: 7\n"
    with pytest.raises(NoSuchFile, match=r"plan\.json"):
        exported(TOY, draft, "../plan.json")


def test_the_pages_say_it_and_escape_names() -> None:
    han = client("han")
    overview = han.get("/plans/").content.decode()
    assert "Toy" in overview
    assert "20.00 CNY" in overview
    assert "3 days are known" in overview
    page = han.get("/plans/pools/", {"subject": "a"}).content.decode()
    assert "Keep &lt;b&gt;3&lt;/b&gt; nodes standing" in page
    assert "10.0 % of 200.00 at effective prices" in page
    assert "1 check holds" in page
    assert "2.0 % away from the best" in page
    tried = han.get("/plans/pools/", {"subject": "a", "part": "50"}).content.decode()
    assert "tried out: not the plan in force" in tried
    assert "100.00" in tried
    assert "3 days are known" in han.get("/plans/pools/", {"subject": "b"}).content.decode()
    assert han.get("/plans/pools/", {"subject": "a", "part": "500"}).status_code == 400
    assert han.get("/plans/pools/", {"subject": "none"}).status_code == 404
    assert han.get("/plans/fortune/").status_code == 404


def test_figures_and_files_of_the_page() -> None:
    han, lead = client("han"), client("web-lead")
    assert han.get("/figures/plans/pools/line/", {"subject": "a", "part": "50"}).json()["data"][0]["y"] == [1, 100]
    assert han.get("/figures/plans/pools/other/").status_code == 404
    got = han.get("/plans/pools/files/toy.yaml/", {"subject": "a"})
    assert (got.content, got["Content-Disposition"]) == (b"s: 7\n", 'attachment; filename="pools-toy.yaml"')
    assert han.get("/plans/pools/files/none.csv/").status_code == 404
    assert lead.get("/plans/pools/files/plan.json/").status_code == 404
    assert "data" not in lead.get("/plans/pools/files/parts.csv/").content.decode().replace("data:", "")
    assert lead.get("/figures/plans/pools/line/").status_code == 404


def test_settings_are_chosen_on_the_page() -> None:
    posted = {"subject": "a", "part": "50"}
    refused = client("web-lead").post("/plans/pools/?subject=a", posted)
    assert refused.status_code == 403
    assert "Finance chooses" in refused.content.decode()
    assert client("han").post("/plans/pools/?subject=a", posted | {"part": "500"}).status_code == 400
    done = client("han").post("/plans/pools/", posted, follow=True)
    assert "From the next fill on this is the plan in force" in done.content.decode()
    assert ChosenSettings.objects.get().settings == {"part": 50.0}


def test_the_api_tells_plans_whole_by_settings_and_as_files() -> None:
    han: Client = client("han")
    listed = han.get("/api/v1/plans/").json()
    assert listed["totals"] == {"CNY": "20.000000000000"}
    assert [(one["subject"], one["withheld"], one["is_verified"]) for one in listed["rows"]] == [
        ("a", "", True), ("b", "3 days are known", False)
    ]  # fmt: skip
    whole = han.get("/api/v1/plans/pools/", {"subject": "a", "settings": "part=50"}).json()
    assert (whole["saving_per_month"], whole["is_tried"], whole["settings"]) == (
        "100.000000000000",
        True,
        {"part": 50.0},
    )
    assert whole["tables"]["sums"] == [["name", "saving"], ["all", "100.00"]]
    assert han.get(whole["files"][1]).content.decode().startswith("name,team,saving,share")
    assert han.get("/api/v1/plans/pools/", {"settings": "part"}).json()["parameter"] == "settings"
    assert han.get("/api/v1/plans/pools/", {"settings": "part=5000"}).json()["code"] == "bad_settings"
    assert han.get("/api/v1/plans/fortune/").json()["code"] == "no_such_planner"
    assert han.get("/api/v1/plans/pools/files/x.csv/").json()["code"] == "no_such_file"
    lead = client("web-lead")
    assert lead.get("/api/v1/plans/").json()["totals"] == {"CNY": "15.000000000000"}
    assert lead.get("/api/v1/plans/pools/files/plan.json/").status_code == 404
