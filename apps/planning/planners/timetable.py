"""Schedules: replicas for the classes of a timetable, or for a learned week, started early and changed seldom."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.calendars.selectors import imports
from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Bar, Series, over, scheduled
from apps.planning import timetable
from apps.planning.drafts import Bring, Column, Draft, Export, FigureShape, Planner, Slider, TableShape
from apps.planning.planners.timetable_making import make
from apps.planning.reading.timetable import read
from apps.planning.scaling import cron_hpa, keda
from apps.planning.words import moment_format, moments


def draw(draft: Draft, what: str) -> Figure:
    """The replicas of the coming week above its classes, those without enough in red; or the last week, replayed."""
    content = draft.content
    if what == "gantt":
        bars = []
        for name, start, end, students, missing in draft.tables["classes"]:
            said = f"{name} · " + _("%(n)s students") % {"n": students}
            bars.append(_bar(_("classes"), start, end, said, PALETTE[9] if missing else PALETTE[2]))
        return scheduled(*_steps(content["steps"]), bars, unit=_("replicas"))
    hours = moments(content["first"], len(content["used"]))
    series = [
        Series(_("used"), content["used"], PALETTE[0], "area"), Series(_("ran"), content["ran"], OTHERS, "step"),
        Series(_("demand"), content["demand"], PALETTE[3], "line"),
        Series(_("planned"), content["planned"], PALETTE[1], "step"),
    ]  # fmt: skip
    return over(Axis("", hours, moments=moment_format()), series, unit=_("cores"))


def _steps(steps: list[list[Any]]) -> tuple[Axis, Series]:
    """The replicas from step to step, until the last one ends."""
    ends = [steps[-1][1]] if steps else []
    counts = [count for _start, _end, count in steps]
    axis = Axis("", [start for start, _end, _count in steps] + ends, moments=moment_format())
    return axis, Series(_("replicas"), counts + counts[-1:], PALETTE[0], "area")


def _bar(row: str, start: str, end: str, told: str, colour: str) -> Bar:
    length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return Bar(row, start, end, int(length / timedelta(milliseconds=1)), told, colour)


def identity() -> str:
    """The version of the timetable, and what is known of working days."""
    newest = imports().values_list("number", "withdrawn_at").first()
    return f"{timetable.version()} {settings.COSTOPS_HOLIDAYS} {newest}"


PLANNER = Planner(
    name="timetable",
    title=gettext_lazy("Timetable schedules"),
    about=gettext_lazy("Replicas for every class, there when it begins and gone when it is over."),
    version="6",
    read=read,
    make=make,
    draw=draw,
    identity=identity,
    bring=Bring(gettext_lazy("Timetable of classes"), timetable.COLUMNS, timetable.take),
    sliders=(
        Slider("early", gettext_lazy("Minutes before a class for pulling and warming up"), 0, 60, 5, 10, "min"),
        Slider("quantile", gettext_lazy("Hours that are to have enough"), 80, 99.9, 0.1, 98, "%"),
        Slider("target", gettext_lazy("How much of a replica's request is used at most"), 30, 100, 5, 80, "%"),
        Slider("change", gettext_lazy("A change must save so many replica-minutes"), 0, 600, 10, 60),
        Slider("bounded", gettext_lazy("Stay within the autoscaler's bound (1) or not (0)"), 0, 1, 1, 0),
    ),
    tables=(
        TableShape(
            "classes", gettext_lazy("Classes of the coming week"),
            (
                Column("class", gettext_lazy("Class")),
                Column("start", gettext_lazy("Start")),
                Column("end", gettext_lazy("End")),
                Column("students", gettext_lazy("Students"), "number"),
                Column("missing", gettext_lazy("Replicas missing"), "number"),
            ),
        ),
        TableShape(
            "steps", gettext_lazy("Replicas of the coming week"),
            (
                Column("start", gettext_lazy("Start")),
                Column("end", gettext_lazy("End")),
                Column("replicas", gettext_lazy("Replicas"), "number"),
            ),
        ),
    ),
    figures=(
        FigureShape("replay", gettext_lazy("The last week, replayed"), gettext_lazy("cores")),
        FigureShape("gantt", gettext_lazy("The coming week"), gettext_lazy("replicas")),
    ),
    exports=(Export("cronhpa.yaml", "text/yaml", cron_hpa), Export("keda.yaml", "text/yaml", keda)),
)  # fmt: skip
