"""Names for teams, namespaces and the rest, as people know them, with the page they lead to."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.charts import colours
from apps.dashboards import words
from apps.dashboards.asking import Asked
from apps.dashboards.lines import Key, Name
from apps.finops.once import once
from apps.finops.tags import key_of
from apps.marts.query import EVERYTHING, Scope
from apps.teams.models import UNALLOCATED, Team


@dataclass(frozen=True)
class Directory:
    """The titles of all teams and their colours, which follow the order in which the teams came."""

    titles: dict[str, str]
    colours: dict[str, str]

    def title(self, team: str) -> str:
        return str(words.MISSING["team"]) if team == UNALLOCATED else self.titles.get(team) or team

    def colour(self, team: str) -> str:
        return colours.OTHERS if team == UNALLOCATED else self.colours.get(team) or colours.by_name(team)


def directory(scope: Scope = EVERYTHING) -> Directory:
    """Every team; for names that an address gives, those that whoever looks may know of: others stay as they came."""
    rows = once(("titles",), lambda: list(Team.objects.order_by("pk").values_list("name", "title")))
    in_order = colours.by_order([name for name, _title in rows])
    return Directory(
        titles={name: title for name, title in rows if scope.allows(name)},
        colours={name: colour for name, colour in in_order.items() if scope.allows(name)},
    )


def called(dimension: str, value: str) -> str:
    """A value of a dimension; words where it does not apply, and for what attribution names itself."""
    if key_of(dimension):
        return str(words.TAG_VALUES.get(value, value))
    if dimension == "provider":
        return str(words.PROVIDERS.get(value, value))
    if value in words.OWN_NAMES:
        return str(words.OWN_NAMES[value])
    return value or str(words.MISSING.get(dimension, "–"))


def tag(dimension: str) -> str:
    """What a tag is called among dimensions; '' for every other dimension."""
    return _("Tag %(key)s") % {"key": key_of(dimension)} if key_of(dimension) else ""


def before_value(dimension: str, title: str) -> str:
    """What stands before a value of a dimension; a tag's key and value are set apart."""
    return f"{tag(dimension)}:" if key_of(dimension) else title


_INITIALS = frozenset(("ai", "api", "cpu", "gib", "gpu", "http", "id", "io", "ml", "qps", "sms", "sql", "vm"))
_DRIVERS: dict[str, Promise] = {
    "gpu-seconds": gettext_lazy("GPU seconds"),
    "orders": gettext_lazy("Orders"),
    "requests": gettext_lazy("Requests"),
    "searches": gettext_lazy("Searches"),
    "students-in-class": gettext_lazy("Students in class"),
    "users": gettext_lazy("Users"),
}
"""Drivers that many companies have → what they are called in the reader's language."""


def driver(key: str) -> str:
    """A driver as people say it: one that is well known in the reader's language, another as its key reads."""
    if key in _DRIVERS:
        return str(_DRIVERS[key])
    said = [word.upper() if word in _INITIALS else word for word in re.split(r"[-_]+", key) if word]
    first, *rest = said or [key]
    return " ".join((first[:1].upper() + first[1:], *rest))


def team_url(team: str, asked: Asked) -> str:
    return _with(reverse("team", args=[team]), asked.params())


def namespace_url(team: str, cluster: str, namespace: str, asked: Asked) -> str:
    return _with(reverse("namespace", args=[team, cluster, namespace]), asked.params())


def _with(path: str, params: str) -> str:
    return f"{path}?{params}" if params else path


def team_namer(asked: Asked, teams: Directory) -> Callable[[Key], Name]:
    """Names for lines keyed (team,)."""

    def name(key: Key) -> Name:
        (team,) = key
        title = teams.title(team)
        return Name(
            title,
            hint=team if title != team and team != UNALLOCATED else "",
            url=team_url(team, asked),
            colour=teams.colour(team),
        )

    return name


def namespace_namer(asked: Asked, team: str) -> Callable[[Key], Name]:
    """Names for lines keyed (cluster, namespace)."""

    def name(key: Key) -> Name:
        cluster, namespace = key
        url = namespace_url(team, cluster, namespace, asked)
        return Name(called("namespace", namespace), hint=called("cluster", cluster), url=url)

    return name


def workload_namer(asked: Asked, team: str) -> Callable[[Key], Name]:
    """Names for lines of one team keyed (cluster, namespace, workload)."""

    def name(key: Key) -> Name:
        cluster, namespace, workload = key
        where = " · ".join(
            called(dimension, value) for dimension, value in (("namespace", namespace), ("cluster", cluster))
        )
        return Name(called("workload", workload), hint=where, url=namespace_url(team, cluster, namespace, asked))

    return name


def mover_namer(asked: Asked, teams: Directory) -> Callable[[Key], Name]:
    """Names for lines keyed (team, cluster, namespace, service): the namespace where there is one, else the service."""

    def name(key: Key) -> Name:
        team, cluster, namespace, service = key
        what = called("namespace", namespace) if namespace else called("service", service)
        where = " · ".join(part for part in (teams.title(team), cluster, service if namespace else "") if part)
        return Name(what, hint=where, url=namespace_url(team, cluster, namespace, asked), colour=teams.colour(team))

    return name


def place_namer(asked: Asked, team: str) -> Callable[[Key], Name]:
    """Names for lines of one team keyed (cluster, namespace, service)."""

    def name(key: Key) -> Name:
        cluster, namespace, service = key
        what = called("namespace", namespace) if namespace else called("service", service)
        where = " · ".join(part for part in (cluster, service if namespace else "") if part)
        return Name(what, hint=where, url=namespace_url(team, cluster, namespace, asked))

    return name


def plain_namer(dimension: str) -> Callable[[Key], Name]:
    """Names for lines keyed by one dimension that leads nowhere."""

    def name(key: Key) -> Name:
        return Name(called(dimension, key[0]))

    return name


def joined(values: Sequence[str]) -> str:
    """Names in one sentence."""
    return _(", ").join(values)


def in_a_row(sentences: Iterable[str]) -> str:
    """Sentences one behind the other: in Chinese nothing stands between them."""
    return (" " if (get_language() or "en").startswith("en") else "").join(filter(None, sentences))
