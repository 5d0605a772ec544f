"""Writing annotations, one by one or from a file: of a team for its members, of the company for finance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction

from apps.explorer import selectors
from apps.explorer.models import Annotation
from apps.finops import sheets, workbooks
from apps.finops.errors import CostOpsError
from apps.finops.sheets import BadSheet, WrongCell
from apps.teams.approval import Actor, NotYours
from apps.teams.models import Team

COLUMNS = ("date", "title", "team", "link")
WITH_END = ("date", "end", "title", "team", "link")
MOST_ROWS = 2_000
MOST_BYTES = 1 << 20
MOST_TEXT = 200
LONGEST = timedelta(days=366)


class CannotAnnotate(CostOpsError):
    """This cannot be written beside days; nothing was kept."""


@dataclass(frozen=True)
class Draft:
    """An annotation as somebody wants it; an empty team means the whole company."""

    first: date
    last: date
    text: str
    team: str = ""
    link: str = ""


def may_write(actor: Actor, team: str) -> bool:
    """Members write for their team; only who answers for all teams writes for the company."""
    return actor.teams is None or bool(team and team in actor.teams)


def write(draft: Draft, *, by: Actor, now: datetime) -> Annotation:
    """Keep one annotation; the very same one again changes nothing."""
    return write_all([draft], by=by, now=now)[0][0]


def write_all(drafts: Sequence[Draft], *, by: Actor, now: datetime) -> tuple[list[Annotation], int]:
    """Keep all of them, or none; and how many of them were new. Whether a team exists is told to those alone who may
    write for it."""
    teams = {team.name: team for team in Team.objects.filter(name__in={draft.team for draft in drafts})}
    for draft in drafts:
        _check(draft, by, teams)
    kept, added = [], 0
    with transaction.atomic():
        for draft in drafts:
            told = {
                "first": draft.first, "last": draft.last, "text": draft.text, "team": teams.get(draft.team),
                "link": draft.link,
            }  # fmt: skip
            written = Annotation.objects.filter(**told).first()  # two who wrote at once may have kept two
            added += written is None
            kept.append(written or Annotation.objects.create(**told, author=by.name[:150], written_at=now))
    return kept, added


def remove(number: int, *, by: Actor, teams: frozenset[str] | None) -> None:
    """Delete an annotation, for whoever could have written it."""
    found = selectors.annotation(number, teams)
    _must_write(by, found.team.name if found.team else "")
    found.delete()


def bring(content: bytes, name: str, *, by: Actor, now: datetime) -> tuple[int, int]:
    """Take a file with the columns date, title, team, link (and end, where it lasts): how many rows, how many new."""
    if not by.may_speak:
        raise NotYours("Annotations are for the members of a team, or finance, to write; nothing was changed.")
    drafts = workbooks.read(content, name=name, headers=[COLUMNS, WITH_END], row=_row, most_bytes=MOST_BYTES)
    if len(drafts) > MOST_ROWS:
        raise BadSheet(f"{name}: {len(drafts)} lines; at most {MOST_ROWS} can be brought at once.")
    _, added = write_all(drafts, by=by, now=now)
    return len(drafts), added


def _row(_line: int, cells: dict[str, str]) -> Draft:
    first = sheets.day(cells, "date")
    last = sheets.day(cells, "end") if cells.get("end") else first
    if not first <= last < first + LONGEST:
        raise WrongCell("end", f"{last} is before the first day, or more than a year after it")
    text = sheets.words(cells, "title", most=MOST_TEXT)
    if cells["link"] and not is_web(cells["link"]):
        raise WrongCell("link", f"{cells['link'][:40]!r} is not an address that begins with https:// or http://")
    return Draft(first, last, text, cells["team"], cells["link"])


def _check(draft: Draft, by: Actor, teams: dict[str, Team]) -> None:
    _must_write(by, draft.team)
    if draft.team and draft.team not in teams:
        raise CannotAnnotate(f"team: there is no team {draft.team[:60]!r}; leave it empty for the whole company")
    if not draft.text.strip() or len(draft.text) > MOST_TEXT or not draft.text.isprintable():
        raise CannotAnnotate(f"text: 1 to {MOST_TEXT} characters that show, in one line")
    is_within = sheets.FIRST_DAY <= draft.first <= draft.last <= sheets.LAST_DAY
    if not is_within or draft.last - draft.first >= LONGEST:
        raise CannotAnnotate("last: not before the first day, and at most a year after it")
    if draft.link and not is_web(draft.link):
        raise CannotAnnotate("link: an address that begins with https:// or http://, of at most 500 characters")


def _must_write(by: Actor, team: str) -> None:
    if may_write(by, team):
        return
    if team:
        raise NotYours(
            f"Annotations of {team[:60]} are for its members, or finance, to write and delete; nothing was changed."
        )
    raise NotYours("Annotations of the whole company are for finance to write and delete; nothing was changed.")


def is_web(link: str) -> bool:
    """An address a browser opens; `javascript:` and the like are none."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and len(link) <= 500 and link.isprintable()
