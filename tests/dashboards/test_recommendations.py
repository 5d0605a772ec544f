"""The pages of recommendations: the inbox, its filters and totals, steps with one and many, and who may take them."""

import re
from decimal import Decimal

import pytest

from apps.finops.stakes import Stake, in_cluster
from apps.operations.models import Recommendation
from tests.operations.worlds import a_finding, one, recommend

INBOX = "/recommendations/"


@pytest.fixture
def found(published):
    recommend(
        a_finding("vm-1", team="live-class", at_stake="vm-1"),
        a_finding("vm-1 by a timetable", team="live-class", at_stake="vm-1", saving_per_month=Decimal(40)),
        a_finding("disk", team="search", saving_per_month=Decimal("1234.5")),
        a_finding("bucket", team="unallocated", saving_per_month=Decimal(0), amount_per_month=Decimal(77)),
    )
    return published


def titles(body: str) -> list[str]:
    return re.findall(r'<a href="/recommendations/\d+/"><bdi>Delete ([^<]+)</bdi>', body)


def test_before_anything_is_found_the_inbox_says_so(published, client_of):
    assert "Nothing to decide here" in client_of("lilei").get(INBOX).content.decode()


@pytest.mark.parametrize(
    ("who", "query", "expected"),
    [
        pytest.param("finance", "", ["disk", "vm-1", "vm-1 by a timetable", "bucket"], id="finance: all, most first"),
        pytest.param("lilei", "", ["vm-1", "vm-1 by a timetable"], id="a lead: of the own team only"),
        pytest.param("lilei", "?whose=mine", ["vm-1", "vm-1 by a timetable"], id="mine"),
        pytest.param("finance", "?whose=mine", [], id="finance has none of its own"),
        pytest.param("staff", "?team=search&kind=&state=open", ["disk"], id="of a team"),
        pytest.param("lilei", "?team=search", [], id="of another team a lead finds nothing"),
        pytest.param("staff", "?state=found", ["bucket"], id="in a state"),
        pytest.param("staff", "?state=done", [], id="nothing is done yet"),
    ],
)  # fmt: skip
def test_the_filters(found, client_of, who, query, expected):
    assert titles(client_of(who).get(f"{INBOX}{query}").content.decode()) == expected


def test_a_long_inbox_comes_in_pages_that_keep_its_filters(published, client_of):
    recommend(*(a_finding(f"vm-{number:03}", team="search") for number in range(120)))
    staff = client_of("staff")
    first, last = (staff.get(f"{INBOX}?team=search{page}").content.decode() for page in ("", "&page=3"))
    assert (len(titles(first)), len(titles(last))) == (50, 20)
    assert 'rel="next" href="?whose=all&amp;team=search&amp;state=open&amp;page=2"' in first
    assert "Page 3 of 3" in last
    assert 'rel="next"' not in last
    assert 'rel="prev"' not in first
    assert not set(titles(first)) & set(titles(last))
    for odd, shown in (("0", first), ("x", first), ("٣", first), ("-1", first), ("99999999", last), ("9" * 20, first)):
        found = staff.get(f"{INBOX}?team=search&page={odd}")
        assert titles(found.content.decode()) == titles(shown), odd


def test_the_total_counts_a_resource_once_and_says_so(found, client_of):
    """100.000000000001 of the machine and 1234.5 of the disk; stopping it by a timetable is within that."""
    body = client_of("finance").get(INBOX).content.decode()

    assert 'title="1334.500000000001"' in body
    assert "1 would save some of what others save too" in body
    assert f"counted in {one('vm-1').pk}" in body
    assert "about 77.00 CNY" in body


@pytest.mark.parametrize("query", ["?state=gone", "?kind=idle2", "?whose=theirs"])
def test_what_cannot_be_filtered_by_is_refused(found, client_of, query):
    assert client_of("staff").get(f"{INBOX}{query}").status_code == 400


def test_many_are_decided_at_once(found, client_of):
    both = [one("vm-1").pk, one("vm-1 by a timetable").pk]

    answer = client_of("lilei").post(f"{INBOX}?whose=mine", {"action": "decline", "why": "exam week", "number": both})

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{INBOX}?whose=mine")
    assert set(Recommendation.objects.filter(pk__in=both).values_list("state", flat=True)) == {"declined"}
    assert one("vm-1").steps.latest("pk").by == "lilei"


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        pytest.param({"action": "decline"}, 400, "to decline say why", id="no reason"),
        pytest.param({"action": "snooze", "until": "soon"}, 400, "is no date", id="no day"),
        pytest.param({"action": "start"}, 409, "nobody can start it now", id="not yet"),
        pytest.param({"action": "assign", "assignee": "hanmeimei"}, 400, "is nobody who can see", id="a stranger"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_and_what_was_written_is_kept(found, client_of, given, status, said):
    pk = one("vm-1").pk

    answer = client_of("lilei").post(INBOX, {"number": pk, "why": ""} | given)

    body = answer.content.decode()
    assert (answer.status_code, said in body) == (status, True)
    assert re.search(rf'value="{pk}"\s+form="bulk"[^>]*checked', body)
    assert one("vm-1").state == "assigned"


def test_of_another_team_nothing_is_decided_nor_told(found, client_of):
    pk = one("disk").pk
    lilei = client_of("lilei")

    assert lilei.post(INBOX, {"action": "accept", "number": [pk]}).status_code == 404
    assert lilei.get(f"{INBOX}{pk}/").status_code == 404
    assert lilei.post(f"{INBOX}{pk}/", {"action": "accept"}).status_code == 404
    assert one("disk").state == "assigned"


def test_who_sees_everything_and_speaks_for_nobody_is_offered_nothing_to_decide(found, client_of):
    from django.contrib.auth.models import User

    User.objects.filter(username="staff").update(is_superuser=False)
    staff = client_of("staff")

    assert "Do with those chosen" not in staff.get(INBOX).content.decode()
    assert staff.post(INBOX, {"action": "accept", "number": [one("disk").pk]}).status_code == 403


def test_one_tells_evidence_history_and_what_else_is_about_the_resource(found, client_of):
    lilei, address = client_of("lilei"), f"{INBOX}{one('vm-1 by a timetable').pk}/"
    assert lilei.post(address, {"action": "comment", "why": "ask <b>Ops</b>"}).status_code == 302

    body = lilei.get(address).content.decode()

    for said in (
        "Nobody read it since 2026-10-01", "ask &lt;b&gt;Ops&lt;/b&gt;", "By default the lead of live-class",
        "/forecasts/", "Also about the same cost", "only that one is counted",
    ):  # fmt: skip
        assert said in body
    assert set(re.findall(r'name="action" value="(\w+)"', body)) == {"assign", "accept", "decline", "snooze", "comment"}


def test_what_counts_in_part_says_how_much_and_beside_which_other(published, client_of):
    """Fewer nodes save 500, of which 22 idle workloads of 10 each save 220."""

    def of(place: tuple[str, ...], amount: int) -> dict[str, object]:
        return {"team": "search", "saving_per_month": Decimal(amount), "stakes": (Stake(place, Decimal(amount)),)}

    recommend(
        a_finding("nodes", **of(in_cluster("online"), 500)),
        *(a_finding(f"w-{at}", **of(in_cluster("online", "search", "shop", f"w-{at}"), 10)) for at in range(22)),
    )  # fmt: skip
    staff, first = client_of("staff"), one("w-0").pk
    inbox = staff.get(INBOX).content.decode()
    detail = " ".join(staff.get(f"{INBOX}{one('nodes').pk}/").content.decode().split())

    assert "500.00" in inbox
    assert "1 would save some of what others save too" in inbox
    assert f"280.00 counts, the rest is in {first}" in inbox
    assert f"Recommendation {first} would save some of the same: only 280.00 of this one is counted" in detail
    assert "and 2 more" in detail


def test_the_pages_speak_chinese(found, client_of):
    staff, chinese = client_of("staff"), {"accept-language": "zh-hans"}
    inbox = staff.get(INBOX, headers=chinese).content.decode()
    detail = staff.get(f"{INBOX}{one('vm-1').pk}/", headers=chinese).content.decode()

    assert "每月可节省" in inbox
    assert "默认为 live-class 的负责人" in detail


def test_hostile_names_are_shown_as_text(published, client_of):
    hostile = "<script>alert(1)</script>\u202e%(x)s {{7*7}}"
    recommend(a_finding(hostile, team="live-class", at_stake=hostile))
    client = client_of("lilei")

    for address in (INBOX, f"{INBOX}{Recommendation.objects.get().pk}/"):
        body = client.get(address).content.decode()
        assert "<script>alert" not in body
        assert "\u202e" not in body
        assert "{{7*7}}" in body
