"""JSON as OpenCost writes it: amounts as numbers, with every decimal they have."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from rest_framework import renderers


class NumberRenderer(renderers.JSONRenderer):
    """JSON whose amounts are numbers, written digit by digit: a float has too few of them."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_number)


def _number(value: Any) -> Any:
    """A Decimal as a JSON number without an exponent; sentences not yet translated as text."""
    return orjson.Fragment(plain(value)) if isinstance(value, Decimal) else str(value)


def plain(amount: Decimal) -> str:
    """All digits of an amount, without zeros that say nothing."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
