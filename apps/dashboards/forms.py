"""The filter bar: reads a question from an address, and refuses what cannot be asked."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.dashboards.asking import CONVERTED, DEFAULT_METRIC, DEFAULT_PERIOD, METRICS, PERIODS, Asked
from apps.finops.currencies import CURRENCIES
from apps.finops.periods import windows
from apps.finops.windows import ONE_DAY, Window
from apps.marts.models import Publication
from apps.marts.query import BadQuestion, Scope

MAX_DAYS = 5 * 366
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)


class FilterForm(forms.Form):
    """Period, cost basis, currency; `last` is the last day of a custom period, itself included."""

    period = forms.ChoiceField(choices=list(PERIODS.items()), required=False)
    start = forms.DateField(required=False)
    last = forms.DateField(required=False)
    metric = forms.ChoiceField(choices=list(METRICS.items()), required=False)
    currency = forms.RegexField(rf"^({CONVERTED})?[A-Za-z]{{3,10}}$", required=False)
    publication = forms.IntegerField(required=False, min_value=1, max_value=2**62)

    def clean_currency(self) -> str:
        """Upper case; what is converted to is a code of ISO 4217."""
        given: str = self.cleaned_data["currency"]
        if not given.startswith(CONVERTED):
            return given.upper()
        if given.removeprefix(CONVERTED).upper() not in CURRENCIES:
            raise forms.ValidationError(_("This is not a currency code of ISO 4217."))
        return CONVERTED + given.removeprefix(CONVERTED).upper()

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("period") == "custom" and not self.errors:
            start, last = found.get("start"), found.get("last")
            if start is None or last is None:
                raise forms.ValidationError(_("A custom period needs its first and its last day."))
            if not EARLIEST <= start <= last <= LATEST or last - start > timedelta(days=MAX_DAYS):
                raise forms.ValidationError(
                    _("A custom period ends on or after the day it starts, and lasts at most five years.")
                )
        return found


def asked_publication(data: Any) -> int | None:
    """The publication an address names, if it names one."""
    text = data.get("publication", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadQuestion(str(_("A publication is a whole number.")))
    return int(text)


def read_question(data: Any, *, publication: Publication, scope: Scope) -> Asked:
    """The question an address asks of a publication, for a viewer."""
    form = FilterForm(data)
    if not form.is_valid():
        raise BadQuestion(" ".join(str(message) for messages in form.errors.values() for message in messages))
    given = form.cleaned_data
    period = given["period"] or DEFAULT_PERIOD
    custom = Window(given["start"], given["last"] + ONE_DAY) if period == "custom" else None
    end, whole = publication.came_until or LATEST, publication.whole_until or LATEST
    window, before = windows(period, end=end, custom=custom, whole=whole)
    return Asked(
        period=period,
        window=window,
        before=publication.published.beside(window, before),
        metric=given["metric"] or DEFAULT_METRIC,
        currency=given["currency"].removeprefix(CONVERTED),
        names_currency=bool(given["currency"]),
        reporting=given["currency"].removeprefix(CONVERTED) if given["currency"].startswith(CONVERTED) else "",
        publication=publication.number,
        pinned=given["publication"] is not None,
        scope=scope,
        first_day=publication.first_day or EARLIEST,
        came_until=end,
        whole_until=whole,
    )


def compared_with(data: Any) -> Window | None:
    """The days an address names to compare with; None where it names none."""
    told = [data.get(name, "") for name in ("before_start", "before_last")]
    if not any(told):
        return None
    try:
        start, last = (date.fromisoformat(text) for text in told)
    except ValueError:
        start, last = LATEST, EARLIEST
    if not EARLIEST <= start <= last <= LATEST:
        raise BadQuestion(str(_("The period compared with needs its first and its last day, as 2026-10-01.")))
    return Window(start, last + ONE_DAY)


def naming_compared(before: Window) -> dict[str, str]:
    """The parameters that name such days."""
    return {"before_start": before.start.isoformat(), "before_last": (before.end - ONE_DAY).isoformat()}
