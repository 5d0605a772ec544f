"""Online and offline together: the batch work that online nodes can carry, hour by hour, evenings kept."""

import json

import yaml
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Series, heat, over
from apps.planning.drafts import (
    Column,
    Draft,
    Export,
    FigureShape,
    Planner,
    Slider,
    TableShape,
)
from apps.planning.planners.colocation_making import make
from apps.planning.reading.colocation import read
from apps.planning.words import moment_format, moments

WEEKDAYS = (
    gettext_lazy("Mon"), gettext_lazy("Tue"), gettext_lazy("Wed"), gettext_lazy("Thu"), gettext_lazy("Fri"),
    gettext_lazy("Sat"), gettext_lazy("Sun"),
)  # fmt: skip


def draw(draft: Draft, what: str) -> Figure:
    """Last week as it would have been, or the quotas of the coming week."""
    content = draft.content
    if what == "quotas":
        return heat([str(day) for day in WEEKDAYS], content["heat"], told=_("cores for batch work"), colour=PALETTE[1])
    hours = moments(content["first"], len(content["use"]))
    series = [
        Series(_("online work"), content["use"], PALETTE[0], "area"),
        Series(_("batch work let in"), content["batch"], PALETTE[1], "area"),
        Series(_("limit"), content["limit"], OTHERS, "dashed"),
        Series(_("room for batch work"), content["quota"], PALETTE[2], "step"),
    ]
    return over(Axis("", hours, moments=moment_format()), series, unit=_("cores"))


def config_map(draft: Draft) -> str:
    """The quotas as ConfigMaps: the thresholds Koordinator reads, and the curve for whoever sets quotas by the hour."""
    theta = round(100 * draft.content["theta"])
    settings = {"enable": True, "cpuReclaimThresholdPercent": theta, "memoryReclaimThresholdPercent": theta}
    curve = [{"day": day, "hour": hour, "cores": quota} for day, hour, quota, *_rest in draft.tables["week"]]
    maps = (
        ("slo-controller-config", "koordinator-system", {"colocation-config": json.dumps(settings, indent=2)}),
        ("costops-batch-quota", "koordinator-system", {"quotas.json": json.dumps(curve, indent=1)}),
    )
    return "".join(
        "---\n" + yaml.safe_dump(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data},
            sort_keys=False,
        )
        for name, namespace, data in maps
    )  # fmt: skip


PLANNER = Planner(
    name="colocation",
    title=gettext_lazy("Online and batch together"),
    about=gettext_lazy("How many cores batch work may take of online nodes in each hour, with the evening kept free."),
    version="3",
    read=read,
    make=make,
    draw=draw,
    sliders=(
        Slider("theta", gettext_lazy("How full nodes may be, online and batch together"), 30, 90, 5, 65, "%"),
        Slider("slowdown", gettext_lazy("Or how many times as long requests may take (1: no matter)"), 1, 10, 0.1, 1),
        Slider("guard", gettext_lazy("What batch may hold in the evening"), 0, 50, 5, 10, "%"),
        Slider("drain", gettext_lazy("Hours before the evening in which batch leaves"), 0, 6, 1, 1, "h"),
        Slider("ramp", gettext_lazy("Most that quotas may change in an hour"), 5, 100, 5, 25, "%"),
        Slider("breach", gettext_lazy("Hours that may exceed the limit"), 0.1, 5, 0.1, 0.5, "%"),
        Slider("wait", gettext_lazy("Hours batch work may wait"), 0, 36, 1, 12, "h"),
    ),
    tables=(
        TableShape(
            "evening", gettext_lazy("Into the evening and out of it, tomorrow"),
            (
                Column("hour", gettext_lazy("Hour"), "number"),
                Column("cores", gettext_lazy("Cores for batch"), "number"),
                Column("why", gettext_lazy("What binds"), "words"),
            ),
        ),
        TableShape(
            "week", gettext_lazy("The coming week"),
            (
                Column("day", gettext_lazy("Day")),
                Column("hour", gettext_lazy("Hour"), "number"),
                Column("cores", gettext_lazy("Cores for batch"), "number"),
                Column("room", gettext_lazy("Room below the limit"), "number"),
                Column("why", gettext_lazy("What binds"), "words"),
            ),
            most=0,
        ),
    ),
    figures=(
        FigureShape("week", gettext_lazy("The last week, replayed"), gettext_lazy("cores")),
        FigureShape("quotas", gettext_lazy("Cores for batch work, by hour of the coming week"), gettext_lazy("cores")),
    ),
    exports=(Export("configmap.yaml", "text/yaml", config_map),),
)  # fmt: skip
