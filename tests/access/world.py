"""Two teams whose every word and amount is a canary, and somebody of every sort who asks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import combinations
from typing import Any

from django.contrib.auth.models import Group, User

from apps.alerts.models import Alert, AlertStep
from apps.books.models import Dispute, DisputeRemark
from apps.budgets.models import Budget, BudgetVersion
from apps.channels.models import Channel, Entry, Message
from apps.explorer.models import Annotation, SavedView
from apps.finops.tables import ALLOCATED, CHARGES, PASSED_ON
from apps.ingest.models import Source
from apps.insights.models import (
    Anomaly,
    AnomalyRun,
    Forecast,
    ForecastRun,
    IdleExclusion,
    IdleFinding,
    IdleRun,
    PlannedChange,
)
from apps.marts.models import Publication
from apps.operations.models import Recommendation, RecommendationStep
from apps.reports.models import Content, Delivery, Part
from apps.savings.models import Initiative
from apps.teams.granting import Wish, give
from apps.teams.models import RuleDraft, Team
from tests.dashboards.company import write
from tests.worlds import publish_costs

NOW = datetime.now(UTC)
DAY = date(2026, 10, 6)
A, B, NOBODYS = "amber-falls", "basalt-ridge", "unallocated"
CELLS = {
    "kestrel": (A, "9001", "4711.170000000017"),
    "kingfisher": (A, "9002", "2903.290000000029"),
    "walrus": (B, "9001", "815.123456789012"),
    "wombat": (B, "9002", "6637.370000000031"),
    "heron": (NOBODYS, "9001", "1337.530000000043"),
}
"""Word → team, account and cost; no sum of some of the costs is a sum of others."""
WORD = {A: "kestrel", B: "walrus"}
"""What everything but cost is called that is of a team."""


def costs() -> list[dict[str, Any]]:
    """A row for each cell, all of one day."""
    return [
        {
            "day": DAY, "team": team, "sub_account": account, "effective_cost": amount, "namespace": word,
            "workload": f"{word}-web", "cluster": "online", "service": f"{word} store",
            "kind": "unallocated" if team == NOBODYS else "direct",
        }
        for word, (team, account, amount) in CELLS.items()
    ]  # fmt: skip


@cache
def forbidden(allowed: frozenset[str]) -> tuple[str, ...]:
    """What nobody may read who sees these cells only: the words and teams of the others, and every sum that has one of
    them."""
    words = [word for word in CELLS if word not in allowed]
    words += {A, B} - {CELLS[word][0] for word in allowed}
    sums = {
        sum((Decimal(CELLS[word][2]) for word in some), Decimal(0))
        for count in range(1, len(CELLS) + 1)
        for some in combinations(CELLS, count)
        if not allowed.issuperset(some)
    }
    return (*words, *(text for total in sums for text in (f"{total:f}", f"{total:.2f}")))


def leaks(told: str, allowed: frozenset[str], address: str) -> list[str]:
    """The canaries in an answer that are not for whoever asked; what stood in the address itself is no news."""
    plain = told.replace(",", "")
    return [word for word in forbidden(allowed) if word in plain and word not in address]


# --- What there is ------------------------------------------------------------------------------------------------
@dataclass
class World:
    """The publication, and by kind and team the key of one thing: `objects["alert"]["amber"]`."""

    publication: Publication
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)


def make() -> World:
    for name, unit, center in ((A, "north", "CC-11"), (B, "south", "CC-22")):
        Team.objects.create(name=name, title=f"People of {name}", department=unit, cost_center=center)
    Source.objects.create(name="bill", kind="focus", location="/exports", created_at=NOW)
    published = publish_costs(costs(), created_at=NOW)
    allocate(published, costs())
    world = World(published)
    for made in (things(published, team) for team in (A, B)):
        for kind, team, key in made:
            world.objects.setdefault(kind, {})[team] = key
    User.objects.create_user("somebody")
    world.objects["grant"] = {
        team: give(Wish("somebody", "viewer", "team", team), by="han", now=NOW).pk for team in (A, B)
    }
    return world


def allocate(published: Publication, rows: list[dict[str, Any]]) -> None:
    """Let a publication hold what its costs were added up from."""
    more = {"pool": "node", "rule": "owners", "source": "bill", "billing_month": "2026-10", "currency": "CNY"}
    allocated = [
        row | more | {"resource": f"{row['namespace']}-disk", "effective_cost": Decimal(row["effective_cost"])}
        for row in rows
    ]
    published.versions |= {
        ALLOCATED.name: write(ALLOCATED, allocated),
        CHARGES.name: write(CHARGES, []),
        PASSED_ON.name: write(PASSED_ON, []),
    }
    published.save()


def change_others(world: World) -> None:
    """Everything of basalt becomes otherwise: a hundred times the cost, other words, and more of everything."""
    rows = [
        row | {"effective_cost": str(Decimal(row["effective_cost"]) * 100), "namespace": f"other-{row['namespace']}"}
        if row["team"] == B else row
        for row in costs()
    ]  # fmt: skip
    rows += [row | {"workload": f"{number}", "effective_cost": "77.7"} for number in range(100) for row in rows
             if row["team"] == B]  # fmt: skip
    published, number = world.publication, world.publication.number
    again = publish_costs(rows, created_at=NOW)
    versions = again.versions
    again.delete()
    published.versions = versions
    allocate(published, rows)
    assert published.number == number
    Recommendation.objects.filter(team=B).update(saving_text="123456.7", title={"text": "Other", "values": {}})
    Anomaly.objects.filter(owner=B).update(so_far="999999.000000", namespace="other")
    IdleFinding.objects.filter(team=B).update(per_month_text="123456.7", name="other")
    Forecast.objects.filter(key=B).update(is_naive=True, days=[["5", "4", "6", "3", "7"]] * 92)
    BudgetVersion.objects.filter(budget__value=B).update(amount_text="1")
    Alert.objects.filter(team=B).update(severity="critical")
    PlannedChange.objects.filter(team=B).update(amount_text="1")
    Annotation.objects.filter(team__name=B).update(text="other")
    Dispute.objects.filter(team=B).update(amount_text="1")
    for _ in things(published, B, again="more "):
        pass


def things(published: Publication, team: str, again: str = "") -> Iterator[tuple[str, str, Any]]:
    """One of everything that a team may have; `again` begins the names of a second one."""
    word, number, of = f"{again}{WORD[team]}", published.number, Team.objects.get(name=team)
    amount = CELLS[WORD[team]][2]
    title = {"text": "Delete %(name)s", "values": {"name": word}}
    author, _ = User.objects.get_or_create(username=f"{word}-author")
    found = {"found_at": NOW, "found_in": number, "seen_at": NOW, "seen_in": number, "since": DAY, "due": DAY}
    one = Recommendation.objects.create(
        kind="idle", subject=f"{word}-disk", currency="CNY", team=team, title=title, evidence=[title], link="/idle/",
        saving_text=amount, amount_text="0", **found,
    )  # fmt: skip
    RecommendationStep.objects.create(recommendation=one, at=NOW, by=author.username, action="find", to_state="found")
    yield "recommendation", team, one.pk
    budget = Budget.objects.create(
        name=word, dimension="team", value=team, grain="month", currency="CNY", metric="effective_cost"
    )
    BudgetVersion.objects.create(
        budget=budget, valid_from=date(2026, 10, 1), amount_text=amount, by=author.username, at=NOW, why=word
    )
    yield "budget", team, budget.pk
    alert = Alert.objects.create(
        rule="budget_actual", subject=word, team=team, severity="warning", title=title, opened_at=NOW, raised_at=NOW,
        seen_at=NOW,
    )  # fmt: skip
    AlertStep.objects.create(alert=alert, at=NOW, action="open", severity="warning", note=word)
    yield "alert", team, alert.pk
    dispute = Dispute.objects.create(
        team=team, cell={"start": "2026-10-06", "end": "2026-10-07", "team": team, "as_of": str(number)},
        publication=published, amount_text=amount, currency="CNY", opened_at=NOW, opened_by=author.username,
    )  # fmt: skip
    DisputeRemark.objects.create(dispute=dispute, at=NOW, by=author.username, action="open", text=f"{word} is wrong")
    yield "dispute", team, dispute.pk
    yield from _beside(team, of, word, author)
    yield from _found(published, team, word, amount)
    yield from _letters(number, team, word)


def _beside(team: str, of: Team, word: str, author: User) -> Iterator[tuple[str, str, Any]]:
    view = SavedView.objects.create(
        name=f"{word} view", owner=author, query=f"team={team}", shared="team", team=of, changed_at=NOW
    )
    yield "view", team, view.pk
    annotation = Annotation.objects.create(
        first=DAY, last=DAY, text=f"{word} went out", team=of, author=author.username, written_at=NOW
    )
    yield "annotation", team, annotation.pk
    channel = Channel.objects.create(team=of, kind="email", name=f"{word} mail", created_by="han", created_at=NOW)
    message = Message.objects.create(
        channel=channel,
        message_id=word,
        state="failed",
        created_at=NOW,
        not_before=NOW,
        recipient=f"{word}@example.com",
    )
    Entry.objects.create(
        channel=channel, message=message, key=word, kind="budget_actual", severity="warning", team=team, created_at=NOW,
        title={"text": word, "values": {}},
    )  # fmt: skip
    yield "channel", team, channel.pk
    yield "delivery", team, message.pk
    draft = RuleDraft.objects.create(
        text=f"valid_from: 2026-11-01\nadd:\n  - {{name: {word}, when: {{namespace: {word}}}, team: {team}}}\n",
        valid_from=date(2026, 11, 1), base=0, reason=word, drafted_by=author.username, drafted_at=NOW,
    )  # fmt: skip
    yield "draft", team, draft.pk
    saving = Initiative.objects.create(
        name=f"{word} at night", hypothesis=word, team=team, scope={"team": [team]}, currency="CNY", promised_text="5",
        start=DAY, created_at=NOW, created_by=author.username,
    )  # fmt: skip
    yield "saving", team, saving.pk


def of_ones_own(user: User) -> None:
    """What is of somebody who sees all and of no team, and tells of basalt: the draft of basalt is theirs, and so are a
    view, a channel and what it brought; and they are of management, who read letters of the company."""
    word = WORD[B]
    RuleDraft.objects.filter(reason=word).update(drafted_by=user.username)
    SavedView.objects.create(name=f"{word} alone", owner=user, query=f"team={B}", changed_at=NOW)
    channel = Channel.objects.create(
        user=user, kind="email", name=f"{word} to me", created_by=user.username, created_at=NOW
    )
    message = Message.objects.create(
        channel=channel, message_id=f"{word} to me", state="failed", created_at=NOW, not_before=NOW,
        recipient=f"{word}@example.com",
    )  # fmt: skip
    Entry.objects.create(
        channel=channel, message=message, key=word, kind="budget_actual", severity="warning", team=B, created_at=NOW,
        title={"text": word, "values": {}},
    )  # fmt: skip
    user.groups.add(Group.objects.create(name="management"))
    letter = Delivery.objects.create(
        report="management", team="", period="2026-W40", recipient="boss@example.com", message_id=f"{word} of all",
        subject=f"{word} of all", state="sent", sent_at=NOW, publication=1, language="en",
    )  # fmt: skip
    content = Content.objects.get(sha256=f"{word:0<64}")
    Part.objects.create(
        delivery=letter, place=0, name="letter.txt", content_type="text/plain", size_bytes=len(word), content=content
    )


def _found(published: Publication, team: str, word: str, amount: str) -> Iterator[tuple[str, str, Any]]:
    number, same = published.number, {"inputs": "", "created_at": NOW}
    key = team if word in CELLS else "more"
    ahead, _ = ForecastRun.objects.get_or_create(
        publication=number, model_version="t", defaults=same | {"first_day": DAY + timedelta(1)}
    )
    landing = {"period": "2026-10", "kind": "month", "last_day": "2026-10-31", "known": "0.000000"}
    landing |= dict.fromkeys(("so_far", "mean", "low_80", "high_80", "low_95", "high_95"), amount)
    Forecast.objects.create(
        run=ahead, level="team", key=team, currency="CNY" if word in CELLS else "USD", teams=[team], is_naive=False,
        days=[[amount, "9", "11", "8", "12"]] * 92, sums=[["-1", "1", "-2", "2"]] * 92, origins=1,
        landings=[landing, landing | {"period": "2026-Q4", "kind": "quarter", "last_day": "2026-12-31"}],
        backtest_first_day=DAY, total_days=28,
    )  # fmt: skip
    run, _ = AnomalyRun.objects.get_or_create(publication=number, model_version="t", defaults=same | {"end_day": DAY})
    cause = {"dimension": "workload", "driver": "usage", "parts": [[f"{word}-web", amount, 1.0]]}
    cause |= {"usage_change": None, "change": None}
    amounts = ("actual", "expected", "so_far", "so_far_low", "so_far_high", "per_day")
    anomaly = Anomaly.objects.create(
        run=run, slug=f"a-{key}", owner=team, kind="spike", is_upward=True, is_going_on=True, is_by_rule=True,
        measure="cost", unit="CNY", level="namespace", team=team, cluster="online", namespace=word, first_day=DAY,
        seen_day=DAY, last_day=DAY, days=[[str(DAY), amount, "1", "0", "2"]], cause=cause,
        **dict.fromkeys((*amounts, "month_end", "month_end_low", "month_end_high"), "9.000000"),
    )  # fmt: skip
    yield "anomaly", team, anomaly.slug
    idle, _ = IdleRun.objects.get_or_create(publication=number, defaults=same | {"model_version": "t", "end_day": DAY})
    IdleFinding.objects.create(
        run=idle, identity=f"i-{key}", kind="volume", subject=f"{word}-disk", cluster="online", namespace=word,
        name=word, team=team, currency="CNY", cost_text=amount, per_month_text=amount, verdict="safe", is_known=True,
        since=DAY, lost=[f"{word} is lost", {}], evidence=[[f"{word} is idle", {}]], slots=[0.5] * 168,
    )  # fmt: skip
    yield "idle", team, f"i-{key}"
    kept = IdleExclusion.objects.create(
        decision="keep", pattern=f"{word}-*", team=team, reason=word, by=f"{word}-author", at=NOW
    )
    yield "exclusion", team, kept.pk
    planned = PlannedChange.objects.create(
        first_day=date(2026, 11, 1), kind="amount", amount_text=amount, currency="CNY", team=team, note=word,
        by=f"{word}-author", at=NOW,
    )  # fmt: skip
    yield "planned", team, planned.pk


def _letters(number: int, team: str, word: str) -> Iterator[tuple[str, str, Any]]:
    Team.objects.filter(name=team).update(lead_email=f"{word}@example.com")
    letter = Delivery.objects.create(
        report="lead", team=team, period="2026-W40", recipient=f"{word}@example.com", message_id=word, subject=word,
        state="sent", sent_at=NOW, publication=number, language="en",
    )  # fmt: skip
    content = Content.objects.create(sha256=f"{word:0<64}", data=word.encode())
    for place, (name, kind) in enumerate((("letter.txt", "text/plain"), ("letter.html", "text/html"))):
        Part.objects.create(
            delivery=letter, place=place, name=name, content_type=kind, size_bytes=len(word), content=content
        )
    yield "letter", team, letter.pk
