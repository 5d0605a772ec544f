"""The pages of the savings ledger: what somebody sees of it, the form that writes one, and steps with one."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.learning.effects.study import TooShort
from apps.operations.models import Recommendation
from apps.savings.models import Initiative, InitiativeStep, Measurement
from apps.savings.services import STATED_BLIND
from tests.operations.worlds import a_finding, recommend
from tests.savings.ledgers import NOW, START

FORM = {
    "name": "Compress <b>recordings</b>", "hypothesis": "Half the bytes.", "team": "live-class",
    "scope": "team=live-class", "currency": "CNY", "promised_per_month": "1234.5", "start": "2026-11-09",
    "transition_days": "0", "window_days": "28", "drivers": "", "controls": "", "recommendations": "",
}  # fmt: skip
DAYS = [[f"{START + timedelta(days=number)}", 70.0, 100.0, 95.0, 105.0] for number in range(28)]


@pytest.fixture
def verified(published) -> Initiative:
    """840 CNY in four weeks: 912.50 a month."""
    one = Initiative.objects.create(
        name="Compress", hypothesis="Half the bytes.", team="live-class", scope={"team": ["live-class"]},
        currency="CNY", promised_text="900", start=START, state="verified", created_at=NOW, stated_at=NOW, stated_in=1,
        controls=[{"team": ["search"], "service": ["ECS"]}],
    )  # fmt: skip
    method = {"name": "structural", "saving": 840.0, "weight": 1.0, "error": 4.31}
    content = {"days": DAYS, "before": [["2026-09-06", 100.0]], "months": [["2026-09-01", 720.0, 700.0, 740.0]],
               "methods": [method], "says": [], "reasons": ["few_placebos"]}  # fmt: skip
    Measurement.objects.create(
        initiative=one, publication=1, at=NOW, start=START, end=START + timedelta(days=28), is_final=True,
        verdict="saved", grade="C", saving_text="840", lower_text="800", upper_text="880", inputs="x", content=content,
    )  # fmt: skip
    return one


def body(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_anything_is_stated_the_page_says_so(published, client_of):
    assert "No initiative yet" in body(client_of("lilei"), "/savings/")


def test_a_verified_saving_is_told_with_its_bounds_methods_and_reasons(verified, client_of):
    told = body(client_of("finance"), f"/savings/{verified.pk}/")

    for words in ("912.50", "869.05", "955.95", "saving verified", "grade C", "Structural time series", "4.3 %",
                  "fewer than six placebos", "Service ECS · Team Homework search", "2026-09"):  # fmt: skip
        assert words in told
    assert "912.50" in body(client_of("finance"), "/savings/")


def test_a_lead_sees_the_own_and_never_what_it_is_compared_with(verified, client_of):
    told = body(client_of("lilei"), f"/savings/{verified.pk}/")

    assert "912.50" in told
    assert "search" not in re.sub("(?s)^.*<main|</main>.*$", "", told)  # the box to search in stands above
    Initiative.objects.filter(pk=verified.pk).update(scope={"cluster": ["online"]})
    assert "912.50" in body(client_of("lilei"), f"/savings/{verified.pk}/")
    assert client_of("lilei").get(f"/figures/savings/{verified.pk}/").status_code == 404  # others' cost is in it
    assert client_of("finance").get(f"/figures/savings/{verified.pk}/").status_code == 200
    Initiative.objects.filter(pk=verified.pk).update(team="search")
    assert client_of("lilei").get(f"/savings/{verified.pk}/").status_code == 404
    assert client_of("lilei").get(f"/figures/savings/{verified.pk}/").status_code == 404
    assert "Compress" not in body(client_of("lilei"), "/savings/")


def test_nor_in_the_form_of_a_draft_whose_controls_stay_when_it_is_saved(verified, client_of):
    for state in ("verified", "draft"):
        Initiative.objects.filter(pk=verified.pk).update(state=state)
        form = body(client_of("lilei"), f"/savings/{verified.pk}/draft/")
        assert "search" not in re.search('(?s)<textarea name="controls".*?</textarea>', form)[0]
        assert "team=search" in body(client_of("finance"), f"/savings/{verified.pk}/draft/")
    own = FORM | {"controls": "team=live-class; service=OSS"}
    assert client_of("lilei").post(f"/savings/{verified.pk}/draft/", own).status_code == 302
    verified.refresh_from_db()
    assert [one["team"] for one in verified.controls] == [["live-class"], ["search"]]


def test_of_recommendations_the_form_names_the_own_and_the_others_stay_when_it_is_saved(verified, client_of):
    recommend(a_finding("mine", team="live-class"), a_finding("others", team="search"))
    mine, others = Recommendation.objects.order_by("pk")
    verified.recommendations.add(mine, others)
    Initiative.objects.filter(pk=verified.pk).update(state="draft")
    lilei, address = client_of("lilei"), f"/savings/{verified.pk}/draft/"

    (field,) = re.findall('<input[^>]*name="recommendations"[^>]*>', body(lilei, address))
    assert f'value="{mine.pk}"' in field
    assert lilei.post(address, FORM).status_code == 302
    assert list(verified.recommendations.all()) == [others]


def test_the_figures_hold_what_was_and_what_would_have_been(verified, client_of):
    figure = client_of("lilei").get(f"/figures/savings/{verified.pk}/").json()
    actual = figure["data"][-1]

    assert (actual["x"][0], actual["y"][0], actual["y"][-1]) == ("2026-09-06", 100.0, 70.0)
    way = client_of("finance").get("/figures/savings/?currency=CNY").json()
    assert way["data"][1]["y"] == [900.0, 900.0, 900.0, 912.5]
    assert client_of("finance").get("/figures/savings/?currency=USD").status_code == 404


def test_a_lead_writes_states_and_reverts_one(published, client_of):
    lilei = client_of("lilei")

    written = lilei.post("/savings/new/", FORM)
    one = Initiative.objects.get()
    assert (written.status_code, written.headers["Location"]) == (302, f"/savings/{one.pk}/")
    assert "&lt;b&gt;recordings" in body(lilei, f"/savings/{one.pk}/")
    assert lilei.post(f"/savings/{one.pk}/draft/", FORM | {"start": "2026-11-16"}).status_code == 302
    assert lilei.post(f"/savings/{one.pk}/", {"action": "state"}).status_code == 302
    one.refresh_from_db()
    assert (one.state, one.start, one.promised) == ("stated", date(2026, 11, 16), Decimal("1234.5"))
    refused = lilei.post(f"/savings/{one.pk}/draft/", FORM)
    assert (refused.status_code, "stays" in refused.content.decode()) == (409, True)
    assert lilei.post(f"/savings/{one.pk}/", {"action": "revert"}).status_code == 400
    assert lilei.post(f"/savings/{one.pk}/", {"action": "revert", "why": "it slowed"}).status_code == 302
    one.refresh_from_db()
    assert one.state == "reverted"


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        pytest.param({"promised_per_month": "much"}, 400, "is no amount", id="no amount"),
        pytest.param({"scope": "colour=red"}, 400, "is not one of", id="no dimension"),
        pytest.param({"team": "search"}, 403, "for its members", id="another team's"),
        pytest.param({"scope": "service=OSS"}, 403, "name a team of yours", id="everybody's cost"),
        pytest.param(
            {"controls": "team=search"}, 403, "there is none”: name a team of yours", id="compared with others' cost"
        ),
        pytest.param(
            {"controls": "service=OSS"}, 403, "there is none”: name a team of yours", id="and with everybody's"
        ),
        pytest.param({"team": "live-class", "start": ""}, 400, "is no day", id="no start"),
    ],
)
def test_what_is_refused_is_said_on_the_form_and_kept_in_its_fields(published, client_of, more, status, said):
    answer = client_of("lilei").post("/savings/new/", FORM | more)

    assert answer.status_code == status
    assert said in answer.content.decode()
    assert "Half the bytes." in answer.content.decode()
    assert not Initiative.objects.exists()


def test_a_recommendation_fills_the_form_that_carries_it_out(published, client_of):
    recommend(a_finding("vm", team="live-class", scope={"team": "live-class", "resource": "i-1"}))
    one = Recommendation.objects.get()

    told = body(client_of("lilei"), f"/savings/new/?recommendation={one.pk}")

    for words in ("Delete vm", "resource=i-1", "100.000000000001", f'value="{one.pk}"'):
        assert words in told
    assert f"/savings/new/?recommendation={one.pk}" in body(client_of("lilei"), f"/recommendations/{one.pk}/")
    assert client_of("lilei").get("/savings/new/?recommendation=999").status_code == 404


def test_of_what_it_carries_out_a_lead_is_told_the_own(verified, client_of):
    recommend(a_finding("vm", team="live-class"), a_finding("quiet-disk", team="search"))
    verified.recommendations.set(Recommendation.objects.all())

    assert "Delete quiet-disk" in body(client_of("finance"), f"/savings/{verified.pk}/")
    told = body(client_of("lilei"), f"/savings/{verified.pk}/")
    assert ("Delete vm" in told, "quiet-disk" in told) == (True, False)


def test_what_is_measured_beside_the_money_is_kept_on_the_page(verified, client_of):
    lilei, address = client_of("lilei"), f"/savings/{verified.pk}/"

    for day, value in ((START - timedelta(days=1), "120"), (START, "90")):
        told = {"action": "measure", "name": "lead time", "value": value, "unit": "h", "day": f"{day}"}
        assert lilei.post(address, told).status_code == 302

    assert "lead time" in body(lilei, address)
    assert "25.0" in body(lilei, address)
    refused = lilei.post(address, {"action": "measure", "name": "lead time", "value": "fast"})
    assert (refused.status_code, "is no number" in refused.content.decode()) == (400, True)


def test_why_nothing_can_be_told_and_which_cost_it_is_about_are_told_in_chinese(verified, client_of):
    Initiative.objects.filter(pk=verified.pk).update(scope={"cluster": ["online"], "namespace": ["search"]})
    why = str(TooShort(28, 3, "before the start"))
    InitiativeStep.objects.create(
        initiative=verified, at=NOW, by="lilei", action="state", to_state="stated", why=STATED_BLIND,
        values={"controls": "0", "percent": "", "why": why},
    )  # fmt: skip
    told = client_of("staff").get(f"/savings/{verified.pk}/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "测量效果需要开始前有 28 天的已知成本；现有 3 天" in told
    assert "an effect needs" not in told
    assert "集群 online · 命名空间 search" in told
