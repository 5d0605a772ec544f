"""The picture of the trend in a weekly mail: a PNG, for mailboxes show no interactive figures."""

import io
import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.reports.weeks import Week

CJK_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei")
LATIN_FONT = "DejaVu Sans"
INK, MUTED, WEEK_COLOUR, BEFORE_COLOUR = "#1f2733", "#6b7585", "#2f6fd0", "#c3cedd"
SIZE_INCHES, LOW_INCHES, DOTS_PER_INCH = (5.0, 2.1), (5.0, 1.35), 230


def trend_png(
    days: Sequence[date],
    costs: dict[date, Decimal],
    *,
    week: Week,
    weekly_mean: Decimal | None,
    weeks_in_mean: int,
    currency: str,
    is_low: bool = False,
) -> bytes:
    """Daily cost as bars, the report's week in its own colour, and the daily mean of the weeks before as a line; low
    where room is scarce."""
    cjk = _cjk_font()
    with translation.override(translation.get_language() if cjk else "en"):
        fonts = [font for font in (cjk, LATIN_FONT) if font]
        figure, axes = _canvas(fonts, LOW_INCHES if is_low else SIZE_INCHES)
        _bars(axes, days, costs, week=week, currency=currency)
        if weekly_mean is not None:
            words_of_mean = ngettext("mean of the week before", "mean of the %(n)d weeks before", weeks_in_mean)
            label, height = words_of_mean % {"n": weeks_in_mean}, float(weekly_mean) / 7
            axes.axhline(height, color=INK, linewidth=1, linestyle="--", label=label)
        words = {"family": fonts, "size": 8}
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(0, 1.38 if is_low else 1.22),
            ncols=3,
            frameon=False,
            prop=words,
            labelcolor=INK,
        )
        return _png(figure)


def _cjk_font() -> str | None:
    """The font that draws Chinese here, if there is one."""
    _prepare()
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CJK_FONTS if name in installed), None)


def _prepare() -> None:
    """Let matplotlib keep its list of fonts where we may write; it reads this once, when it is first imported."""
    folder = settings.COSTOPS_HOME / "tmp" / "matplotlib"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MPLCONFIGDIR", str(folder))


def _canvas(fonts: list[str], size: tuple[float, float]) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(BEFORE_COLOUR)
    axes.tick_params(colors=MUTED, labelsize=8, length=0, labelfontfamily=fonts)
    axes.grid(axis="y", color="#e8ecf2", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _bars(axes: Any, days: Sequence[date], costs: dict[date, Decimal], *, week: Week, currency: str) -> None:
    places = {day: place for place, day in enumerate(days)}
    earlier, current = [day for day in days if day < week.start], [day for day in days if day >= week.start]
    for shown, colour, label in (
        (earlier, BEFORE_COLOUR, _("weeks before")),
        (current, WEEK_COLOUR, _("this week")),
    ):
        heights = [float(costs.get(day, Decimal(0))) for day in shown]
        axes.bar([places[day] for day in shown], heights, width=0.78, color=colour, label=label)
    mondays = [day for day in days if day.weekday() == 0]
    axes.set_xticks([places[day] for day in mondays], [f"{day:%m-%d}" for day in mondays])
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:,.2f}" if 0 < abs(value) < 10 else f"{value:,.0f}")
    axes.set_title(currency, loc="right", fontsize=8, color=MUTED)


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
