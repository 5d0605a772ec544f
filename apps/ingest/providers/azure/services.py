"""Which service an Azure resource belongs to, and that service's FOCUS category, as expressions over a bill's inputs.

The table is the FinOps toolkit's (`LICENSE.services.txt`). The expressions read the inputs `resource_id`,
`consumed_service`, `meter_category` and `service_family`.
"""

import csv
from pathlib import Path

TABLE = Path(__file__).with_name("services.csv")

_FAMILIES = {
    "ai + machine learning": "AI and Machine Learning",
    "analytics": "Analytics",
    "azure arc": "Multicloud",
    "azure security": "Security",
    "azure stack": "Multicloud",
    "compute": "Compute",
    "containers": "Compute",
    "databases": "Databases",
    "developer tools": "Developer Tools",
    "identity": "Identity",
    "integration": "Integration",
    "internet of things": "Internet of Things",
    "management and governance": "Management and Governance",
    "media": "Media",
    "migration": "Migration",
    "networking": "Networking",
    "office 365": "Business Applications",
    "power platform": "Business Applications",
    "security": "Security",
    "storage": "Storage",
    "web": "Web",
    "windows virtual desktop": "Compute",
}
"""Azure's service family, in lower case → ServiceCategory: for rows without a resource that the table knows."""
_METERS = {
    "bandwidth": "Networking",
    "load balancer": "Networking",
    "sql database": "Databases",
    "storage": "Storage",
    "virtual machines": "Compute",
    "virtual machines licenses": "Compute",
    "virtual machine licenses": "Compute",
    "virtual network": "Networking",
}
"""Meter categories, in lower case, that come with several families: one service has one category."""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _map(pairs: dict[str, str]) -> str:
    return "MAP {" + ", ".join(f"{_quoted(key)}: {value}" for key, value in pairs.items()) + "}"


def _services() -> dict[str, str]:
    """The table: a resource type, or `consumed service`, a blank and a type → [name, category, subcategory]."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = ("ServiceName", "ServiceCategory", "ServiceSubcategory")
    return {
        f"{row['ConsumedService']} {row['ResourceType']}".strip(): f"[{', '.join(_quoted(row[it]) for it in told)}]"
        for row in rows
    }


# /subscriptions/…/providers/microsoft.sql/servers/one/databases/two → microsoft.sql/servers/databases: behind the last
# `providers`, types and names take turns.
_PARTS = "string_split(lower(resource_id), '/providers/')"
_TYPES = rf"rtrim(regexp_replace({_PARTS}[-1], '/([^/]+)/[^/]+', '/\1', 'g'), '/')"
RESOURCE_TYPE = f"CASE WHEN len({_PARTS}) > 1 THEN nullif({_TYPES}, '') END"
_OUTER_TYPE = f"array_to_string(string_split({RESOURCE_TYPE}, '/')[:2], '/')"
# The long table is written out once an expression, for reading it is what takes longest: the key is found before.
_SERVICES = _services()
_BY_CONSUMER = {key: told for key, told in _SERVICES.items() if " " in key}
_BY_TYPE = {key: told for key, told in _SERVICES.items() if " " not in key}
_INNER_TYPES = ", ".join(_quoted(key) for key in _BY_TYPE if key.count("/") > 1)
_TYPE = f"CASE WHEN list_contains([{_INNER_TYPES}], {RESOURCE_TYPE}) THEN {RESOURCE_TYPE} ELSE {_OUTER_TYPE} END"
_FOUND = f"coalesce({_map(_BY_CONSUMER)}[lower(consumed_service) || ' ' || {RESOURCE_TYPE}], {_map(_BY_TYPE)}[{_TYPE}])"

SERVICE_NAME = f"coalesce({_FOUND}[1], meter_category, consumed_service, 'Microsoft Azure')"
SERVICE_CATEGORY = (
    f"coalesce({_FOUND}[2], "
    f"{_map({meter: _quoted(category) for meter, category in _METERS.items()})}[lower(meter_category)], "
    f"{_map({family: _quoted(category) for family, category in _FAMILIES.items()})}[lower(service_family)], 'Other')"
)
SERVICE_SUBCATEGORY = f"{_FOUND}[3]"
