"""Rules and the worklist by pages and by the API: who sees what, who may do what, and the same numbers everywhere."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client

from apps.allocation.services import allocate
from apps.dashboards.evidence import SENTENCES
from apps.dashboards.rules import DONE, STATES, written
from apps.dashboards.worklist import CONFIDENCE, KINDS
from apps.finops.tables import CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.insights import evidence, subjects
from apps.insights.worklist import worklist
from apps.marts.services import publish
from apps.teams.approval import WHO_HAS_RULES
from apps.teams.dating import parse_change
from apps.teams.models import Membership, RuleCount, RuleDraft, RuleSet, Team
from tests.allocation.worlds import DAY, NOW, charge, import_rules, put, put_usage
from tests.once import made_once, put_in_home

pytestmark = pytest.mark.django_db

RULES = """
rules:
  - {name: logs, when: {service: Log}, team: data}
  - {name: site, when: {service: Site}, team: web}
  - {name: halves, when: {service: Half}, split: {web: 50, data: 50}}
"""
DATA, WEB, HALF = "10.123400000001", "3.314100000002", "8.888800000004"
"""Amounts by which it shows who sees whose cost."""
MAIL = "valid_from: 2026-10-01\nadd: [{name: mail, when: {service: Mail}, team: ops}]"
PEOPLE = {"wei": "web", "ola": "ops", "dan": "data", "newcomer": None, "carla": None, "olaf": None, "staff": None}


def make() -> None:
    """Charges of Log, Site and Half have owners; Mail (tagged `ops`) and Queue have none; people of all sorts."""
    Team.objects.bulk_create(Team(name=name, title=name.upper()) for name in ("web", "data", "ops"))
    amounts = {"Log": DATA, "Site": WEB, "Half": HALF, "Queue": "5"}
    put(
        CHARGES,
        [charge(amount, name.lower(), ServiceName=name) for name, amount in amounts.items()]
        + [charge("7", "m", ServiceName="Mail", Tags='{"team":"ops"}')],
    )
    put_usage()
    import_rules(RULES)
    fill()
    finance = Group.objects.create(name="finance")
    for name, team in PEOPLE.items():
        user = User.objects.create_user(name, is_staff=name == "staff")
        if team:
            Membership.objects.create(user=user, team=Team.objects.get(name=team))
        if name in ("carla", "olaf"):
            user.groups.add(finance)


@pytest.fixture(scope="module")
def lake_of_world(django_db_setup, django_db_blocker, tmp_path_factory):
    with made_once(django_db_blocker, tmp_path_factory.mktemp("made") / "lake", make) as lake:
        yield lake


@pytest.fixture
def clients(lake_of_world, home, settings) -> dict[str, Client]:
    """The people of `make`, signed in, where it was made."""
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 0
    put_in_home(lake_of_world)
    cache.clear()
    found = {name: Client() for name in PEOPLE}
    for name, client in found.items():
        client.force_login(User.objects.get(username=name))
    return found


def fill() -> None:
    cache.clear()
    allocate(Window(DAY, DAY + ONE_DAY))
    publish(None, now=NOW)


def drafted(client: Client, text: str = MAIL) -> str:
    """Bring a draft over the API; its address."""
    answer = client.post("/api/v1/rule-drafts/", text, content_type="application/yaml")
    assert answer.status_code == 201, answer.content
    return f"/api/v1/rule-drafts/{answer.json()['number']}/"


def test_who_may_see_rules_drafts_and_the_worklist(clients):
    address = drafted(clients["wei"])
    page = f"/rules/drafts/{RuleDraft.objects.get().pk}/"
    who = ("newcomer", "dan", "wei", "ola", "carla", "staff")
    expected = {
        "/rules/": (403, 200, 200, 200, 200, 200),
        page: (403, 404, 200, 200, 200, 200),
        "/rules/drafts/999999999999999999999/": (403, 404, 404, 404, 404, 404),
        "/worklist/": (403, 403, 403, 403, 200, 200),
        "/api/v1/rules/": (200, 200, 200, 200, 200, 200),
        "/api/v1/rule-drafts/": (200, 200, 200, 200, 200, 200),
        address: (404, 404, 200, 200, 200, 200),
        "/api/v1/worklist/": (403, 403, 403, 403, 200, 200),
    }
    found = {one: tuple(clients[name].get(one).status_code for name in who) for one in expected}
    assert found == expected


def test_a_long_worklist_comes_in_pages_below_the_sums_of_all(clients, monkeypatch):
    monkeypatch.setattr("apps.dashboards.paging.MOST", 1)
    first, last = (clients["carla"].get(f"/worklist/?a=b{page}").content.decode() for page in ("", "&page=2"))
    mail, queue = (dict.fromkeys(SUBJECT.findall(body)) for body in (first, last))
    assert len(mail) == len(queue) == 1
    assert mail != queue
    assert all('title="12.000000000000"' in body for body in (first, last))
    assert 'rel="next" href="?a=b&amp;page=2"' in first
    assert "Page 2 of 2" in last


def test_whoever_sets_something_aside_stays_on_the_page_and_finds_it_below(clients, monkeypatch):
    monkeypatch.setattr("apps.dashboards.paging.MOST", 1)
    carla = clients["carla"]
    for page in ("?page=2", "?page=1"):
        subject = SUBJECT.findall(carla.get(f"/worklist/{page}").content.decode())[0]
        answer = carla.post(f"/worklist/{page}", {"action": "dismiss", "subject": subject, "reason": "known"})
        assert answer.headers["location"] == f"/worklist/{page}"
    asides = [carla.get(f"/worklist/{page}").content.decode() for page in ("", "?aside=2")]
    assert [len(SUBJECT.findall(body)) for body in asides] == [1, 1]
    assert SUBJECT.findall(asides[0]) != SUBJECT.findall(asides[1])
    assert all('title="12.000000000000"' in body for body in asides)


def test_nobody_sees_the_cost_of_others(clients):
    address = drafted(clients["wei"], MAIL.replace("Mail", "'*'") + "\nend: [logs]")
    page = f"/rules/drafts/{RuleDraft.objects.get().pk}/"
    for name, foreign in (("wei", (DATA, HALF)), ("ola", (DATA, WEB, HALF)), ("newcomer", (DATA, WEB, HALF))):
        for one in ("/rules/", "/api/v1/rules/", "/api/v1/rules/?format=csv", page, address, "/api/v1/rule-drafts/"):
            body = clients[name].get(one).content.decode()
            assert [amount for amount in foreign if amount in body] == [], (name, one)
    assert all(amount in clients["carla"].get("/rules/").content.decode() for amount in (DATA, WEB, HALF))
    rows = clients["wei"].get("/api/v1/rules/").json()["rows"]
    assert [(row["rule"], row["cost"], row["decided"]) for row in rows] == [("site", WEB, 1), ("halves", None, 1)]


SUBJECT = re.compile(r'name="subject" value="([^"]+)"')
PROBE = "add: [{name: probe, when: {service: [%s]}, team: ops, priority: 1}]"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param(PROBE % "Log", ["ops"], id="taken by a rule"),
        pytest.param(PROBE % "Log, Queue", ["ops"], id="taken by a rule, with what nobody owns"),
        pytest.param("add: [{name: p, when: {service: None}, team: ops}]\nend: [logs]", [], id="left to nobody"),
    ],
)
def test_a_draft_tells_no_cost_of_those_it_takes_from_until_they_agree(clients, text, seen):
    oleg = User.objects.create_user("oleg")
    Membership.objects.create(user=oleg, team=Team.objects.get(name="ops"))
    clients["oleg"] = Client()
    clients["oleg"].force_login(oleg)
    address = drafted(clients["ola"], f"valid_from: 2026-10-01\n{text}")
    page = f"/rules/drafts/{RuleDraft.objects.get().pk}/"
    for name in ("ola", "oleg"):
        told = clients[name].get(address).json()
        assert (told["is_withheld"], told["moves"]) == (True, [])
        assert "unallocated" not in "".join(step["outcome"] for step in told["trail"])
        assert "It takes cost from other teams" in clients[name].get(page).content.decode()
        assert "10.12" not in clients[name].get(page).content.decode() + str(told)
    assert "data" in told["needed"].split(",")
    clients["oleg"].post(f"{address}approve/")
    assert clients["ola"].post(f"{address}publish/").status_code == 409
    assert [row["team"] for row in clients["dan"].get(address).json()["moves"]] == ["data"]
    assert clients["dan"].post(f"{address}approve/").status_code == 200
    told = clients["ola"].get(address).json()
    assert (told["is_withheld"], [row["team"] for row in told["moves"]]) == (False, seen)


@pytest.mark.parametrize(
    ("language", "who"),
    [("en", f"whoever may change the rules of every team ({WHO_HAS_RULES})"), ("zh-hans", "财务、成本运营或超级用户")],
)
def test_a_draft_tells_who_else_may_approve_it(clients, language, who):
    drafted(clients["ola"], f"valid_from: 2026-10-01\n{PROBE % 'Log'}")
    page = clients["ola"].get(f"/rules/drafts/{RuleDraft.objects.get().pk}/", headers={"accept-language": language})
    assert page.content.decode().count(who) == 2, "to be approved by, and why it does not tell all"


OF_CLUSTERS = """
clusters:
  - {name: fee, when: {service: Queue}, cluster: online, valid_from: 2026-10-01}
  - {name: nat, when: {service: NAT}, cluster: online, by: internet}
"""


def test_rules_of_clusters_are_told_to_who_sees_all_teams(clients):
    import_rules(RULES + OF_CLUSTERS)
    fill()
    for name, expected in (("carla", [("fee", "5.000000000000", 1), ("nat", None, 0)]), ("wei", []), ("newcomer", [])):
        rows = clients[name].get("/api/v1/rules/").json()["rows"]
        assert [(row["rule"], row["cost"], row["decided"]) for row in rows if row["cluster"]] == expected
    page = clients["carla"].get("/rules/").content.decode()
    assert "all teams on online" in page
    assert "teams on online, by GiB sent to the internet" in page
    assert "Rules of clusters come last here" in page
    assert "before fee" not in page  # a draft stands beside other rules only
    assert "Rules of clusters" not in clients["wei"].get("/rules/").content.decode()


def test_rules_of_clusters_that_were_not_counted_are_told_as_such(clients):
    """What an older version counted of a ruleset has no rows of them."""
    import_rules(RULES + OF_CLUSTERS)
    fill()
    clients["carla"].get("/api/v1/rules/")
    kept = RuleCount.objects.get()
    RuleCount.objects.filter(pk=kept.pk).update(rows=kept.rows[:3])
    rows = clients["carla"].get("/api/v1/rules/").json()["rows"]
    assert [(row["rule"], row["decided"]) for row in rows] == [
        ("logs", 1), ("site", 1), ("halves", 1), ("fee", None), ("nat", None),
    ]  # fmt: skip


def test_a_rule_goes_from_the_form_into_force(clients):
    form = {
        "name": "mail", "field": "tag", "key": "team", "pattern": "ops\r\n\r\nmailers", "team": "ops",
        "valid_from": "2026-10-01", "before": "site", "reason": "theirs",
    }  # fmt: skip
    answer = clients["carla"].post("/rules/", form)
    number = RuleDraft.objects.get().pk
    page = f"/rules/drafts/{number}/"
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    seen = clients["ola"].get(page).content.decode()
    assert 'title="7.000000000000">+7.00' in seen
    assert "Approve</button>" in seen
    assert "Approve</button>" not in clients["wei"].get("/rules/").content.decode()
    own = clients["carla"].post(page, {"action": "approve"})
    assert (own.status_code, "a draft of their own" in own.content.decode()) == (403, True)
    early = clients["ola"].post(page, {"action": "publish"})
    assert (early.status_code, "one that is approved" in early.content.decode()) == (409, True)
    assert clients["ola"].post(page, {"action": "reject"}).status_code == 409  # without a reason
    assert clients["ola"].post(page, {"action": "approve"}).headers["Location"] == page
    assert clients["carla"].post(page, {"action": "publish"}).status_code == 302
    rules = RuleSet.objects.get(number=2).document["rules"]
    assert [rule["name"] for rule in rules] == ["logs", "mail", "site", "halves"]
    assert "In force as rules 2" in clients["ola"].get(page).content.decode()
    assert clients["ola"].post(page, {"action": "dance"}).status_code == 409


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("add: [", "draft line 1: this is not YAML", id="not YAML"),
        pytest.param(MAIL.replace("ops}", "sales}"), "line 2: team &#x27;sales&#x27; is not among", id="no such team"),
        pytest.param("x" * 100_001, "more than 100,000 characters", id="too long"),
    ],
)
def test_a_bad_draft_is_refused_and_not_lost(clients, text, message):
    answer = clients["wei"].post("/rules/", {"text": text})
    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert text[:50] in answer.content.decode()
    refused = clients["wei"].post("/api/v1/rule-drafts/", text, content_type="application/yaml")
    assert (refused.status_code, refused.json()["code"]) == (400, "refused")
    assert RuleDraft.objects.count() == 0


def test_a_draft_by_the_api(clients):
    address = drafted(clients["wei"])
    draft = clients["carla"].get(address).json()
    assert (draft["state"], draft["needed"], draft["start"], draft["end"]) == (
        "simulated",
        "ops",
        "2026-10-01",
        "2026-10-02",
    )
    assert [(row["team"], row["change"]) for row in draft["moves"] if row["change"] != "0.000000000000"] == [
        ("ops", "7.000000000000"), ("unallocated", "-7.000000000000"),
    ]  # fmt: skip
    steps = [
        ("wei", "approve", 403, "not_yours"), ("dan", "approve", 404, "not_found"), ("ola", "publish", 409, "not_now"),
        ("ola", "approve", 200, ""), ("ola", "dance", 404, "not_found"), ("wei", "publish", 200, ""),
        ("wei", "withdraw", 409, "not_now"),
    ]  # fmt: skip
    for name, action, status, code in steps:
        answer = clients[name].post(f"{address}{action}/?reason=x")
        body = answer.json()
        assert (name, action, answer.status_code, body.get("code", "")) == (name, action, status, code)
    assert [step["action"] for step in clients["ola"].get(address).json()["trail"]] == [
        "drafted", "simulated", "approved", "published",
    ]  # fmt: skip
    assert [row["ruleset"] for row in clients["ola"].get("/api/v1/rule-drafts/?state=published").json()["rows"]] == [2]
    assert clients["newcomer"].post("/api/v1/rule-drafts/", MAIL, content_type="application/yaml").status_code == 403
    assert clients["carla"].post("/api/v1/rule-drafts/", b"\xff", content_type="application/yaml").status_code == 400


def items(client: Client, query: str = "") -> dict[str, dict]:
    return {row["subject"]: row for row in client.get(f"/api/v1/worklist/{query}").json()["rows"]}


def test_unallocated_cost_finds_its_owner_by_one_click(clients):
    page = clients["carla"].get("/worklist/").content.decode()
    assert "Tag team=ops on 7.00 of 7.00 CNY equals the name of OPS" in page
    assert 'title="12.000000000000"' in page
    whole = " ".join(page.split())
    assert whole.count('<option value="">Choose a team</option>') == whole.count("Nothing speaks for a team.") == 1
    assert whole.count("Decide …") == 1
    item = items(clients["carla"])["team=ops"]
    assert (item["cost"], item["team"], item["confidence"]) == ("7.000000000000", "ops", "high")
    done = clients["carla"].post("/worklist/", {"action": "accept", "subject": item["id"], "currency": "CNY"})
    draft = RuleDraft.objects.get()
    assert (done.headers["Location"], draft.state) == (f"/rules/drafts/{draft.pk}/", "published")
    assert items(clients["carla"])["team=ops"]["draft_state"] == "published"
    fill()
    assert set(items(clients["carla"])) == {"Queue · 100"}
    gone = clients["carla"].post(f"/api/v1/worklist/{item['id']}/accept/")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_on_the_list")


def test_who_may_not_approve_leaves_a_draft_on_the_worklist(clients):
    item = items(clients["carla"])["team=ops"]
    assert clients["ola"].post("/worklist/", {"action": "accept", "subject": item["id"]}).status_code == 403
    other = clients["carla"].post(f"/api/v1/worklist/{item['id']}/accept/?team=web&valid_from=2026-10-01")
    assert (other.status_code, other.json()["draft_state"]) == (200, "simulated")
    assert clients["carla"].post(f"/api/v1/worklist/{item['id']}/accept/").status_code == 400  # one draft is enough


def test_what_is_set_aside_keeps_its_reason(clients):
    item = items(clients["carla"])["Queue · 100"]
    assert clients["carla"].post("/worklist/", {"action": "dismiss", "subject": item["id"]}).status_code == 409
    assert clients["carla"].post("/worklist/", {"action": "accept", "subject": item["id"]}).status_code == 409
    reason = {"action": "dismiss", "subject": item["id"], "reason": "a test"}
    assert clients["ola"].post("/worklist/", reason).status_code == 403
    assert clients["carla"].post("/worklist/", reason).status_code == 302
    assert set(items(clients["carla"])) == {"team=ops"}
    assert items(clients["carla"], "?dismissed=true")["Queue · 100"]["dismissed_because"] == "a test"
    assert "a test" in clients["carla"].get("/worklist/").content.decode()
    assert clients["carla"].post(f"/api/v1/worklist/{item['id']}/restore/").status_code == 200
    assert set(items(clients["carla"])) == {"team=ops", "Queue · 100"}
    assert clients["carla"].post("/api/v1/worklist/none/dance/").status_code == 404
    assert clients["carla"].get("/api/v1/worklist/?start=2026-10-02").status_code == 400
    assert (
        clients["carla"]
        .post("/worklist/", {"action": "accept", "subject": item["id"], "valid_from": "soon"})
        .status_code
        == 400
    )


def test_forms_need_a_token_against_forgery(clients):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="carla"))
    assert [strict.post(one, {}).status_code for one in ("/rules/", "/worklist/")] == [403, 403]


# --- Words ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "known"),
    [
        pytest.param(lambda: set(evidence.TEXTS), lambda: set(SENTENCES), id="sentences of evidence"),
        pytest.param(lambda: {str(state.value) for state in RuleDraft.State}, lambda: set(STATES), id="states"),
        pytest.param(lambda: {*STATES, "accepted", "not simulated", "cut short"}, lambda: set(DONE), id="actions"),
        pytest.param(
            lambda: {*subjects.FIELDS, subjects.PLATFORM, subjects.UNCLAIMED}, lambda: set(KINDS), id="subjects"
        ),
        pytest.param(lambda: {"high", "medium", "low", "none"}, lambda: set(CONFIDENCE), id="confidence"),
    ],
)
def test_every_word_is_known_to_the_pages(said: Callable[[], set[str]], known: Callable[[], set[str]]):
    assert said() == known()


def test_the_form_writes_what_is_meant():
    form = {"name": "a: b", "field": "service", "key": "x", "pattern": "re:L.*\nMail", "team": "ops",
            "valid_from": "2026-10-01"}  # fmt: skip
    change = parse_change(written(form), ["ops"])
    assert change.valid_from == date(2026, 10, 1)
    (rule,) = change.rules
    assert (rule.name, rule.when[0].field, rule.when[0].patterns) == ("a: b", "service", ("re:L.*", "Mail"))


def test_the_worklist_speaks_chinese(clients):
    page = clients["carla"].get("/worklist/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "7.00 CNY 中有 7.00 带云标签 team=ops，等于 OPS 的名称" in page
    assert worklist().items[0].evidence[0].sentence.startswith("Tag team=ops")
