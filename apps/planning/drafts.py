"""What a planner is, and what it hands in: a plan with its money, its risk, its checks, and what it cannot know."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils.functional import Promise

from apps.charts.figures import Figure
from apps.finops.errors import CostOpsError
from apps.finops.findings import Sentence
from apps.finops.money import add_up
from apps.finops.stakes import Stake
from apps.marts.models import Publication
from apps.teams.approval import Actor

Settings = Mapping[str, float]
Rows = Sequence[Sequence[Any]]
MOST_LAG = 7
"""Bills come some days late; a plan that is made of older ones says so before all else."""


class BadSettings(CostOpsError):
    """A setting of a plan is unknown, no number, or out of its range."""


class Unsound(CostOpsError):
    """A plan promises what cannot be: it is not kept."""


@dataclass(frozen=True)
class Slider:
    """A setting of a plan that people move: a number from `low` to `high`."""

    name: str
    title: Promise
    low: float
    high: float
    step: float
    default: float
    unit: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table: `words` are the planner's own and translated, `text` is names from outside; a share is
    written as percent."""

    name: str
    title: Promise
    kind: Literal["text", "words", "team", "money", "number", "share"] = "text"


@dataclass(frozen=True)
class TableShape:
    """A table of a planner's page; a draft has its rows, and the page shows `most` of them: the file has all. Of one
    with a column of kind `team` a reader of some teams sees these teams' rows, of one without it none."""

    name: str
    title: Promise
    columns: tuple[Column, ...]
    most: int = 25


@dataclass(frozen=True)
class FigureShape:
    """A figure of a planner's page, drawn by the planner when it is asked for; not shown where the plan's content holds
    nothing under `of`."""

    name: str
    title: Promise
    unit: Promise | str = ""
    of: str = ""


@dataclass(frozen=True)
class OutcomeShape:
    """Something that is no money and is measured beside a plan, again and again: less of it is better."""

    name: str
    title: Promise
    unit: str


@dataclass(frozen=True)
class Bring:
    """A table that people bring for a planner: what it is, its columns, and who takes it (and says what was taken)."""

    title: Promise
    columns: tuple[str, ...]
    take: Callable[[bytes, str, Actor, datetime], str]


@dataclass(frozen=True)
class Export:
    """A file of a plan that people apply or read elsewhere, besides `plan.json` and a CSV of each table."""

    file_name: str
    content_type: str
    write: "Callable[[Draft], str]"


@dataclass(frozen=True)
class Check:
    """One thing the verifier looked at, in its own way, and whether the plan keeps it."""

    title: Sentence
    is_kept: bool


@dataclass(frozen=True)
class Action:
    """One thing to do, of one team: it becomes a recommendation. `at_stake` names the resource whose cost it is of,
    `scope` the cost that would fall: values by dimension of a question about cost, `stakes` where in it the saving is
    spent now."""

    subject: str
    team: str
    title: Sentence
    evidence: tuple[Sentence, ...]
    currency: str
    saving_per_month: Decimal
    since: date
    at_stake: str = ""
    scope: Mapping[str, str] = field(default_factory=dict)
    stakes: tuple[Stake, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A plan. Money is effective cost a month in `currency`; `cost_per_month` is what the things it is about cost now,
    None in what is seen of a plan by somebody who may not see all of it.

    `says` is what to do, `risks` at what risk (as replayed on the past), `binds` what keeps it from saving more,
    `unknowns` what it cannot know. `bound` is the best that any plan could reach, in the unit of `objective`.
    `tables` are rows by table, `content` whatever figures and exports are made of: both plain JSON. `billed_until` is
    the last day of bills that it is made of.
    """

    currency: str
    cost_per_month: Decimal | None
    saving_per_month: Decimal
    says: tuple[Sentence, ...]
    risks: tuple[Sentence, ...] = ()
    binds: tuple[Sentence, ...] = ()
    unknowns: tuple[Sentence, ...] = ()
    checks: tuple[Check, ...] = ()
    actions: tuple[Action, ...] = ()
    tables: Mapping[str, Rows] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=dict)
    seed: int | None = None
    objective: float | None = None
    bound: float | None = None
    billed_until: date | None = None

    @property
    def gap(self) -> float | None:
        """How far the plan is from the bound, as a share of it."""
        if self.objective is None or not self.bound:
            return None
        return abs(self.bound - self.objective) / abs(self.bound)

    @property
    def is_verified(self) -> bool:
        return bool(self.checks) and all(check.is_kept for check in self.checks)


@dataclass(frozen=True)
class Case:
    """What one plan is made of: `data` as the planner packed it (JSON, Parquet, npz; never pickle). Where the input is
    too thin or bad `withheld` says why, and there is no plan. `subject` is a cluster, a pool, or '' for everything."""

    subject: str
    data: bytes = b""
    withheld: Sentence | None = None


@dataclass(frozen=True)
class Planner:
    """A planner: `read` packs what it needs from the lake, `make` plans from that alone, so that sliders are answered
    from the same numbers within two seconds. `draw` draws one of `figures` of a draft.

    `version` is raised whenever other plans would come of the same input; `days` is until a recommendation is due;
    `identity` names whatever it reads besides the publication.
    """

    name: str
    title: Promise
    about: Promise
    version: str
    read: Callable[[Publication, datetime], Iterable[Case]]
    make: Callable[[bytes, Settings], Draft]
    draw: Callable[[Draft, str], Figure]
    sliders: tuple[Slider, ...] = ()
    tables: tuple[TableShape, ...] = ()
    figures: tuple[FigureShape, ...] = ()
    exports: tuple[Export, ...] = ()
    outcomes: tuple[OutcomeShape, ...] = ()
    bring: Bring | None = None
    days: int = 30
    identity: Callable[[], str] = str

    @property
    def defaults(self) -> dict[str, float]:
        return {slider.name: slider.default for slider in self.sliders}

    def settled(self, given: Mapping[str, Any]) -> dict[str, float]:
        """The settings somebody asks for, the defaults for the rest; BadSettings names what is wrong."""
        known = {slider.name: slider for slider in self.sliders}
        for name in given:
            if name not in known:
                raise BadSettings(f"{name[:40]}: no such setting; there are {', '.join(known) or 'none'}.")
        return self.defaults | {name: _number(known[name], value) for name, value in given.items()}


def _number(slider: Slider, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadSettings(f"{slider.name}: {str(value)[:20]!r} is no number.") from None
    if not slider.low <= number <= slider.high:
        raise BadSettings(f"{slider.name}: {number:g} is not between {slider.low:g} and {slider.high:g}.")
    return number


def checked(draft: Draft) -> Draft:
    """The draft, if its money can be: no saving is negative or above what the things cost, no action promises more than
    the plan."""
    promised = sum((action.saving_per_month for action in draft.actions), Decimal(0))
    if not 0 <= draft.saving_per_month <= max(draft.cost_per_month or Decimal(0), Decimal(0)):
        raise Unsound(f"A saving of {draft.saving_per_month} of a cost of {draft.cost_per_month} cannot be.")
    for action in draft.actions:
        if action.stakes and add_up(stake.saving_per_month for stake in action.stakes) != action.saving_per_month:
            raise Unsound(f"What {action.subject} saves by place does not add up to {action.saving_per_month}.")
    if promised > draft.saving_per_month:
        raise Unsound(f"Its actions promise {promised} together, the plan {draft.saving_per_month}.")
    return draft
