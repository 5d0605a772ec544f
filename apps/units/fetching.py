"""Driver quantities from Prometheus: one query, evaluated over each day."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, add_up, parse_amount
from apps.finops.windows import ONE_DAY, Window
from apps.ingest.models import Source
from apps.ingest.prometheus.client import PrometheusClient, Series
from apps.ingest.sources import prometheus_config
from apps.units.csv_file import Quantity, is_driver_name

WINDOW = "[$window]"


class BadDriverQuery(CostOpsError):
    """A query, or its answer, that cannot be taken for quantities of a driver."""


def fetch(
    source: Source, query: str, *, driver: str, scope: str, label: str, window: Window, zone: ZoneInfo
) -> list[Quantity]:
    """The quantities of each day of a window: the query with `[$window]` as that day, by the value of a label.

    Values are rounded half-even to twelve decimals. A day for which nothing is answered has no quantity.
    """
    if not source.is_prometheus:
        raise BadDriverQuery(f"{source.name} is not a source of Prometheus.")
    if not is_driver_name(driver):
        raise BadDriverQuery(f"{driver!r} is not a name of a driver such as requests or gpu-seconds.")
    if WINDOW not in query:
        raise BadDriverQuery(f"The query has no {WINDOW}; write sum by ({label}) (increase(requests_total{WINDOW})).")
    found: list[Quantity] = []
    with PrometheusClient(prometheus_config(source)) as client:
        for day in window.days():
            start, end = Window(day, day + ONE_DAY).hours(zone)
            series = client.over(query, start=int(start.timestamp()), end=int(end.timestamp()))
            found += _of_day(series, day, driver=driver, scope=scope, label=label)
    return found


def _of_day(series: list[Series], day: date, *, driver: str, scope: str, label: str) -> Iterator[Quantity]:
    values: dict[str, list[Decimal]] = {}
    for one in series:
        subject = one["metric"].get(label, "")
        if not subject:
            raise BadDriverQuery(f"{day}: a series has no label {label}; sum by ({label}), or leave out what has none.")
        values.setdefault(subject, []).append(_value(one, f"{day}, {label} {subject}"))
    for subject, several in sorted(values.items()):
        yield Quantity(0, day, driver, scope, subject, add_up(several))


def _value(one: Series, where: str) -> Decimal:
    try:
        text = str(one["values"][0][1])
    except (LookupError, TypeError):
        raise BadDriverQuery(f"{where}: the server answered {str(one['values'])[:40]}, which is no sample.") from None
    try:
        value, _ = parse_amount(text)
    except NotAnAmount:
        raise BadDriverQuery(f"{where}: the server answered {text[:40]!r}, which is no quantity.") from None
    if value < 0:
        raise BadDriverQuery(f"{where}: the server answered {text[:40]}; a quantity is not negative.")
    return value
