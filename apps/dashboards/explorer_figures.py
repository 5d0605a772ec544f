"""The figures of the explorer: an answer folded to what can be seen, in seven forms; nothing is left out silently."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.charts import breakdown, colours, figures
from apps.charts.breakdown import Flow, Mark, Node
from apps.dashboards.exploring import Names
from apps.dashboards.trends import DAY_FORMAT
from apps.explorer.answering import Explored, Key, folded, summed, total_of

Costs = Mapping[Key, Decimal]


def figure(found: Explored, marks: Sequence[tuple[date, date, str]] = ()) -> figures.Figure:
    """The figure of an exploration, with annotations where it is over time; none where it is a table."""
    draw = _DRAWERS.get(found.asked.chart)
    if draw is None or not found.steps:
        return {"data": [], "layout": {}}
    drawn = draw(found, Names(found))
    return breakdown.with_marks(drawn, marks) if found.step else drawn


def others(count: int) -> Mark:
    return Mark(_("All others (%(n)d)") % {"n": count}, colours.OTHERS)


def not_drawn(found: Explored) -> Decimal:
    """What rectangles, rings and flows cannot show: refunds, which have no size."""
    if found.asked.chart not in ("treemap", "sunburst", "sankey"):
        return Decimal(0)
    return total_of(cost for cost in found.costs.values() if cost < 0)


def _times(found: Explored) -> list[date]:
    return sorted({day for day, _ in found.steps if day})


def _bands(found: Explored, names: Names) -> list[tuple[Mark, list[float | None]]]:
    """A series over time for each of the largest keys, and one of all others."""
    times, (shown, hidden) = _times(found), folded(found.costs, found.asked.top)
    series: list[tuple[Mark, list[float | None]]] = [
        (names.mark(key, place), [_float(found.steps.get((day, key))) for day in times])
        for place, key in enumerate(shown)
    ]
    if hidden:
        rest, wanted = summed(_of_day(found, set(hidden))), times
        series.append((others(len(hidden)), [_float(rest.get(day)) for day in wanted]))
    return series


def _of_day(found: Explored, keys: set[Key]) -> list[tuple[date | None, Decimal]]:
    return [(day, cost) for (day, key), cost in found.steps.items() if key in keys]


def _float(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)


def _over_time(found: Explored, names: Names, *, is_area: bool) -> figures.Figure:
    drawn = breakdown.stacked(
        _times(found), _bands(found, names), currency=found.currency, day_format=str(DAY_FORMAT[found.step]),
        is_area=is_area,
    )  # fmt: skip
    if not found.earlier_steps:
        return drawn
    points = [(day, float(cost)) for day, cost in sorted(found.earlier_steps.items())]
    return breakdown.with_line(drawn, points, title=compared_with(found), currency=found.currency)


def compared_with(found: Explored) -> str:
    return _("A year before") if found.asked.compare == "year" else _("The period before")


def _area(found: Explored, names: Names) -> figures.Figure:
    return _over_time(found, names, is_area=True)


def _bars(found: Explored, names: Names) -> figures.Figure:
    """Over time, or one bar per value of the first dimension, divided by the others."""
    if found.step:
        return _over_time(found, names, is_area=False)
    if len(found.asked.by) > 1:
        return _divided_bars(found, names)
    shown, hidden = folded(found.costs, found.asked.top)
    rows = [names.mark(key, place) for place, key in enumerate(shown)]
    groups = [*([key] for key in shown), *([hidden] if hidden else [])]
    rows += [others(len(hidden))] if hidden else []
    now = [_sum(found.costs, keys) for keys in groups]
    if found.earlier is None:
        return breakdown.coloured(rows, now, currency=found.currency)
    before = [_sum(found.earlier, keys) for keys in groups]
    series = [(Mark(_("This period"), colours.PALETTE[0]), now), (Mark(compared_with(found), colours.OTHERS), before)]
    return breakdown.ranked(rows, series, currency=found.currency, is_grouped=True)


def _divided_bars(found: Explored, names: Names) -> figures.Figure:
    first, rest = found.asked.by[0], found.asked.by[1:]
    rows, shown = _side(found, 0, 1)
    parts, members = _side(found, 1, len(found.asked.by))
    costs = summed(((shown[key[:1]], members[key[1:]]), cost) for key, cost in found.costs.items())
    marks = [_row_mark(names, first, row, place, found) for place, row in enumerate(rows)]
    series = []
    for place, part in enumerate(parts):
        called = " · ".join(map(names.title, rest, part)) if part else others(_hidden(members)).title
        colour = names.colour(rest[0], part[0], place) if len(part) == 1 else colours.PALETTE[place % 40]
        mark = Mark(called, colour if part else colours.OTHERS, names.pattern(rest[0], part[0]) if part else "")
        series.append((mark, [_float(costs.get((row, part))) for row in rows]))
    return breakdown.ranked(marks, series, currency=found.currency)


def _side(found: Explored, start: int, end: int) -> tuple[list[Key], dict[Key, Key]]:
    """The largest values of some dimensions, empty for all others, and for each value what it is told in."""
    costs = summed((key[start:end], cost) for key, cost in found.costs.items())
    shown, hidden = folded(costs, found.asked.top)
    member = {key: key for key in shown} | dict.fromkeys(hidden, ())
    return [*shown, *([()] if hidden else [])], member


def _hidden(members: Mapping[Key, Key]) -> int:
    return sum(1 for told in members.values() if not told)


def _row_mark(names: Names, name: str, row: Key, place: int, found: Explored) -> Mark:
    if not row:
        return others(len({key[:1] for key in found.costs}) - found.asked.top)
    return Mark(names.title(name, row[0]), names.colour(name, row[0], place), "", names.further({name: row[0]}))


def _sum(costs: Costs, keys: Sequence[Key]) -> float:
    return float(total_of(costs.get(key, Decimal(0)) for key in keys))


def _parts(found: Explored, names: Names) -> figures.Figure:
    """The whole, and below every part its own largest parts; what is not positive has no room."""
    positive = {key: cost for key, cost in found.costs.items() if cost > 0}
    whole = Node("all", "", Mark(_("All of it"), "rgba(0,0,0,0)"), float(total_of(positive.values())))
    nodes = [whole, *_below(found, names, positive, (), "all", "")]
    return breakdown.parts(nodes, kind=found.asked.chart, currency=found.currency)


def _below(found: Explored, names: Names, costs: Costs, path: Key, above: str, colour: str) -> list[Node]:
    """The nodes below one, depth first: at most so many of each, and the others in one without anything below."""
    depth, by = len(path), found.asked.by
    if depth == len(by) or not costs:
        return []
    here = summed((key[: depth + 1], cost) for key, cost in costs.items())
    shown, hidden = folded(here, found.asked.top)
    nodes = []
    for place, key in enumerate(shown):
        mine = breakdown.shade(colour, 1) if colour else names.colour(by[depth], key[depth], place)
        values = dict(zip(by, key, strict=False))
        mark = Mark(names.title(by[depth], key[depth]), mine, "", names.further(values))
        node = Node(f"{above}/{place}", above, mark, float(here[key]))
        within = {one: cost for one, cost in costs.items() if one[: depth + 1] == key}
        nodes += [node, *_below(found, names, within, key, node.place, mine)]
    if hidden:
        nodes.append(Node(f"{above}/others", above, others(len(hidden)), _sum(here, hidden)))
    return nodes


def _heat_over_time(found: Explored, names: Names) -> figures.Figure:
    series = _bands(found, names)
    table = [costs for _mark, costs in series]
    drawn = table[:-1] if len(found.costs) > len(table) else table  # all others would outshine them
    return breakdown.heat(
        [mark for mark, _costs in series], _times(found), table, currency=found.currency,
        day_format=str(DAY_FORMAT[found.step]),
        strongest=max((cost for row in drawn for cost in row if cost), default=None),
    )  # fmt: skip


def _heat(found: Explored, names: Names) -> figures.Figure:
    """Rows of the first dimension against time or, without time, against the others; or all keys against time."""
    if found.step:
        return _heat_over_time(found, names)
    first, rest = found.asked.by[0], found.asked.by[1:]
    keys, shown = _side(found, 0, 1)
    across, members = _side(found, 1, len(found.asked.by))
    cells = summed(((shown[key[:1]], members[key[1:]]), cost) for key, cost in found.costs.items())
    named = [" · ".join(map(names.title, rest, key)) if key else others(_hidden(members)).title for key in across]
    marks = [_row_mark(names, first, key, place, found) for place, key in enumerate(keys)]
    table = [[_float(cells.get((row, column))) for column in across] for row in keys]
    strongest = max((float(cost) for (row, column), cost in cells.items() if row and column), default=None)
    return breakdown.heat(marks, named, table, currency=found.currency, strongest=strongest)


def _flows(found: Explored, names: Names) -> figures.Figure:
    """From left to right a column of nodes per dimension; one dimension alone flows out of the whole."""
    by = found.asked.by
    positive = {key: cost for key, cost in found.costs.items() if cost > 0}
    nodes: list[Mark] = []
    places: dict[tuple[int, Key], int] = {}
    members: list[dict[Key, Key]] = []
    if len(by) < 2:
        nodes.append(Mark(_("All of it"), colours.OTHERS, "", names.explanation))
    for depth, name in enumerate(by):
        costs = summed((key[depth : depth + 1], cost) for key, cost in positive.items())
        shown, hidden = folded(costs, found.asked.top)
        members.append({key: key for key in shown} | dict.fromkeys(hidden, ()))
        for place, key in enumerate([*shown, *([()] if hidden else [])]):
            places[depth, key] = len(nodes)
            nodes.append(_node(names, name, key, place, len(hidden)))
    return breakdown.flows(nodes, _links(positive, members, places, len(by)), currency=found.currency)


def _node(names: Names, name: str, key: Key, place: int, hidden: int) -> Mark:
    if not key:
        return others(hidden)
    return Mark(names.title(name, key[0]), names.colour(name, key[0], place), "", names.further({name: key[0]}))


def _links(
    costs: Costs, members: Sequence[Mapping[Key, Key]], places: Mapping[tuple[int, Key], int], depths: int
) -> list[Flow]:
    def at(depth: int, key: Key) -> int:
        return places[depth, members[depth][key[depth : depth + 1]]]

    if depths == 1:
        pairs = (((0, at(0, key)), cost) for key, cost in costs.items())
    else:
        pairs = (
            ((at(depth, key), at(depth + 1, key)), cost) for key, cost in costs.items() for depth in range(depths - 1)
        )
    return [Flow(source, target, float(cost)) for (source, target), cost in sorted(summed(pairs).items())]


_DRAWERS: dict[str, Callable[[Explored, Names], figures.Figure]] = {
    "area": _area,
    "bars": _bars,
    "treemap": _parts,
    "sunburst": _parts,
    "heatmap": _heat,
    "sankey": _flows,
}
