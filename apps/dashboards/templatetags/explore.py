"""The way from a table of a page to the same question in the explorer."""

from datetime import date
from urllib.parse import parse_qs, urlsplit

from django import template
from django.urls import reverse

from apps.explorer.question import CONVERTED, MOST_GROUPS, Exploration, filter_names, groupings
from apps.finops.windows import ONE_DAY
from apps.marts.cell import FILTER_NAMES, values

register = template.Library()


@register.filter
def in_explorer(csv_url: str) -> str:
    """The explorer's address of the rows that an address of the API answers: its days, groups, filters and currency."""
    given = {name: texts[0] for name, texts in parse_qs(urlsplit(csv_url).query, keep_blank_values=True).items()}
    billed = given.pop(FILTER_NAMES["currency"], "")
    groups = [name for name in given.get("group_by", "").split(",") if name in groupings()]
    rows = [name for name in groups if name != "kind"] or groups
    asked = Exploration(
        metric=given.get("metric", "effective_cost"),
        period="custom",
        start=date.fromisoformat(given["start"]),
        last=date.fromisoformat(given["end"]) - ONE_DAY,
        by=tuple(rows[:MOST_GROUPS]),
        currency=f"{CONVERTED}{given['currency']}" if "currency" in given else billed,
        publication=int(given["as_of"]) if "as_of" in given else None,
    )
    filters = {name: values(key, given[key]) for name, key in filter_names().items() if key in given}
    return f"{reverse('explorer')}?{asked.filtered(filters).params()}"
