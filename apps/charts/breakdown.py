"""Figures of how cost divides: areas, ranked bars, rectangles, rings, heat and flows; what is clicked leads on.

Every mark carries the address it leads to (`customdata`, or `meta.link` of a series); the page's script follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.charts.colours import OTHERS
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label

FLAT_MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}


@dataclass(frozen=True)
class Mark:
    """One thing of a figure: the name people read, its colour and hatching, where it leads."""

    title: str
    colour: str
    pattern: str = ""
    link: str = ""


@dataclass(frozen=True)
class Node:
    """A part of a whole: `place` names it, `above` the part it belongs to (empty: the whole itself has none)."""

    place: str
    above: str
    mark: Mark
    cost: float


@dataclass(frozen=True)
class Flow:
    """Cost that goes from one node of a figure of flows to another; both by their number."""

    source: int
    target: int
    cost: float
    link: str = ""


Series = Sequence[tuple[Mark, Sequence[float | None]]]


def stacked(times: Sequence[date], series: Series, *, currency: str, day_format: str, is_area: bool) -> Figure:
    """Cost over time, one band per mark, the first at the bottom: as areas, or as bars. None is no cost known there."""
    draw = _area if is_area else _bar
    days = [day.isoformat() for day in times]
    layout = time_layout(day_format)
    if not is_area:
        layout |= {"barmode": "relative", "bargap": 0.18}
    return {"data": [draw(mark, days, costs, currency) for mark, costs in series], "layout": layout}


def with_line(figure: Figure, points: Sequence[tuple[date, float]], *, title: str, currency: str) -> Figure:
    """A figure over time with a dotted line of what it is compared with."""
    line = _series(Mark(title, OTHERS), [day.isoformat() for day, _ in points], [cost for _, cost in points], currency)
    line |= {"type": "scatter", "mode": "lines", "line": {"color": OTHERS, "width": 2, "dash": "dot"}}
    return figure | {"data": [*figure["data"], line]}


def with_marks(figure: Figure, marks: Sequence[tuple[date, date, str]]) -> Figure:
    """A figure over time with numbered marks on days (first, last, what is told of them); one for all of a day."""
    layout: Figure = figure["layout"]
    shapes: list[Figure] = []
    notes: list[Figure] = []
    for number, (first, last, _) in enumerate(marks, start=1):
        line = {"color": OTHERS, "width": 1, "dash": "dot"}
        shape: Figure = {
            "type": "line",
            "x0": first.isoformat(),
            "x1": first.isoformat(),
            "line": line,
            "layer": "above",
        }
        if last > first:
            fill = "rgba(125, 135, 148, 0.16)"
            shape |= {"type": "rect", "x1": last.isoformat(), "fillcolor": fill, "line": {"width": 0}, "layer": "below"}
        shapes.append(shape | {"xref": "x", "yref": "paper", "y0": 0, "y1": 1})
        if notes and notes[-1]["x"] == first.isoformat():
            notes[-1]["text"] += f" {number}"
            notes[-1]["hovertext"] += f"<br>{_told(marks[number - 1])}"
            continue
        notes.append(
            {
                "x": first.isoformat(), "y": 1, "xref": "x", "yref": "paper", "yanchor": "top", "xanchor": "left",
                "text": str(number), "hovertext": _told(marks[number - 1]), "showarrow": False, "borderpad": 2,
                "font": {"size": 11, "color": "#ffffff"}, "bgcolor": OTHERS,
            }
        )  # fmt: skip
    return figure | {
        "layout": layout
        | {"shapes": [*layout.get("shapes", []), *shapes], "annotations": [*layout.get("annotations", []), *notes]}
    }


def _told(mark: tuple[date, date, str]) -> str:
    first, last, text = mark
    return f"{first} {label(text)}" if first == last else f"{first} – {last} {label(text)}"


def ranked(rows: Sequence[Mark], series: Series, *, currency: str, is_grouped: bool = False) -> Figure:
    """One lying bar per row, the first on top, divided by series or (grouped) with the series beside each other."""
    names = _apart([label(row.title) for row in rows])
    bars = [
        {
            "type": "bar", "orientation": "h", "name": label(mark.title), "y": names, "x": list(costs),
            "marker": _marker(mark), "customdata": [row.link for row in rows], "cliponaxis": False,
            "hovertemplate": f"%{{y}}<br>{label(mark.title)}<br><b>%{{x:,.2f}}</b> {label(currency)}<extra></extra>",
        }
        for mark, costs in series
    ]  # fmt: skip
    layout = time_layout("")
    return {
        "data": bars,
        "layout": layout | {
            "barmode": "group" if is_grouped else "relative", "bargap": 0.25, "showlegend": len(bars) > 1,
            "xaxis": {"tickformat": ",~s", "zeroline": True, "fixedrange": True, "automargin": True, "nticks": 6},
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "fixedrange": True},
        },
    }  # fmt: skip


def coloured(rows: Sequence[Mark], series: Sequence[float], *, currency: str) -> Figure:
    """`ranked` where every bar has the colour of its row."""
    figure = ranked(rows, [(Mark("", OTHERS), series)], currency=currency)
    (bars,) = figure["data"]
    bars |= {
        "marker": {"color": [row.colour for row in rows], "line": {"width": 0}},
        "hovertemplate": f"%{{y}}<br><b>%{{x:,.2f}}</b> {label(currency)}<extra></extra>",
    }
    return figure


def parts(nodes: Sequence[Node], *, kind: str, currency: str) -> Figure:
    """The parts of a whole as rectangles (`treemap`) or rings (`sunburst`); the first node is the whole."""
    told = "%{label}<br>%{percentRoot:.1%}"
    drawn: Figure = {
        "type": kind, "branchvalues": "total", "ids": [node.place for node in nodes],
        "parents": [node.above for node in nodes], "labels": [label(node.mark.title) for node in nodes],
        "values": [node.cost for node in nodes], "customdata": [node.mark.link for node in nodes], "sort": False,
        "marker": {"colors": [node.mark.colour for node in nodes], "line": {"width": 1}},
        "hovertemplate": f"%{{label}}<br><b>%{{value:,.2f}}</b> {label(currency)}, %{{percentRoot:.1%}}<extra></extra>",
        "texttemplate": ["" if kind == "treemap" else told, *[told] * (len(nodes) - 1)],
    }  # fmt: skip
    if kind == "treemap":
        drawn |= {"pathbar": {"visible": False}, "tiling": {"pad": 2}, "textfont": {"color": "#ffffff"}}
    else:
        drawn |= {"insidetextorientation": "auto", "leaf": {"opacity": 1}, "insidetextfont": {"color": "#ffffff"}}
    layout = {
        "margin": dict(FLAT_MARGIN),
        "hoverlabel": {"align": "left"},
        "uniformtext": {"minsize": 10, "mode": "hide"},
    }
    return {"data": [drawn], "layout": layout}


def heat(
    rows: Sequence[Mark], columns: Sequence[Any], costs: Sequence[Sequence[float | None]], *, currency: str,
    day_format: str = "", strongest: float | None = None,
) -> Figure:  # fmt: skip
    """Cost as heat: a row per mark, a column per time step (with a `day_format`) or per name. None stays empty.

    From `strongest` on the colour is the same: what adds up many others would leave none for them.
    """
    is_time = bool(day_format)
    layout = time_layout(day_format)
    across = layout["xaxis"] if is_time else {"type": "category", "automargin": True, "fixedrange": True}
    drawn = {
        "type": "heatmap", "z": [list(row) for row in costs], "y": _apart([label(row.title) for row in rows]),
        "x": [day.isoformat() for day in columns] if is_time else _apart([label(str(name)) for name in columns]),
        "coloraxis": "coloraxis", "xgap": 1, "ygap": 1, "hoverongaps": False,
        "meta": {"rows": [row.link for row in rows]},
        "hovertemplate": f"%{{y}}<br>%{{x}}<br><b>%{{z:,.2f}}</b> {label(currency)}<extra></extra>",
    }  # fmt: skip
    return {
        "data": [drawn],
        "layout": layout | {
            "xaxis": across,
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "fixedrange": True},
            "coloraxis": _scale(strongest) | {"colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": ",~s"}},
        },
    }  # fmt: skip


def _scale(strongest: float | None) -> Figure:
    return {} if not strongest or strongest <= 0 else {"cmin": 0, "cmax": strongest}


def flows(nodes: Sequence[Mark], links: Sequence[Flow], *, currency: str) -> Figure:
    """Where cost goes, from left to right: a node per mark, a band per flow in the colour of where it comes from."""
    drawn = {
        "type": "sankey", "arrangement": "fixed", "valueformat": ",.2f", "valuesuffix": f" {label(currency)}",
        "node": {
            "label": [label(node.title) for node in nodes], "color": [node.colour for node in nodes],
            "customdata": [node.link for node in nodes], "pad": 14, "thickness": 14, "line": {"width": 0},
            "hovertemplate": "%{label}<br><b>%{value}</b><extra></extra>",
        },
        "link": {
            "source": [flow.source for flow in links], "target": [flow.target for flow in links],
            "value": [flow.cost for flow in links], "customdata": [flow.link for flow in links],
            "color": [faint(nodes[flow.source].colour) for flow in links],
            "hovertemplate": "%{source.label} → %{target.label}<br><b>%{value}</b><extra></extra>",
        },
    }  # fmt: skip
    return {"data": [drawn], "layout": {"margin": FLAT_MARGIN | {"t": 16, "b": 16}, "hoverlabel": {"align": "left"}}}


def faint(colour: str, share: float = 0.38) -> str:
    """A colour that lets what is behind it through."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share})"


def shade(colour: str, depth: int) -> str:
    """A darker tone of a colour for what is below it: white text on it reads the better."""
    share = 0.88**depth
    return "#" + "".join(f"{round(int(colour[place : place + 2], 16) * share):02x}" for place in (1, 3, 5))


def _apart(names: Sequence[str]) -> list[str]:
    """Names of which no two are the same: an axis would draw those on top of each other."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name + "\u200b" * (seen[name] - 1))
    return told


def _marker(mark: Mark) -> Figure:
    marker: Figure = {"color": mark.colour, "line": {"width": 0}}
    if mark.pattern:
        marker["pattern"] = _hatching(mark.pattern) | {"fillmode": "overlay"}
    return marker


def _hatching(pattern: str) -> Figure:
    return {"shape": pattern, "size": 5, "solidity": 0.25, "fgcolor": "#ffffff"}


def _bar(mark: Mark, days: Sequence[str], costs: Sequence[float | None], currency: str) -> Figure:
    return _series(mark, days, costs, currency) | {"type": "bar", "marker": _marker(mark)}


def _area(mark: Mark, days: Sequence[str], costs: Sequence[float | None], currency: str) -> Figure:
    area = {
        "type": "scatter", "mode": "lines", "stackgroup": "cost", "line": {"width": 1, "color": mark.colour},
        "fillcolor": faint(mark.colour, 0.82), "hoveron": "points",
    }  # fmt: skip
    if mark.pattern:
        area["fillpattern"] = _hatching(mark.pattern) | {"bgcolor": mark.colour}
    return _series(mark, days, [cost or 0.0 for cost in costs], currency) | area


def _series(mark: Mark, days: Sequence[str], costs: Sequence[float | None], currency: str) -> Figure:
    name = label(mark.title)
    return {
        "name": name, "x": list(days), "y": list(costs), "meta": {"link": mark.link},
        "hovertemplate": f"{name}<br>%{{x}}<br><b>%{{y:,.2f}}</b> {label(currency)}<extra></extra>",
    }  # fmt: skip
