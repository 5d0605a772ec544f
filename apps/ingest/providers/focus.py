"""FOCUS 1.0 to 1.3 from anyone: the columns are the charges' own."""

from apps.finops import focus
from apps.ingest.bill.mapping import Input, Kind, Mapping
from apps.ingest.providers.base import Provider


def _kind(column: str) -> Kind:
    if column in focus.JSON_COLUMNS:
        return "json"
    return {focus.MONEY: "money", focus.TIME: "time"}.get(focus.COLUMNS[column], "text")  # type: ignore[return-value]  # kinds


_RENAMED = {"ProviderName": "ServiceProviderName", "PublisherName": "HostProviderName"}
"""FOCUS 1.3 says the same under new names, 1.4 drops the old ones: each is taken from the other where it is missing."""
_SAME = {old: f'coalesce("{old}", "{new}")' for old, new in _RENAMED.items()}
_SAME |= {new: f'coalesce("{new}", "{old}")' for old, new in _RENAMED.items()}

MAPPING = Mapping(
    name="focus",
    version=1,
    inputs={name: Input((name,), _kind(name), required=name in focus.REQUIRED) for name in focus.COLUMNS},
    columns={name: _SAME.get(name, f'"{name}"') for name in focus.COLUMNS},
    control={"BilledCost": "BilledCost", "EffectiveCost": "EffectiveCost"},
    currency="BillingCurrency",
    keeps="all",
)

PROVIDER = Provider("focus", "FOCUS billing export", (MAPPING,))
