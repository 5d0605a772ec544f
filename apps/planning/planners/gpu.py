"""GPU sharing: which pods share a card, which nodes can be given back, and the moves that get there."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Mark, Series, over
from apps.planning.drafts import (
    Column,
    Draft,
    Export,
    FigureShape,
    Planner,
    Slider,
    TableShape,
)
from apps.planning.patches import sharing
from apps.planning.planners.columns import NAMESPACE, TEAM, WORKLOAD
from apps.planning.planners.gpu_making import make
from apps.planning.reading.gpu import read
from apps.planning.words import moment_format, moments


def draw(draft: Draft, what: str) -> Figure:
    """Cards by pool before and after, or the fullest shared cards hour by hour."""
    content = draft.content
    if what == "cards":
        names = [pool or "–" for pool in content["pools"]]
        bars = [
            {"type": "bar", "name": title, "x": names, "y": content[key], "marker": {"color": colour},
             "hovertemplate": f"%{{x}}<br><b>%{{y}}</b> {title}<extra></extra>"}
            for title, key, colour in ((_("cards now"), "before", OTHERS), (_("cards kept"), "after", PALETTE[0]))
        ]  # fmt: skip
        drawn = over(Axis("", []), [], unit="")
        drawn["layout"]["xaxis"] |= {"type": "category"}
        return drawn | {"data": bars, "layout": drawn["layout"] | {"barmode": "group", "bargap": 0.4}}
    series = [Series(name, values, PALETTE[place], "line") for place, (name, values) in enumerate(content["lines"])]
    hours = moments(content["first"], max((len(one.values) for one in series), default=0))
    axis = Axis("", hours, moments=moment_format())
    return over(axis, series, unit=_("of a card"), marks=[Mark("y", 1)], shares=True)


PLANNER = Planner(
    name="gpu",
    title=gettext_lazy("GPU sharing"),
    about=gettext_lazy("Which pods can share a card, which GPU nodes that frees, and the moves that get there."),
    version="4",
    read=read,
    make=make,
    draw=draw,
    sliders=(
        Slider("mode", gettext_lazy("Whole cards (0), shares (1), or MIG partitions (2)"), 0, 2, 1, 1),
        Slider("headroom", gettext_lazy("Kept free of a shared card"), 0, 50, 5, 10, "%"),
        Slider("overload", gettext_lazy("Hours in which peaks may exceed a card"), 0, 5, 0.1, 0.5, "%"),
        Slider("size", gettext_lazy("Cores and memory as used (1) or as asked for (0)"), 0, 1, 1, 1),
    ),
    tables=(
        TableShape(
            "nodes", gettext_lazy("Nodes given back"),
            (
                Column("node", gettext_lazy("Node")),
                Column("pool", gettext_lazy("Pool")),
                Column("instance_type", gettext_lazy("Instance type")),
                Column("cards", gettext_lazy("Cards"), "number"),
                TEAM,
                Column("price", gettext_lazy("Saves a month"), "money"),
            ),
        ),
        TableShape(
            "moves", gettext_lazy("Moves, in their order"),
            (
                Column("step", gettext_lazy("Step"), "number"),
                Column("pod", gettext_lazy("Pod")),
                Column("source", gettext_lazy("From")),
                Column("target", gettext_lazy("To")),
                Column("card", gettext_lazy("Card")),
                Column("share", gettext_lazy("Share"), "share"),
                Column("partition", gettext_lazy("Partition")),
            ),
        ),
        TableShape(
            "cards", gettext_lazy("Who shares which card afterwards"),
            (
                Column("node", gettext_lazy("Node")),
                Column("card", gettext_lazy("Card"), "number"),
                WORKLOAD,
                Column("pod", gettext_lazy("Pod")),
                Column("share", gettext_lazy("Share"), "share"),
                Column("card_gib", gettext_lazy("GiB of the card"), "number"),
                Column("partition", gettext_lazy("Partition")),
                Column("first_slice", gettext_lazy("First slice"), "number"),
            ),
        ),
        TableShape(
            "workloads", gettext_lazy("Workloads"),
            (
                NAMESPACE, WORKLOAD,
                Column("pods", gettext_lazy("Pods"), "number"),
                Column("share", gettext_lazy("Share"), "share"),
                Column("card_gib", gettext_lazy("GiB of the card"), "number"),
                Column("cores", gettext_lazy("Cores"), "number"),
                Column("gib", gettext_lazy("GiB"), "number"),
                Column("partition", gettext_lazy("Partition")),
                Column("verdict", gettext_lazy("Verdict"), "words"),
            ),
        ),
    ),
    figures=(
        FigureShape("cards", gettext_lazy("Cards by pool"), gettext_lazy("cards")),
        FigureShape(
            "hours", gettext_lazy("The fullest shared cards, hour by hour"), gettext_lazy("of a card"), of="lines"
        ),
    ),
    exports=(Export("sharing.yaml", "text/yaml", sharing),),
)  # fmt: skip
