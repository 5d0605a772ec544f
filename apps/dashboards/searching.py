"""What the search box finds: pages, teams, namespaces, workloads, resources, and recommendations by their number."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from apps.charts import labels
from apps.dashboards import naming
from apps.dashboards.cells import link
from apps.dashboards.menu import offered_pages, offered_to
from apps.insights.findable import RESOURCE_DAYS, Findable, Found, findable
from apps.marts.models import Publication
from apps.marts.query import CostQuery, Scope
from apps.marts.selectors import NothingPublished, publication
from apps.operations import selectors as operations
from apps.operations.selectors import NoSuchRecommendation
from apps.teams.models import UNALLOCATED
from apps.teams.selectors import active_teams
from apps.warehouse.sentences import told_of

MOST_CHARACTERS = 100
SUGGESTED, LISTED = 5, 20
GROUPS: dict[str, Promise] = {
    "recommendation": gettext_lazy("Recommendations"), "page": gettext_lazy("Pages"), "team": gettext_lazy("Teams"),
    "namespace": gettext_lazy("Namespaces"), "workload": gettext_lazy("Workloads"),
    "resource": gettext_lazy("Resources"),
}  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """Something found: what it is called, where it belongs, and where it leads."""

    title: str
    hint: str
    url: str


Fitting = tuple[list[Hit], int]
"""The best that fit, and how many fit in all."""


@dataclass(frozen=True)
class Group:
    """Hits of one sort; `more` is how many fit besides those shown."""

    key: str
    title: str
    hits: tuple[Hit, ...]
    more: int


@dataclass(frozen=True)
class Searcher:
    """Who looks for something, and what they may see."""

    user: User
    scope: Scope
    sees_all: bool


def cleaned(text: str) -> str:
    """What is looked for: one short line without marks."""
    return labels.plain(text[:MOST_CHARACTERS].replace("\0", " ")).strip() if text.strip() else ""


def search(text: str, by: Searcher, *, most: int) -> tuple[Group, ...]:
    """What fits, the best of each sort first. Every word must occur; others. teams are not even looked through."""
    words = text.lower().split()
    if not words:
        return ()
    pinned = _pinned()
    known = findable(pinned, by.scope) if pinned else Findable()
    found: dict[str, Fitting] = {
        "recommendation": _all(list(_recommendations(text, by))),
        "page": _best(words, _pages(by)),
        "team": _best(words, _teams(by)),
        "namespace": _places(words, known.namespaces, _to_namespace),
        "workload": _places(words, known.workloads, _to_namespace),
        "resource": _places(words, known.resources, lambda one: _to_explanation(one, pinned)),
    }
    return tuple(
        Group(key, str(GROUPS[key]), tuple(hits[:most]), count - len(hits[:most]))
        for key, (hits, count) in found.items()
        if hits
    )


def _all(hits: list[Hit]) -> Fitting:
    return hits, len(hits)


def _pinned() -> Publication | None:
    try:
        return publication()
    except NothingPublished:
        return None


def _recommendations(text: str, by: Searcher) -> Iterator[Hit]:
    """The one of a number, as `12` or `#12`."""
    number = text.removeprefix("#").strip()
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        return
    try:
        one = operations.find(int(number), by.user)
    except NoSuchRecommendation:
        return
    yield Hit(
        f"#{one.pk} {told_of(one.title)}", naming.directory().title(one.team), reverse("recommendation", args=[one.pk])
    )


def _pages(by: Searcher) -> Iterator[tuple[str, Hit]]:
    """Pages of the menu by their titles, in both languages."""
    for group, page in offered_pages(offered_to(by.user)):
        with override("en"):
            english = f"{group} {page.title}"
        yield f"{page.title} {group} {english}".lower(), Hit(str(page.title), str(group), reverse(page.name))


def _teams(by: Searcher) -> Iterator[tuple[str, Hit]]:
    names = [(one.name, one.title or one.name, one.lead_name) for one in active_teams()]
    for name, title, lead in [*names, (UNALLOCATED, naming.directory().title(UNALLOCATED), "")]:
        if by.scope.allows(name):
            hint = " · ".join(part for part in (name if name != title else "", lead) if part)
            yield f"{title} {name} {lead}".lower(), Hit(title, hint, reverse("team", args=[name]))


def _best(words: list[str], known: Iterable[tuple[str, Hit]]) -> Fitting:
    fitting = [(_rank(words, text), text, hit) for text, hit in known if all(word in text for word in words)]
    return _all([hit for _rank_of, _text, hit in sorted(fitting, key=lambda one: one[:2])])


def _places(words: list[str], known: Iterable[Found], leads: Callable[[Found], str]) -> Fitting:
    """Places and resources that fit. Of thousands only those listed are made into hits; the rest is counted."""
    fitting = [one for one in known if all(word in one.text for word in words)]
    fitting.sort(key=lambda one: (_rank(words, one.text), one.text, one.team))
    titles = naming.directory()
    hits = [
        Hit(naming.called("workload", one.name), _where(one, titles), leads(one)) for one in islice(fitting, LISTED)
    ]
    return hits, len(fitting)


def _where(one: Found, titles: naming.Directory) -> str:
    parts = (titles.title(one.team), one.cluster, one.namespace if one.namespace != one.name else "", one.service)
    return " · ".join(part for part in parts if part)


def _rank(words: list[str], text: str) -> int:
    """0 where it begins so, 1 where a word of it does, 2 where it holds it."""
    first = words[0]
    if text.startswith(first):
        return 0
    return 1 if any(mark + first in text for mark in " -_./:·") else 2


def _to_namespace(one: Found) -> str:
    return reverse("namespace", args=[one.team, one.cluster, one.namespace])


def _to_explanation(one: Found, pinned: Publication | None) -> str:
    """What the service of a resource cost its team: the parts of that name the resource."""
    end = pinned.came_until if pinned else None
    if pinned is None or end is None:
        return reverse("team", args=[one.team])
    asked = CostQuery(end - timedelta(days=RESOURCE_DAYS), end, as_of=pinned.number)
    told = link(asked.narrowed(team=one.team, service=one.service, cluster=one.cluster))
    return told or reverse("team", args=[one.team])


def nothing(text: str) -> str:
    """What is said where nothing fits."""
    return _("Nothing is called “%(text)s”, of what you may see.") % {"text": text}
