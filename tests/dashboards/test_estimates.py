"""Days on pages: how final they are, what is estimated of those without a bill, and how good that was."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.books.statuses import Statuses
from apps.charts.figures import with_shades
from apps.dashboards.day_news import sentence
from apps.marts.selectors import publication
from apps.teams.models import Membership, Team
from apps.teams.organising import keep_tree
from apps.teams.tree import Place, Tree, Unit
from tests.estimates.worlds import FRIDAY, SATURDAY, bill_of_waiting_days, charges, publish_all

pytestmark = pytest.mark.usefixtures("home", "db")


def told(**statuses: str) -> Statuses:
    days = {f"d{day:02}": date(2026, 10, day) for day in range(1, 32)}
    return Statuses({("bill", days[name]): status for name, status in statuses.items()})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(told(), "", id="nothing known"),
        pytest.param(told(d01="final", d02="final"), "", id="one status needs no sentence"),
        pytest.param(
            told(d01="final", d02="final", d03="provisional", d04="estimated", d05="estimated"),
            "1 Oct 2026 – 2 Oct 2026 final, 3 Oct 2026 provisional, 4 Oct 2026 – 5 Oct 2026 estimated.",
            id="runs of days",
        ),
    ],
)
def test_the_sentence_says_which_days_are_how_final(found: Statuses, expected: str) -> None:
    assert sentence(found) == expected


def client_of(name: str, *, team: str = "") -> Client:
    client = Client()
    if not team:
        client.force_login(User.objects.create_superuser(name))
        return client
    user = User.objects.create_user(name)
    Membership.objects.create(user=user, team=Team.objects.get_or_create(name=team)[0])
    client.force_login(user)
    return client


def test_pages_show_estimates_beside_the_total_and_each_lead_his_own() -> None:
    publish_all(charges())
    number = publication().number
    staff, lead = client_of("staff"), client_of("lilei", team="data")
    page = staff.get("/").content.decode()
    assert "No bill yet for 9 Oct 2026 – 10 Oct 2026; not in the total:" in page
    assert 'value="93.200000000000"' in page
    mine = lead.get("/teams/data/").content.decode()
    assert 'value="12.000000000000"' in mine
    assert "93.20" not in mine + lead.get("/estimates/").content.decode()
    page = staff.get("/estimates/").content.decode()
    for words in ("93.20", "Own price", "Mean of the weekday", "No estimated day has been billed yet.", "estimated"):
        assert words in page
    address = f"/figures/overview/team/?period=custom&start=2026-10-01&last=2026-10-08&publication={number}"
    figure = staff.get(address).json()
    estimated = figure["data"][-1]
    assert estimated["name"] == "Estimated, no bill yet"
    assert (estimated["x"], estimated["y"]) == ([f"{FRIDAY}", f"{SATURDAY}"], [39.8, 53.4])
    shown = staff.get(address.replace("last=2026-10-08", "last=2026-10-07")).json()
    assert {band["name"] for band in shown["data"]} == {band["name"] for band in figure["data"][:-1]}

    publish_all(charges() + bill_of_waiting_days())
    page = staff.get("/estimates/").content.decode()
    for words in ("Every day of usage has its bill: nothing is estimated.", "6.0 %", "16.7 %"):
        assert words in page
    assert "No bill yet" not in staff.get("/").content.decode()
    days = staff.get("/teams/web/namespaces/online/web/").content.decode()
    assert days.count("final</bdi>") == len({one["x_ChargeDay"] for one in charges() + bill_of_waiting_days()})


def test_unsettled_days_are_shaded_around_their_bars() -> None:
    shaded = with_shades({"data": [], "layout": {}}, [(date(2026, 10, 3), date(2026, 10, 5))])
    (shape,) = shaded["layout"]["shapes"]
    assert (shape["x0"], shape["x1"]) == ("2026-10-02T12:00:00", "2026-10-04T12:00:00")


def test_a_department_shows_what_is_estimated_of_its_teams() -> None:
    company = Unit("acme", "company")
    departments = (Unit("learning", "department", places=(Place("acme"),)), company)
    keep_tree(Tree(departments, {"data": (Place("learning"),)}), datetime(2026, 10, 1, tzinfo=UTC))
    publish_all(charges())
    staff = client_of("staff")
    page = staff.get("/organisation/department/learning/").content.decode()
    assert "No bill yet for 9 Oct 2026 – 10 Oct 2026; not in the total:" in page
    assert 'value="12.000000000000"' in page
    days = f"period=custom&start=2026-10-01&last=2026-10-08&publication={publication().number}"
    estimated = staff.get(f"/figures/organisation/department/learning/team/?{days}").json()["data"][-1]
    assert (estimated["name"], sum(estimated["y"])) == ("Estimated, no bill yet", 12.0)
