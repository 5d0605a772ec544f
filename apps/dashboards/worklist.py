"""The worklist as a page shows it: what has no owner, who is proposed, and why, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.dashboards import naming
from apps.dashboards.paging import Paging, paged
from apps.dashboards.rules import STATES, TAGS
from apps.finops.windows import ONE_DAY
from apps.insights import subjects
from apps.insights.evidence import Evidence
from apps.insights.worklist import WorkItem, Worklist, worklist
from apps.teams.selectors import active_teams

SET_ASIDE = "aside"
"""The page of what is set aside, in the address of the list."""
KINDS: dict[str, Promise] = {
    subjects.NAMESPACE: gettext_lazy("namespace"),
    subjects.NODE_POOL: gettext_lazy("idle node pool"),
    subjects.NODES: gettext_lazy("idle nodes"),
    subjects.TAG: gettext_lazy("tag"),
    subjects.RESOURCE: gettext_lazy("resource"),
    subjects.SERVICE: gettext_lazy("service"),
    subjects.PLATFORM: gettext_lazy("share of the platform"),
    subjects.UNCLAIMED: gettext_lazy("claimed by nobody"),
}
CONFIDENCE: dict[str, Promise] = {
    "high": gettext_lazy("high"),
    "medium": gettext_lazy("medium"),
    "low": gettext_lazy("low"),
    "none": gettext_lazy("none"),
}
CONFIDENCE_TAGS = {"high": "ok", "medium": "running", "low": "warning"}
WORDS: dict[str, Promise] = {
    "Label": gettext_lazy("Label"),
    "Tag": gettext_lazy("Tag"),
    "equals": gettext_lazy("equals"),
    "contains": gettext_lazy("contains"),
    "name": gettext_lazy("name"),
    "title": gettext_lazy("title"),
    "cost center": gettext_lazy("cost center"),
    "lead": gettext_lazy("lead"),
    "member": gettext_lazy("member"),
}
"""Words that stand in sentences of evidence."""


@dataclass(frozen=True)
class ItemRow:
    """One item; `sentences` are all that speaks for anybody, the strongest first."""

    item: WorkItem
    kind: str
    owner: str
    confidence: str
    tag: str
    share: Decimal | None
    sentences: tuple[str, ...]
    draft_state: str
    draft_tag: str


@dataclass(frozen=True)
class WorklistPage:
    """The page: `totals` are of all items, `rows` and `dismissed` those of one page of each list."""

    here: Worklist
    totals: tuple[tuple[str, Decimal], ...]
    proposed: tuple[tuple[str, Decimal], ...]
    rows: tuple[ItemRow, ...]
    paging: Paging[WorkItem]
    dismissed: tuple[ItemRow, ...]
    paging_aside: Paging[WorkItem]
    teams: tuple[tuple[str, str], ...]

    @property
    def last_day(self) -> date:
        return self.here.window.end - ONE_DAY


def page(given: Mapping[str, str]) -> WorklistPage:
    """What has no owner by the newest publication, on the pages that an address asks for."""
    here, titles = worklist(), naming.directory()
    known = here.totals
    paging, aside = paged(here.items, given), paged(here.dismissed, given, by=SET_ASIDE)
    return WorklistPage(
        here=here,
        totals=tuple(known.items()),
        proposed=tuple(here.proposed.items()),
        rows=tuple(_row(item, titles) for item in paging.rows),
        paging=paging,
        dismissed=tuple(_row(item, titles) for item in aside.rows),
        paging_aside=aside,
        teams=tuple((team.name, str(team)) for team in active_teams()),
    )


def _row(item: WorkItem, titles: naming.Directory) -> ItemRow:
    state = item.draft.state if item.draft else ""
    return ItemRow(
        item=item,
        kind=str(KINDS[item.subject.kind]),
        owner=titles.title(item.team) if item.team else "",
        confidence=str(CONFIDENCE[item.confidence]),
        tag=CONFIDENCE_TAGS.get(item.confidence, ""),
        share=item.best.share * 100 if item.best else None,
        sentences=tuple(sentence(one, titles) for one in item.evidence),
        draft_state=str(STATES.get(state, "")),
        draft_tag=TAGS.get(state, ""),
    )


def sentence(one: Evidence, titles: naming.Directory) -> str:
    """What speaks for a team, in the reader's language."""
    told = {
        name: str(WORDS.get(value, value)) if name in ("what", "how", "by") else value
        for name, value in one.values.items()
    }
    return _(one.text) % (told | {"team": titles.title(one.team)})
