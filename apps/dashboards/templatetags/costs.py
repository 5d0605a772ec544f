"""How amounts, shares and moments are written: rounding happens here and nowhere else."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from functools import lru_cache

from django import template
from django.conf import settings
from django.utils.dateformat import format as format_date
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from apps.charts import labels
from apps.dashboards.lines import Part
from apps.dashboards.zones import shown_in
from apps.finops import written

register = template.Library()

_WIDE = Context(prec=80)


@register.simple_tag
def company() -> str:
    """The company's name, to stand beside ours; empty where nobody gave one."""
    return "" if settings.COSTOPS_COMPANY == "CostOps" else labels.plain(settings.COSTOPS_COMPANY)


@register.simple_block_tag
def scrolling(content: SafeString, label: str) -> SafeString:
    """A table that may be wider than its page: a region of this name, which keys scroll as well."""
    return format_html('<div class="scroll" tabindex="0" role="region" aria-label="{}">{}</div>', label, content)


money = register.filter(written.money)
change = register.filter(written.change)
percent = register.filter(written.percent)


@register.filter
def precise(amount: Decimal | None) -> str:
    """A cost per unit: two decimals or four digits that count, whichever is more."""
    if amount is None or not amount or abs(amount) >= 100:
        return money(amount)
    exponent = min(amount.adjusted() - 3, -2)
    return written.signed(written.rounded(amount, Decimal(1).scaleb(exponent)), plus=False)


@register.filter
def quantity(amount: Decimal | None) -> str:
    """A number of units, as many decimals as it has."""
    return "–" if amount is None else f"{_WIDE.normalize(amount):,f}"


@register.filter
def units(amount: Decimal | None) -> str:
    """Cores, GiB or GPUs on average: a decimal where there are few."""
    if amount is None:
        return "–"
    return f"{amount:,.0f}" if abs(amount) >= 100 else f"{amount:,.1f}" if abs(amount) >= 1 else f"{amount:.2f}"


@register.simple_tag
def explained(amount: Decimal | None, url: str = "", form: str = "money") -> SafeString:
    """An amount, exact when pointed at, that leads to what explains it where anything does.

    `form` is `money`, `change` (with its sign), or `part` for what is a part of an amount that stands there as well.
    """
    told = change(amount) if form == "change" else money(amount)
    tag = '<data value="{0}" title="{0}">{1}</data>' if form == "money" else '<span title="{0}">{1}</span>'
    data = format_html(tag, exact(amount), told)
    return format_html('<a class="cell" href="{}">{}</a>', url, data) if url else data


@register.simple_tag
def amounts(totals: Iterable[tuple[str, Decimal]], form: str = "money") -> str:
    """An amount for each currency, exact when pointed at; `form` is `money`, or `change` (with its sign)."""
    write = change if form == "change" else money
    rows = ((exact(total), write(total), plain(currency)) for currency, total in totals)
    return format_html_join("", '<div title="{}">{} {}</div>', rows) or "–"


@register.filter
def exact(amount: Decimal | None) -> str:
    """Every stored decimal, as a program would read it."""
    return "" if amount is None else f"{amount:f}"


@register.filter
def trimmed(amount: Decimal) -> str:
    """Every decimal that is not a zero at the end."""
    return f"{_WIDE.normalize(amount):f}"


@register.filter
def difference(amount: Decimal) -> str:
    """Zero as `0`, anything else exact: a difference is never rounded away."""
    return "0" if amount == 0 else exact(amount)


@register.filter
def count(number: int) -> str:
    """A whole number with thousands separators."""
    return f"{number:,}"


@register.filter
def change_percent(share: Decimal | None) -> str:
    """`percent` that shows a plus sign; beyond 9,999 % a ratio says nothing."""
    return _("new") if share is None else written.change_percent(share)


@register.filter
def parts(kinds: Iterable[Part]) -> str:
    """The kinds of a line in words: what its bar says to whoever does not see it."""
    return _(", ").join(f"{part.title} {money(part.cost)}" for part in kinds)


@register.filter
def coverage(share: Decimal | None) -> str:
    """Observed of expected samples."""
    return _("not measured") if share is None else f"{written.rounded(share * 100):f} %"


@register.filter
def plain(text: str | Promise) -> str:
    """A name from outside, in one short line, without marks that reorder it."""
    return labels.plain(str(text))


@register.filter
def told(text: str) -> str:
    """`plain`, for sentences that name files and people: longer than a name."""
    return labels.plain(text, limit=1000)


@register.filter
def day(value: date | None) -> str:
    """A day as people write it."""
    if value is None:
        return "–"
    if isinstance(value, datetime):  # of two that are equal each may be another day where it was told
        return format_date(value, pgettext("date format", "j M Y"))
    return _day(value, get_language())


@lru_cache(maxsize=4000)
def _day(value: date, _language: str | None) -> str:
    """Pages show the same days again and again, and to find out how a language writes them takes long."""
    return format_date(value, pgettext("date format", "j M Y"))


@register.filter
def days_to(first: date, last: date) -> str:
    """The days from the first to the last, as people write them."""
    return day_range(first, last)


def day_range(first: date, last: date) -> str:
    """The days from the first to the last, both included."""
    return day(first) if first == last else f"{day(first)} – {day(last)}"


@register.filter
def moment(value: datetime | None) -> str:
    """A moment in the business time zone, or in one's own, which is named."""
    if value is None:
        return "–"
    local = value.astimezone(shown_in())
    return f"{format_date(local, pgettext('date format', 'j M Y'))} {local:%H:%M} {local:%Z}"


_SPANS: tuple[tuple[timedelta, timedelta, Callable[[int], str]], ...] = (
    (timedelta(days=2), timedelta(days=1), lambda n: ngettext("%(n)d day", "%(n)d days", n)),
    (timedelta(hours=2), timedelta(hours=1), lambda n: ngettext("%(n)d hour", "%(n)d hours", n)),
    (timedelta(minutes=2), timedelta(minutes=1), lambda n: ngettext("%(n)d minute", "%(n)d minutes", n)),
    (timedelta(seconds=1), timedelta(seconds=1), lambda n: ngettext("%(n)d second", "%(n)d seconds", n)),
)
"""From this length on → the unit, and its words."""


@register.filter
def span(length: timedelta | None) -> str:
    """A length of time in its largest sensible unit."""
    if length is None:
        return "–"
    if length < timedelta(seconds=1):
        return _("under a second")
    unit, words = next((unit, words) for least, unit, words in _SPANS if length >= least)
    return words(length // unit) % {"n": length // unit}
