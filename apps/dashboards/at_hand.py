"""What is at hand on a page of cost: open actions and alerts, and of a team its budgets, idle things and anomalies."""

from dataclasses import dataclass, replace

from apps.calendars.selectors import today
from apps.dashboards import alerting, anomalies, budgets, idle, recommendations
from apps.dashboards.alerting import Line as AlertLine
from apps.dashboards.anomalies import AnomalyLine
from apps.dashboards.budgets import Line as BudgetLine
from apps.dashboards.heads import About, standings
from apps.dashboards.idle import IdleRow
from apps.dashboards.recommendations import Line as ActionLine
from apps.teams.approval import actor_of

MOST = 6


@dataclass(frozen=True)
class AtHand:
    """The first lines of the pages behind, and where each is read whole."""

    actions: tuple[ActionLine, ...]
    actions_url: str
    alerts: tuple[AlertLine, ...]
    alerts_url: str
    budgets: tuple[BudgetLine, ...] = ()
    idle: tuple[IdleRow, ...] = ()
    idle_url: str = ""
    anomalies: tuple[AnomalyLine, ...] = ()
    anomalies_url: str = ""


def at_hand(about: About) -> AtHand | None:
    """What is at hand now; None beside costs of a publication somebody pinned."""
    if about.asked.pinned:
        return None
    actor, team, scope = actor_of(about.reader), about.team, about.asked.scope
    day = today(about.now)
    found = AtHand(
        actions=recommendations.lines_of(about.actions[:MOST], actor, day),
        actions_url=about.link("recommendations"),
        alerts=alerting.lines_of(about.alerts[:MOST], actor),
        alerts_url=about.link("alerts"),
    )
    if not team:
        return found
    return replace(
        found,
        budgets=budgets.lines_of(standings(about)),
        idle=idle.first_rows(scope, actor, team=team, day=day, most=MOST),
        idle_url=about.link("idle"),
        anomalies=anomalies.first_lines(scope, team=team, most=MOST),
        anomalies_url=about.link("anomalies"),
    )
