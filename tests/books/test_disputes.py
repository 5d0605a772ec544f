"""Disputes: who may do what in which state, that the trail stays, and that entries move cost without changing it."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import override_settings

from apps.books import disputes, entries, manual, selectors, services, statement
from apps.books.disputes import MOVES, CannotDispute, NoSuchDispute, move, open_dispute, settle_by_entry
from apps.books.entries import CannotBook, Draft, book
from apps.books.models import Close, Dispute, ManualEntry, TrailEntry
from apps.books.people import Actor, NotAllowed, at_the_terminal
from apps.finops.money import add_up
from apps.finops.tables import COSTS
from apps.marts.query import CostQuery, Scope
from apps.teams.models import Team
from tests.allocation.worlds import Row, charge
from tests.books.worlds import LOG, NOW, published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("company")]

RULES = "rules: [{name: logs, when: {service: Log Service}, team: web}]"
OCTOBER = CostQuery(date(2026, 10, 1), date(2026, 11, 1), filters=(("team", ("web",)),))
LEAD = Actor("lilei", Scope(frozenset({"web"})), teams=frozenset({"web"}))
OTHER = Actor("tom", Scope(frozenset({"data"})), teams=frozenset({"data"}))
FINANCE = Actor("hanmeimei", Scope(), may_answer=True)
CONTROLLER = Actor("controller", Scope(), may_answer=True, may_book=True)
ENTRY = Draft("web", "data", "4.5", "CNY", "2026-10", "the logs of data's nightly job")


def bills(*costs: str) -> list[Row]:
    """A log charge on the first of October and of November."""
    return [charge(cost, f"log-{at}", start=24 * 31 * at, x_FileId=f"f{at}", **LOG) for at, cost in enumerate(costs)]


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Three teams and two months, published once; what tests add is rolled back."""
    home = tmp_path_factory.mktemp("home")
    folders = {"COSTOPS_HOME": home, "COSTOPS_LANDING": home / "landing", "COSTOPS_LAKE": home / "lake"}
    with django_db_blocker.unblock(), override_settings(**folders), transaction.atomic():
        for name in ("web", "data", "ops"):
            Team.objects.create(name=name)
        published(bills("10", "20"), {}, RULES, days=32)
        yield
        transaction.set_rollback(True)


def opened(actor: Actor = LEAD, **given: Any) -> Dispute:
    return open_dispute(OCTOBER, reason="half of it is not ours", actor=actor, now=NOW, **given)


def in_state(state: str) -> Dispute:
    """A dispute that came into this state the way disputes do; others are over by then."""
    Dispute.objects.update(state="withdrawn", settled_by="")
    made = opened()
    for action in {"open": (), "accepted": ("accept",), "rejected": ("reject",), "withdrawn": ("withdraw",),
                   "settled": ("accept", "settle")}[state]:  # fmt: skip
        settled_by = "rule" if action == "settle" else ""
        made = move(made, action, text="because", actor=FINANCE, now=NOW, settled_by=settled_by)
    assert made.state == state
    return made


def test_a_dispute_keeps_the_number_as_it_was() -> None:
    made = opened()
    assert (made.team, made.amount, made.currency, made.state) == ("web", Decimal(10), "CNY", "open")
    number = made.publication.number
    assert made.cell == {"start": "2026-10-01", "end": "2026-11-01", "as_of": str(number), "team": "web"}
    published(bills("99", "20"), {}, RULES, days=32)
    assert disputes.cell_of(made).as_of == number
    assert disputes.dispute_of(made.pk, LEAD.scope).amount == Decimal(10)


NARROWED = OCTOBER.narrowed(service="Log Service")


@pytest.mark.parametrize("state", ["open", "accepted"])
def test_the_same_number_is_disputed_once_at_a_time(state: str) -> None:
    made = in_state(state)
    published(bills("10", "30"), {}, RULES, days=32)  # another publication says the same of October
    with pytest.raises(CannotDispute, match=f"Dispute {made.pk} is about this number, and {state}"):
        opened()
    assert Dispute.objects.filter(state__in=disputes.WAITING).count() == 1


def test_a_question_is_the_same_in_whatever_order_it_names_values() -> None:
    one, other = (
        replace(OCTOBER, filters=(("service", names), ("team", ("web",))))
        for names in (("Log Service", "Compute"), ("Compute", "Log Service"))
    )
    open_dispute(one, reason="why", actor=LEAD, now=NOW)
    with pytest.raises(CannotDispute, match="is about this number"):
        open_dispute(other, reason="why", actor=LEAD, now=NOW)


@pytest.mark.parametrize("state", ["rejected", "settled", "withdrawn"])
def test_what_is_over_may_be_disputed_again(state: str) -> None:
    in_state(state)
    assert opened().state == "open"


def test_another_number_is_another_dispute() -> None:
    opened()
    assert open_dispute(NARROWED, reason="the logs", actor=LEAD, now=NOW).amount == Decimal(10)
    published(bills("99", "20"), {}, RULES, days=32)
    assert opened().amount == Decimal(99)


LIFE = {
    # what can be done      open        accepted    rejected    settled  withdrawn
    "comment": ("open", "accepted", "rejected", None, None),
    "accept": ("accepted", None, "accepted", None, None),
    "reject": ("rejected", "rejected", None, None, None),
    "settle": (None, "settled", None, None, None),
    "withdraw": ("withdrawn", "withdrawn", "withdrawn", None, None),
}
STATES = ("open", "accepted", "rejected", "settled", "withdrawn")


def test_every_move_stands_in_the_table() -> None:
    assert LIFE.keys() == MOVES.keys()
    assert {*STATES} == {*Dispute.State.values}


@pytest.mark.parametrize("state", STATES)
def test_a_dispute_lives_as_the_table_says(state: str) -> None:
    for action, ends in LIFE.items():
        made, expected = in_state(state), ends[STATES.index(state)]
        before = (made.remarks.count(), TrailEntry.objects.count())
        settled_by = "restatement" if action == "settle" else ""
        if expected is None:
            with pytest.raises(CannotDispute, match=f"Dispute {made.pk} is {state}: nobody can {action} it"):
                move(made, action, text="why", actor=FINANCE, now=NOW, settled_by=settled_by)
            assert (made.remarks.count(), TrailEntry.objects.count()) == before
            assert Dispute.objects.get(pk=made.pk).state == state
        else:
            assert move(made, action, text="why", actor=FINANCE, now=NOW, settled_by=settled_by).state == expected
            assert (made.remarks.count(), TrailEntry.objects.count()) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    ("action", "who", "allowed"),
    [
        pytest.param("comment", LEAD, True, id="the team continues the conversation"),
        pytest.param("comment", FINANCE, True, id="so does finance"),
        pytest.param("comment", OTHER, False, id="another team does not"),
        pytest.param("accept", FINANCE, True, id="finance accepts"),
        pytest.param("accept", LEAD, False, id="nobody accepts an own dispute"),
        pytest.param("reject", FINANCE, True, id="finance rejects"),
        pytest.param("reject", OTHER, False, id="another team rejects nothing"),
        pytest.param("withdraw", LEAD, True, id="the team withdraws"),
        pytest.param("withdraw", OTHER, False, id="another team withdraws nothing"),
    ],
)
def test_who_may_do_what(action: str, who: Actor, allowed: bool) -> None:
    made = opened()
    if allowed:
        move(made, action, text="why", actor=who, now=NOW)
        return
    with pytest.raises(NotAllowed):
        move(made, action, text="why", actor=who, now=NOW)
    assert (Dispute.objects.get().state, made.remarks.count()) == ("open", 1)


def test_only_the_team_or_finance_opens_and_only_they_know_of_it() -> None:
    with pytest.raises(NotAllowed, match="Only members of web, or finance"):
        opened(OTHER)
    made = opened(FINANCE)
    assert disputes.dispute_of(made.pk, LEAD.scope) == made
    with pytest.raises(NoSuchDispute):
        disputes.dispute_of(made.pk, OTHER.scope)
    assert list(disputes.disputes(OTHER.scope)) == []


@pytest.mark.parametrize(
    ("cell", "actor", "message"),
    [
        pytest.param(CostQuery(OCTOBER.start, OCTOBER.end), FINANCE, "team: name one team", id="everybody's"),
        pytest.param(OCTOBER.narrowed(service="Nothing"), LEAD, "there is no cost", id="nothing"),
    ],
)
def test_what_cannot_be_disputed(cell: CostQuery, actor: Actor, message: str) -> None:
    with pytest.raises(CannotDispute, match=message):
        open_dispute(cell, reason="why", actor=actor, now=NOW)
    assert not Dispute.objects.exists()


def test_a_lead_of_one_team_need_not_name_it() -> None:
    made = open_dispute(CostQuery(OCTOBER.start, OCTOBER.end), reason="why", actor=LEAD, now=NOW)
    assert (made.team, made.amount) == ("web", Decimal(10))


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001, "a\x00b"])
def test_every_step_says_why(text: str) -> None:
    with pytest.raises(CannotDispute, match="text: say why"):
        open_dispute(OCTOBER, reason=text, actor=LEAD, now=NOW)
    made = opened()
    with pytest.raises(CannotDispute, match="text: say why"):
        move(made, "accept", text=text, actor=FINANCE, now=NOW)


def test_to_settle_says_what_settled_it() -> None:
    made = in_state("accepted")
    with pytest.raises(CannotDispute, match="settled_by: say rule or restatement, or book an entry"):
        move(made, "settle", text="done", actor=FINANCE, now=NOW)
    with pytest.raises(CannotDispute, match="action: 'shout' is not one of"):
        move(made, "shout", text="done", actor=FINANCE, now=NOW)


def test_the_trail_tells_the_whole_story() -> None:
    made = opened()
    move(made, "accept", text="we looked: it is data's job", actor=FINANCE, now=NOW)
    booked = settle_by_entry(made, ENTRY, actor=CONTROLLER, now=NOW)
    assert [(one.by, one.action, one.text) for one in made.remarks.order_by("pk")] == [
        ("lilei", "open", "half of it is not ours"),
        ("hanmeimei", "accept", "we looked: it is data's job"),
        ("controller", "settle", "the logs of data's nightly job"),
    ]
    assert [(one.by, one.action, one.subject) for one in TrailEntry.objects.order_by("pk")] == [
        ("lilei", "opened", f"dispute {made.pk}"),
        ("hanmeimei", "accepted", f"dispute {made.pk}"),
        ("controller", "booked an entry", f"entry {booked.pk}"),
        ("controller", "settled", f"dispute {made.pk}"),
    ]
    made.refresh_from_db()
    assert (made.state, made.settled_by) == ("settled", "entry")
    with pytest.raises(ProtectedError):
        made.delete()


# --- Entries --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"to_team": "web"}, "to_team: web is the team the cost is taken from", id="one side only"),
        pytest.param({"to_team": "nobody"}, "to_team: there is no team 'nobody'", id="an unknown team"),
        pytest.param({"amount": "0"}, "amount: more than zero", id="nothing"),
        pytest.param({"amount": "-1"}, "amount: more than zero", id="backwards"),
        pytest.param({"amount": "1.0000000000001"}, "at most twelve decimals", id="thirteen decimals"),
        pytest.param({"amount": "1,000"}, "amount: '1,000' is not an amount", id="thousands separators"),
        pytest.param({"currency": "USD"}, "currency: nothing is billed in 'USD'; there is CNY", id="another currency"),
        pytest.param({"original_month": "2026-12"}, "2026-12 is later than the open month, 2026-10", id="the future"),
        pytest.param({"original_month": "October"}, "original_month: 'October' is no month", id="no month"),
        pytest.param({"original_month": "2026-13"}, "original_month: '2026-13' is no month", id="a thirteenth month"),
        pytest.param({"original_month": "1000-01"}, "original_month: '1000-01' is no month", id="a thousand years ago"),
        pytest.param({"original_month": "9999-12"}, "original_month: '9999-12' is no month", id="the last month"),
        pytest.param({"reason": " "}, "reason: say why", id="without a reason"),
        pytest.param({"service": "a\nb"}, "service: at most 200 characters", id="a service of two lines"),
    ],
)
def test_what_cannot_be_booked(changed: dict[str, str], message: str) -> None:
    draft = Draft(**(vars(ENTRY) | changed))
    with pytest.raises(CannotBook, match=message):
        book(draft, actor=CONTROLLER, now=NOW)
    assert not ManualEntry.objects.exists()


def test_booking_needs_its_permission() -> None:
    for who in (LEAD, OTHER, FINANCE):
        with pytest.raises(NotAllowed, match=r"books\.book_entry"):
            book(ENTRY, actor=who, now=NOW)


@pytest.mark.parametrize("state", ["open", "rejected", "withdrawn"])
def test_an_entry_settles_only_what_was_accepted(state: str) -> None:
    with pytest.raises(CannotBook, match=f"is {state}; accept it before an entry settles it"):
        settle_by_entry(in_state(state), ENTRY, actor=CONTROLLER, now=NOW)
    assert not ManualEntry.objects.exists()


def test_an_entry_for_a_dispute_touches_its_team() -> None:
    foreign = Draft("data", "ops", "1", "CNY", "2026-10", "why")
    with pytest.raises(CannotBook, match="of web, which is on neither side"):
        settle_by_entry(in_state("accepted"), foreign, actor=CONTROLLER, now=NOW)
    assert Dispute.objects.get().state == "accepted"


def test_the_database_keeps_two_sides_and_what_settled() -> None:
    given = {"amount_text": "1", "currency": "CNY", "original_month": "2026-10", "booked_at": NOW, "booked_by": "x"}
    with pytest.raises(IntegrityError), transaction.atomic():
        ManualEntry.objects.create(from_team="web", to_team="web", reason="x", **given)
    with pytest.raises(IntegrityError), transaction.atomic():
        ManualEntry.objects.create(from_team="web", to_team="data", reason="", **given)
    made = opened()
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispute.objects.filter(pk=made.pk).update(state="settled")


def close(month: str) -> Close:
    return services.close(month, by="hanmeimei", now=NOW, reason="test of the books")


def test_an_entry_is_booked_in_the_open_month_and_closed_ones_stay_as_they_were() -> None:
    october = close("2026-10")
    before = [statement.rebuilt(october, form) for form in ("json", "csv")]
    made = in_state("accepted")
    settle_by_entry(made, ENTRY, actor=CONTROLLER, now=NOW)
    assert [(row["month"], row["original_month"], row["class"], row["team"], row["effective_cost"])
            for row in selectors.pending()] == [
        ("2026-11", "2026-10", "disputed", "web", "-4.500000000000"),
        ("2026-11", "2026-10", "disputed", "data", "4.500000000000"),
    ]  # fmt: skip
    published(bills("13", "20"), {}, RULES, days=32)
    november = close("2026-11")
    told = [(row["class"], row["team"], row["list_cost"]) for row in statement.rows(november)]
    assert told == [
        ("", "web", "20.000000000000"), ("disputed", "data", "4.500000000000"),
        ("disputed", "web", "-4.500000000000"), ("re-priced", "web", "3.000000000000"),
    ]  # fmt: skip
    assert selectors.pending() == []
    assert [statement.rebuilt(october, form) for form in ("json", "csv")] == before
    november.refresh_from_db()
    content = statement.rebuilt(november, "json")
    assert hashlib.sha256(content).hexdigest() == november.sha256
    assert b'"manual_entries":[{"amount":"4.500000000000"' in content
    assert b"the logs of data's nightly job" in content
    assert b"manual_entries" not in before[0]
    assert [verdict.problem for verdict in services.verify(by="lilei", now=NOW)] == ["", ""]


def test_an_entry_can_be_booked_before_the_first_close() -> None:
    book(ENTRY, actor=CONTROLLER, now=NOW)
    assert {row["month"] for row in selectors.pending()} == {"2026-10"}
    october = close("2026-10")
    assert statement.totals(statement.rows(october)) == {"CNY": Decimal(10)}
    assert [verdict.problem for verdict in services.verify(by="lilei", now=NOW)] == [""]
    assert list(manual.waiting()) == []


def test_an_entry_that_was_tampered_with_is_found() -> None:
    book(ENTRY, actor=CONTROLLER, now=NOW)
    close("2026-10")
    ManualEntry.objects.update(reason="something else")
    (verdict,) = services.verify(by="lilei", now=NOW)
    assert verdict.problem == "The manual entries are not those that were booked."
    ManualEntry.objects.update(reason=ENTRY.reason, close=None)
    (verdict,) = services.verify(by="lilei", now=NOW)
    assert verdict.problem == "The manual entries are not those that were booked."


def test_unsettled_disputes_speak_against_closing_their_month() -> None:
    made = opened()
    with pytest.raises(services.NotReady, match=f"Disputes about 2026-10 are not settled: {made.pk}"):
        services.close("2026-10", by="x", now=NOW)
    move(made, "withdraw", text="a mistake", actor=LEAD, now=NOW)
    with pytest.raises(services.NotReady) as refused:
        services.close("2026-10", by="x", now=NOW)
    assert "Disputes" not in str(refused.value)


@pytest.mark.parametrize("seed", range(3))
def test_entries_move_cost_and_never_change_it(seed: int) -> None:
    """Whatever is booked, by currency and on every basis all rows together are what they were without entries."""
    rng = random.Random(seed)
    teams, sizes = ("web", "data", "ops", "unallocated"), (1, 10**6, 10**25)
    for _ in range(rng.randint(1, 12)):
        source, target = rng.sample(teams, 2)
        amount = f"{rng.randrange(rng.choice(sizes))}.{rng.randrange(1, 10**12):012d}"
        book(Draft(source, target, amount, "CNY", rng.choice(("2026-09", "2026-10")), "why"), actor=CONTROLLER, now=NOW)
    held = selectors.pending()
    assert len(held) == 2 * ManualEntry.objects.count()
    for basis in COSTS:
        assert add_up(Decimal(row[basis]) for row in held) == 0
    nets = [manual.net(manual.of_team(team), team).get("CNY", Decimal(0)) for team in teams]
    assert add_up(nets) == 0
    october = close("2026-10")
    for basis in COSTS:
        assert statement.totals(statement.rows(october), basis) == {"CNY": Decimal(10)}
    assert [verdict.problem for verdict in services.verify(by="x", now=NOW)] == [""]


def test_at_the_terminal_everything_is_allowed() -> None:
    made = opened(at_the_terminal("root"))
    move(made, "accept", text="yes", actor=at_the_terminal("root"), now=NOW)
    settle_by_entry(made, ENTRY, actor=at_the_terminal("root"), now=NOW)
    assert entries.ManualEntry.objects.get().booked_by == "root"
