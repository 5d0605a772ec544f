"""Right-sizing: the cores and GiB every workload should ask for, and the nodes that can leave when it does."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Series, cloud, over
from apps.planning.drafts import (
    Column,
    Draft,
    Export,
    FigureShape,
    Planner,
    Slider,
    TableShape,
)
from apps.planning.patches import patches
from apps.planning.planners.columns import NAMESPACE, SAVING, TEAM, WORKLOAD
from apps.planning.planners.rightsizing_making import make
from apps.planning.reading.rightsizing import DAY, read
from apps.planning.words import moment_format, moments


def draw(draft: Draft, what: str) -> Figure:
    """Requests against risk, or the last two weeks as they would have been asked for."""
    content = draft.content
    if what == "risk":
        points = content["points"]
        pareto, least = [], float("inf")
        for asked, chance in points:
            if chance < least:
                pareto.append([asked, chance])
                least = chance
        rule, line = (
            Series(_("every rule and margin"), _second(points), OTHERS, "points"),
            _("the least risk for the cores"),
        )
        drawn = [(rule, _first(points)), (Series(line, _second(pareto), PALETTE[0], "line"), _first(pareto))]
        for place, row in enumerate(draft.tables["strategies"]):
            drawn.append((Series(row[0], [row[2]], PALETTE[place + 1], "points"), [row[1]]))
        return cloud(drawn, across=_("cores asked for, as a part of now"), upward=_("hours above the request"))
    if what == "memory":
        drawn = [
            (Series(row[0], [row[5]], PALETTE[place], "points"), [row[4]])
            for place, row in enumerate(draft.tables["strategies"])
            if row[4] is not None
        ]
        return cloud(drawn, across=_("GiB asked for, as a part of now"), upward=_("days with a peak above the request"))
    hours = moments(content["first"], len(content["used"]))
    advised = [content["advised"][hour // DAY] for hour in range(len(hours))]
    series = [
        Series(_("peaks of use, all workloads"), content["used"], PALETTE[0], "line"),
        Series(_("asked for now"), [content["asked"]] * len(hours), OTHERS, "dashed"),
        Series(_("advised, decided each day"), advised, PALETTE[2], "step"),
    ]
    return over(Axis("", hours, moments=moment_format()), series, unit=_("cores"))


def _first(points: list[list[float]]) -> list[float]:
    return [one for one, _ in points]


def _second(points: list[list[float]]) -> list[float]:
    return [other for _, other in points]


PLANNER = Planner(
    name="rightsizing",
    title=gettext_lazy("Right-sizing"),
    about=gettext_lazy("The cores and memory every workload should ask for, and the nodes that leave when it does."),
    version="4",
    read=read,
    make=make,
    draw=draw,
    sliders=(
        Slider("risk", gettext_lazy("Hours that may peak above the request"), 0.05, 5, 0.05, 0.5, "%"),
        Slider("memory_risk", gettext_lazy("Days on which memory may peak above it"), 0.01, 2, 0.01, 0.1, "%"),
        Slider("margin", gettext_lazy("Margin on top"), 0, 100, 5, 0, "%"),
        Slider("raise", gettext_lazy("Raise what asks for too little (1) or leave it (0)"), 0, 1, 1, 0),
    ),
    tables=(
        TableShape(
            "workloads", gettext_lazy("Workloads"),
            (
                NAMESPACE, WORKLOAD, TEAM,
                Column("verdict", gettext_lazy("Verdict"), "words"),
                Column("cpu_now", gettext_lazy("Cores now"), "number"),
                Column("cpu", gettext_lazy("Cores advised"), "number"),
                Column("memory_now", gettext_lazy("GiB now"), "number"),
                Column("memory", gettext_lazy("GiB advised"), "number"),
                SAVING,
                Column("throttled", gettext_lazy("Hours above"), "share"),
                Column("killed", gettext_lazy("Chance of a kill a day"), "share"),
                Column("history_days", gettext_lazy("Days known"), "number"),
                Column("workload_kind", gettext_lazy("Kind")),
            ),
        ),
        TableShape(
            "strategies", gettext_lazy("Beside the rules of others, replayed alike"),
            (
                Column("strategy", gettext_lazy("Rule")),
                Column("asked", gettext_lazy("Cores, as a part of now"), "share"),
                Column("throttled", gettext_lazy("Hours above"), "share"),
                Column("bad_days", gettext_lazy("Bad days"), "share"),
                Column("asked_memory", gettext_lazy("GiB, as a part of now"), "share"),
                Column("killed", gettext_lazy("Chance of a kill a day"), "share"),
            ),
        ),
    ),
    figures=(
        FigureShape("replay", gettext_lazy("The last two weeks, replayed"), gettext_lazy("cores")),
        FigureShape("risk", gettext_lazy("What a core less risks"), ""),
        FigureShape("memory", gettext_lazy("What a GiB less risks"), ""),
    ),
    exports=(Export("patches.yaml", "text/yaml", patches),),
)  # fmt: skip
