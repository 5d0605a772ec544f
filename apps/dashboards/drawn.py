"""Parts of pages that say nothing but what they are given: drawn once, and again where that is the same.

Nothing can be stale or be shown to somebody else: what is remembered goes by the template, the language, the zone that
moments are shown in and every value it is given, down to the last decimal; the part knows neither a request nor who
reads.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache as always
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from apps.dashboards.zones import shown_in
from apps.marts.recent import Recent

MOST_CHARACTERS = 16 * 2**20
_remembered: Recent[str] = Recent(MOST_CHARACTERS)
"""What this process drew last."""


def draw(template: str, given: Mapping[str, Any]) -> str:
    """A template with these values alone. Raises TypeError for what is not told by its value, such as a request."""
    told: list[str] = []
    _tell((template, get_language(), shown_in().key, given), told)
    key = hashlib.sha256("".join(told).encode()).hexdigest()
    found = None if settings.DEBUG else _remembered.get(key)  # whoever writes templates sees them
    if found is None:
        found = get_template(template).render(dict(given))
        _remembered.put(key, found)
    return found


def _tell(value: Any, told: list[str]) -> None:
    """Add a value as text; of two that look unlike anywhere the texts differ."""
    kind = type(value)
    if kind in _PLAIN:
        told.append(f"{kind.__name__} {value!r},")
    elif isinstance(value, Promise):
        told.append(f"str {str(value)!r},")
    elif isinstance(value, date):
        told.append(f"{kind.__name__} {value.isoformat()},")
    elif isinstance(value, Mapping | tuple | list):
        told.append(f"{kind.__name__}(")
        for one in value.items() if isinstance(value, Mapping) else value:
            _tell(one, told)
        told.append(")")
    elif is_dataclass(value):
        told.append(f"{kind.__qualname__}(")
        for name in _names(kind):  # type: ignore[arg-type]  # mypy asks whether a class can be hashed
            _tell(getattr(value, name), told)
        told.append(")")
    else:
        raise TypeError(f"{kind.__qualname__} is not told by its value: a part that is drawn once cannot be given it.")


_PLAIN = frozenset({type(None), bool, int, str, SafeString, Decimal})
"""Of text it counts whether it is safe to show as it is."""


@always
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))
