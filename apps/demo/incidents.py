"""What goes wrong in the simulated company, and when: the answer whoever looks for anomalies must find."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from apps.demo.organisation import TEAM_NAMES
from apps.demo.services import NOBODY, PRODUCTS, Resources
from apps.demo.timetable import Ints

FEWEST_DAYS = 45
"""In a shorter window there is no usual to depart from: nothing goes wrong."""


@dataclass(frozen=True)
class Incident:
    """The largest resource of `service` that belongs to one team takes `factor` times as much as usual, from
    `first_ago` days before the end of the window until `last_ago` (None: it goes on), at once or growing evenly."""

    what: str
    kind: str
    service: str
    factor: int
    first_ago: int
    last_ago: int | None
    days_to_grow: int = 1

    def first_day(self, end: date) -> date:
        return end - timedelta(days=self.first_ago)

    def last_day(self, end: date) -> date | None:
        return None if self.last_ago is None else end - timedelta(days=self.last_ago)

    def times(self, day: date, end: date) -> float:
        """How much of the usual quantity a day takes."""
        last = self.last_day(end)
        since = (day - self.first_day(end)).days
        if since < 0 or (last is not None and day > last):
            return 1.0
        return 1.0 + (self.factor - 1) * min(1.0, (since + 1) / self.days_to_grow)


INCIDENTS = (
    Incident("a retry storm writes logs", "spike", "Log Service", 8, 24, 22),
    Incident("a test cluster was forgotten", "step", "Elasticsearch", 4, 17, None),
    Incident("a page is no longer cached", "drift", "Content Delivery Network", 4, 31, None, days_to_grow=14),
)


def disturbed(quantity: Ints, resources: Resources, day: date, *, end: date) -> Ints:
    """The quantities of a day with what goes wrong on it."""
    found = quantity.copy()
    for incident in INCIDENTS:
        place = struck(incident, resources)
        found[place] = round(int(quantity[place]) * incident.times(day, end) / 10) * 10
    return found


def struck(incident: Incident, resources: Resources) -> int:
    """The resource that an incident strikes; one of a team where there is any."""
    product = next(index for index, one in enumerate(PRODUCTS) if one.service == incident.service)
    of_team = (resources.owner >= 0) & (resources.owner != NOBODY)
    size = np.where(resources.product == product, resources.quantity, -1) * np.where(of_team, 2, 1)
    return int(size.argmax())


def write(path: Path, resources: Resources, *, end: date, days: int) -> None:
    """The incidents of a window, one a line; none in one too short for any."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("what", "kind", "service", "team", "resource", "first_day", "last_day"))
        for one in INCIDENTS if days >= FEWEST_DAYS else ():
            place = struck(one, resources)
            owner = int(resources.owner[place])
            team = TEAM_NAMES[owner] if 0 <= owner < NOBODY else ""
            days_told = (one.first_day(end), one.last_day(end) or "")
            lines.writerow((one.what, one.kind, one.service, team, resources.ids[place], *days_told))
