"""What the kept tags of a row of cost say: the value under `tag:KEY`."""

import ibis.expr.types as ir
from django.conf import settings

from apps.finops.tags import NOT_RECORDED, PREFIX, key_of
from apps.warehouse.engine import json_member


def tag_dimensions() -> tuple[str, ...]:
    """`tag:KEY` for every key that was chosen."""
    return tuple(f"{PREFIX}{key}" for key in settings.COSTOPS_TAG_KEYS)


def tag_value(rows: ir.Table, dimension: str) -> ir.StringValue:
    """The value of each row: '' where there is no such tag, NOT_RECORDED where nobody looked for it."""
    return json_member(rows.kept_tags, key_of(dimension)).fill_null(NOT_RECORDED)
