"""The tags of a charge that travel with its cost: those of the chosen keys, as one JSON object."""

import functools
import json
import operator
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from apps.finops.tags import LONGEST_VALUE
from apps.warehouse.engine import json_member, json_text

_FINGERPRINT = 8


def kept(tags: ir.StringValue, keys: Sequence[str]) -> ir.StringValue:
    """`kept_tags` of the lake: every key, in order, with its value in `tags` (JSON text, '' for none), else ''."""
    named = [ibis.literal(f"{json.dumps(key, ensure_ascii=False)}:") + json_text(value(tags, key)) for key in keys]
    parts = [part if place == 0 else ibis.literal(",") + part for place, part in enumerate(named)]
    return functools.reduce(operator.add, (ibis.literal("{"), *parts, ibis.literal("}")))


def value(tags: ir.StringValue, key: str) -> ir.StringValue:
    """A tag as cost is told by it: control characters are read as spaces, a long value ends in its fingerprint."""
    text = json_member(tags, key).fill_null("").re_replace(r"\p{Cc}", " ").strip()
    short = text.substr(0, LONGEST_VALUE - _FINGERPRINT - 1) + "…" + text.hexdigest("md5").substr(0, _FINGERPRINT)
    return (text.length() > LONGEST_VALUE).ifelse(short, text)
