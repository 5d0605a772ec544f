"""The purchase mix of every currency: what to commit to month by month, and what else is cheaper than on demand."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Mark, Series, over
from apps.planning.drafts import Column, Draft, FigureShape, Planner, Slider, TableShape
from apps.planning.offers import table
from apps.planning.planners.columns import SAVING, TEAM
from apps.planning.planners.purchase_making import make
from apps.planning.planners.purchase_reading import read


def draw(draft: Draft, what: str) -> Figure:
    """Hours by their demand, highest first, or the ladder month by month."""
    content = draft.content
    if what == "ladder":
        held, now, later = content["months"]
        series = [
            Series(_("held"), held, PALETTE[0], "area"),
            Series(_("bought now"), now, PALETTE[1], "area"),
            Series(_("bought later"), later, PALETTE[2], "area"),
            Series(_("demand, mean of 30 days"), [content["level"]] * len(held), OTHERS, "dashed"),
        ]
        return over(Axis(_("months from now"), list(range(len(held)))), series, unit=content["currency"])
    places, demand = zip(*content["curve"], strict=True)
    marks = [Mark("y", content["held"], title=_("held")), Mark("y", content["advised"], title=_("with this plan"))]
    series = [Series(_("demand at list price"), list(demand), PALETTE[0], "line")]
    return over(Axis(_("hours, percent"), list(places)), series, unit=content["currency"], marks=marks)


_AN_HOUR = gettext_lazy("an hour, at list price")
_FAMILY = Column("family", gettext_lazy("Family or service"))
_REGION = Column("region", gettext_lazy("Region"))

PLANNER = Planner(
    name="purchase",
    title=gettext_lazy("Purchase mix"),
    about=gettext_lazy(
        "What to commit to month by month, what to leave to spot, serverless or on demand, and where memory lies."
    ),
    version="3",
    read=read,
    make=make,
    draw=draw,
    identity=table.version,
    sliders=(
        Slider("price", gettext_lazy("Price of commitments, against the price table"), 50, 150, 5, 100, "%"),
        Slider("pace", gettext_lazy("How much of what would pay is bought in a month"), 10, 100, 5, 40, "%"),
        Slider("hazard", gettext_lazy("Chance that demand falls for good, in a month"), 0, 20, 1, 6, "%"),
        Slider("fall", gettext_lazy("What if demand falls at once by"), 0, 90, 5, 30, "%"),
        Slider("interruptible", gettext_lazy("Work of jobs that may be interrupted"), 0, 100, 10, 50, "%"),
    ),
    tables=(
        TableShape(
            "pools", gettext_lazy("Demand and purchases by pool"),
            (
                TEAM, _FAMILY, _REGION,
                Column("on_demand_per_month", gettext_lazy("On demand a month"), "money"),
                Column("least_per_hour", gettext_lazy("Least an hour, at list price"), "money"),
                Column("mean_per_hour", gettext_lazy("Mean an hour"), "money"),
                Column("held_per_hour", gettext_lazy("Held"), "money"),
                Column("bought_per_hour", gettext_lazy("To buy now"), "money"),
                SAVING,
                Column("low", gettext_lazy("Low (10 of 100)"), "money"),
                Column("high", gettext_lazy("High (90 of 100)"), "money"),
                Column("fallen", gettext_lazy("If demand falls at once"), "money"),
            ),
        ),
        TableShape(
            "purchases", gettext_lazy("Purchases by month"),
            (
                Column("month", gettext_lazy("Months from now"), "number"),
                TEAM, _FAMILY, _REGION,
                Column("offer", gettext_lazy("Offer")),
                Column("term_months", gettext_lazy("Term, months"), "number"),
                Column("amount_per_hour", gettext_lazy("Covers an hour, at list price"), "money"),
                Column("cost_per_month", gettext_lazy("Cost a month"), "money"),
                Column("break_even", gettext_lazy("Pays from, of hours"), "share"),
            ),
        ),
        TableShape(
            "existing", gettext_lazy("What is already bought"),
            (
                Column("commitment", gettext_lazy("Commitment")),
                Column("type", gettext_lazy("Type")),
                Column("ends", gettext_lazy("Ends")),
                Column("cost_per_month", gettext_lazy("Cost a month"), "money"),
                Column("list_cost_per_month", gettext_lazy("List price of what it covered"), "money"),
                Column("unused_per_month", gettext_lazy("Unused"), "money"),
                Column("utilisation", gettext_lazy("Utilisation"), "share"),
                Column("savings_rate", gettext_lazy("Savings rate"), "share"),
                Column("break_even", gettext_lazy("Pays from utilisation"), "share"),
            ),
        ),
        TableShape(
            "mix", gettext_lazy("Where a month goes"),
            (
                TEAM, _FAMILY, _REGION,
                Column("way", gettext_lazy("Way to buy"), "words"),
                Column("offer", gettext_lazy("Offer")),
                Column("on_demand", gettext_lazy("On demand it would cost"), "money"),
                Column("cost", gettext_lazy("Cost a month"), "money"),
                Column("saving", gettext_lazy("Saves a month"), "money"),
            ),
        ),
        TableShape(
            "memory", gettext_lazy("Memory tier of each database"),
            (
                Column("database", gettext_lazy("Database")),
                Column("gib", gettext_lazy("GiB"), "number"),
                Column("today", gettext_lazy("Tier today")),
                Column("tier", gettext_lazy("Tier")),
                Column("billed_per_month", gettext_lazy("Billed a month"), "money"),
                Column("cost_per_month", gettext_lazy("Cost a month there"), "money"),
                SAVING,
            ),
        ),
    ),
    figures=(
        FigureShape("duration", gettext_lazy("Demand of the last 30 days, highest hour first"), _AN_HOUR),
        FigureShape("ladder", gettext_lazy("Commitments by month"), _AN_HOUR),
    ),
)  # fmt: skip
