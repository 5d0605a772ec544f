"""The pages of what is idle: money, evidence, decisions, and of one's own teams only."""

import pytest

from apps.insights.models import IdleExclusion, IdleFinding
from apps.teams.models import Membership, Team
from tests.insights import idle_world


@pytest.fixture
def idle(people):
    """Lilei belongs to the team `live` of the small company too."""
    idle_world.find()
    Membership.objects.create(user=people["lilei"], team=Team.objects.create(name="live", title="Live"))


def identity(kind: str, subject: str) -> str:
    found = IdleFinding.objects.filter(kind=kind, subject=subject).first()
    assert found is not None
    return found.identity


def test_before_the_first_search_the_page_says_when_there_is_one(published, client_of):
    assert "Nothing was looked at yet" in client_of("staff").get("/idle/").content.decode()


def test_the_list_shows_money_evidence_and_what_would_be_lost(idle, client_of):
    body = client_of("staff").get("/idle/?kind=address").content.decode()

    assert 'title="14.600000000000"' in body  # 28 days of 0.48, as a month
    assert "The bill charges no traffic for it" in body
    assert "another one would be given later" in body
    assert "online/sandbox" not in body


def test_of_a_question_no_money_is_promised_but_it_can_be_asked_for(idle, client_of):
    staff = client_of("staff")

    assert "rm-orders" not in staff.get("/idle/").content.decode()
    assert "rm-orders" in staff.get("/idle/?verdict=unknown").content.decode()


@pytest.mark.parametrize("asked", ["kind=teapot", "verdict=guilty"])
def test_a_filter_that_is_none_is_refused(idle, client_of, asked):
    assert client_of("staff").get(f"/idle/?{asked}").status_code == 400


def test_a_lead_sees_the_own_part_of_a_namespace_and_decides_about_it_alone(idle, client_of):
    lead = client_of("lilei")
    body = lead.get("/idle/").content.decode()
    assert "online/sandbox" in body
    assert "i-stopped" not in body
    one = identity("namespace", "online/sandbox")

    refused = lead.post("/idle/", {"pick": f"{one} search", "action": "keep", "reason": "mine"})
    assert refused.status_code == 400  # not seen, so not chosen
    kept = lead.post("/idle/", {"pick": f"{one} live", "action": "keep", "reason": "a workshop"})
    assert kept.status_code == 302
    (made,) = IdleExclusion.objects.all()
    assert (made.decision, made.pattern, made.team, made.by) == ("keep", "online/sandbox", "live", "lilei")
    assert "online/sandbox" not in lead.get("/idle/").content.decode()
    assert "a workshop" in lead.get("/idle/?verdict=keep").content.decode()


def test_several_are_excluded_together_and_taken_back(idle, client_of):
    staff = client_of("staff")
    picks = [f"{identity('address', 'eip-lone')} live", f"{identity('disk', 'd-orphan')} live"]

    refused = staff.post("/idle/", {"pick": picks, "action": "exclude", "reason": ""})
    assert refused.status_code == 400
    assert "say why" in refused.content.decode()
    assert refused.content.decode().count("checked") == 2  # what was chosen stays so
    asked = {"pick": picks, "action": "exclude", "reason": "moving", "until": "2999-01-01"}
    assert staff.post("/idle/?verdict=open", asked).headers["Location"] == "/idle/?verdict=open"
    assert IdleExclusion.objects.filter(decision="exclude").count() == 2
    staff.post("/idle/", {"pick": picks, "action": "undo"})
    assert IdleExclusion.objects.filter(decision="undo").count() == 2


def test_a_day_that_is_none_is_said_on_the_page(idle, client_of):
    asked = {"pick": f"{identity('disk', 'd-orphan')} live", "action": "keep", "reason": "x", "until": "soon"}
    answer = client_of("staff").post("/idle/", asked)
    assert (answer.status_code, "is no date" in answer.content.decode()) == (400, True)


def test_the_detail_tells_all_teams_parts_to_who_sees_them(idle, client_of):
    one = identity("namespace", "online/sandbox")
    whole = client_of("staff").get(f"/idle/{one}/").content.decode()
    mine = client_of("lilei").get(f"/idle/{one}/").content.decode()

    assert whole.count('class="figure-number"') == 2
    assert mine.count('class="figure-number"') == 1
    assert "Never active in the 40 days that are known" in mine
    assert client_of("lilei").get(f"/idle/{identity('instance', 'i-stopped')}/").status_code == 404
    assert client_of("staff").post(f"/idle/{one}/", {"action": "keep", "reason": "x"}).status_code == 400


def test_the_figures_are_the_signals_by_day_and_the_week_with_its_schedule(idle, client_of):
    staff, one = client_of("staff"), identity("schedule", "online/office/desk")
    cpu, floor = staff.get(f"/figures/idle/{one}/activity/").json()["data"]
    heat, marks = staff.get(f"/figures/idle/{one}/week/").json()["data"]

    assert (len(cpu["x"]), cpu["x"][-1], cpu["text"][-1]) == (40, "2026-10-20", "40 %")
    assert floor["y"] == [1, 1]
    assert heat["z"][0][9:18] == [100.0] * 9
    assert len(marks["x"]) == 123
    assert "Mon 18:00 – Tue 09:00" in staff.get(f"/idle/{one}/").content.decode()
    assert staff.get(f"/figures/idle/{one}/nothing/").status_code == 404


def test_the_page_speaks_chinese(idle, client_of):
    body = client_of("staff").get("/idle/", headers={"accept-language": "zh-hans"}).content.decode()

    assert "付费却未使用" in body
    assert "在已知的 40 天内从未活动" in body
    assert "工作负载 2 个" in body
