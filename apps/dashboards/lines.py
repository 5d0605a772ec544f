"""Lines of cost: what one row of a table on a page says, and the row that adds up the rest."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal

from django.utils.translation import ngettext

from apps.charts.colours import KINDS as KIND_COLOURS
from apps.dashboards import words

Key = tuple[str, ...]
ByKind = dict[str, Decimal]
ZERO = Decimal(0)
EXACT = Context(prec=80)
NOTABLE = Decimal(5)
"""From how many hundredths on a change is worth a colour."""


@dataclass(frozen=True)
class Name:
    """How a line is called, what is said beside it in small, where it leads, and its colour in figures."""

    title: str
    hint: str = ""
    url: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Part:
    """One kind of cost of a line; `x` and `width` place it in a bar that is 100 wide."""

    kind: str
    title: str
    colour: str
    cost: Decimal
    share: Decimal | None
    x: str
    width: str
    explain: str = ""


@dataclass(frozen=True)
class Line:
    """Cost in a period and in the one before (None: not known); `share` is of the table's total, in hundredths.

    `ahead` is what of the cost is of days that have not come: no part of the change. `keys` are what the line is of,
    several for the line of the rest; `explain` is where its cost is explained.
    """

    name: Name
    cost: Decimal
    before: Decimal | None
    share: Decimal | None = None
    parts: tuple[Part, ...] = ()
    by_kind: ByKind = field(default_factory=dict)
    keys: tuple[Key, ...] = ()
    explain: str = ""
    ahead: Decimal = ZERO

    @property
    def came(self) -> Decimal:
        """What the days cost that came."""
        return EXACT.subtract(self.cost, self.ahead)

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None else EXACT.subtract(self.came, self.before)

    @property
    def tone(self) -> str:
        """`up`, `down`, or `same` for what is not worth a colour."""
        if not self.change or abs(self.change_share or NOTABLE) < NOTABLE:
            return "same"
        return "up" if self.change > 0 else "down"

    @property
    def change_share(self) -> Decimal | None:
        """The change in hundredths of what it was before; None where nothing was there before, or it is not known."""
        if self.before is None or self.change is None:
            return None
        return hundredths(self.change, abs(self.before)) if self.change else ZERO


@dataclass(frozen=True)
class Table:
    """The largest lines, the rest in one line, and the total of both."""

    lines: tuple[Line, ...]
    rest: Line | None
    total: Line

    @property
    def rows(self) -> tuple[Line, ...]:
        return self.lines if self.rest is None else (*self.lines, self.rest)


def hundredths(part: Decimal, whole: Decimal) -> Decimal | None:
    """A share, for display; None when the whole is not positive: a share of a refund means nothing."""
    return part * 100 / whole if whole > 0 else None


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, exact however large: Python's own `sum` rounds to 28 digits."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def regroup(costs: Mapping[Key, Decimal], *positions: int) -> dict[Key, Decimal]:
    """Costs added up by some places of their keys."""
    sums: dict[Key, Decimal] = {}
    for key, cost in costs.items():
        kept = tuple(key[position] for position in positions)
        sums[kept] = EXACT.add(sums.get(kept, ZERO), cost)
    return sums


def fold(costs: Mapping[Key, Decimal]) -> dict[Key, ByKind]:
    """Costs by (…, kind) as one mapping of kinds per key."""
    folded: dict[Key, ByKind] = {}
    for (*key, kind), cost in costs.items():
        kinds = folded.setdefault(tuple(key), {})
        kinds[kind] = EXACT.add(kinds.get(kind, ZERO), cost)
    return folded


def build_table(
    now: Mapping[Key, Decimal],
    before: Mapping[Key, Decimal] | None,
    *,
    name: Callable[[Key], Name],
    limit: int = 50,
    ahead: Mapping[Key, Decimal] | None = None,
) -> Table:
    """The table of costs: largest first, beyond `limit` lines in one, so that it always adds up.

    `now` is keyed (…, kind), `before` by the same without the kind; it is None where the period before is not known.
    `ahead` is what of `now` is of days that have not come, keyed as `before`.
    """
    earlier, to_come = before or {}, ahead or {}
    kinds = fold(now)
    costs = {key: total_of(by_kind.values()) for key, by_kind in kinds.items()}
    total = total_of(costs.values())
    longest = max((abs(cost) for cost in costs.values()), default=ZERO)
    keys = sorted({*costs, *earlier}, key=lambda key: (-costs.get(key, ZERO), -abs(earlier.get(key, ZERO)), key))

    def line(chosen: list[Key], called: Name) -> Line:
        by_kind = _added(kinds.get(key, {}) for key in chosen)
        cost = total_of(by_kind.values())
        return Line(
            name=called,
            cost=cost,
            before=None if before is None else total_of(earlier.get(key, ZERO) for key in chosen),
            share=hundredths(cost, total),
            parts=parts_of(by_kind, whole=max(longest, abs(cost))),
            by_kind=by_kind,
            keys=tuple(chosen),
            ahead=total_of(to_come.get(key, ZERO) for key in chosen),
        )

    shown, hidden = (keys, []) if len(keys) <= limit + 1 else (keys[:limit], keys[limit:])
    others = ngettext("%(n)d other", "%(n)d others", len(hidden)) % {"n": len(hidden)}
    return Table(
        lines=tuple(line([key], name(key)) for key in shown),
        rest=line(hidden, Name(others)) if hidden else None,
        total=line(keys, Name("")),
    )


def _added(mappings: Iterable[ByKind]) -> ByKind:
    sums: ByKind = {}
    for by_kind in mappings:
        for kind, cost in by_kind.items():
            sums[kind] = EXACT.add(sums.get(kind, ZERO), cost)
    return sums


def parts_of(by_kind: ByKind, *, whole: Decimal | None = None) -> tuple[Part, ...]:
    """The kinds of a line side by side in a bar; `whole` is what fills it. What is not positive has no width."""
    total = total_of(by_kind.values())
    scale = total_of(cost for cost in by_kind.values() if cost > 0) if whole is None else whole
    parts, x = [], ZERO
    for kind in words.KINDS:
        if kind not in by_kind:
            continue
        width = max(by_kind[kind], ZERO) * 100 / scale if scale > 0 else ZERO
        width = min(width, 100 - x)
        parts.append(
            Part(
                kind=kind,
                title=str(words.KINDS[kind]),
                colour=KIND_COLOURS[kind],
                cost=by_kind[kind],
                share=hundredths(by_kind[kind], total),
                x=f"{x:.3f}",
                width=f"{width:.3f}",
            )
        )
        x += width
    return tuple(parts)


def movers(
    now: Mapping[Key, Decimal],
    before: Mapping[Key, Decimal] | None,
    *,
    name: Callable[[Key], Name],
    limit: int,
    ahead: Mapping[Key, Decimal] | None = None,
) -> tuple[Line, ...]:
    """What changed most in either direction, the largest change first; nothing where the period before is not known."""
    if before is None:
        return ()
    to_come = ahead or {}
    lines = [
        Line(Name(""), now.get(key, ZERO), before.get(key, ZERO), keys=(key,), ahead=to_come.get(key, ZERO))
        for key in {*now, *before}
    ]
    changed = [(abs(line.change), line) for line in lines if line.change]
    changed.sort(key=lambda pair: (-pair[0], pair[1].keys))
    return tuple(replace(line, name=name(line.keys[0])) for _, line in changed[:limit])
