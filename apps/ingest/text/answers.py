"""Answers of an API, kept as they came: one JSON document with a list of objects in it, as rows of CSV."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from apps.ingest.text.jsonlines import once
from apps.ingest.unpack import Member, Unreadable

MOST_BYTES = 64 << 20
AROUND = ("AccountID", "AccountName", "BillingCycle")
"""What stands beside the list and is said of each of its objects; a total there is of all of them."""


def in_csv(member: Member, folder: Path) -> Member:
    """The member as CSV where it is such a document; numbers keep their digits. Anything else stays as it is."""
    if member.kind == "parquet" or not _begins_like_json(member):
        return member
    try:
        text = member.path.read_bytes().decode("utf-8-sig")
        document = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=once)
        rows = listed(document)
        "".join(cell for row in rows for pair in row.items() for cell in pair).encode()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return member
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{member.name}: not an answer that can be read ({error}); fetch it again.") from error
    if not rows:
        return member
    columns = list(dict.fromkeys(name for row in rows for name in row))
    target = folder / f"{member.path.name}.rows"
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return replace(member, path=target, kind="csv")


def _begins_like_json(member: Member) -> bool:
    if member.path.stat().st_size > MOST_BYTES:
        return False
    with member.path.open("rb") as stream:
        return stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def listed(document: Any) -> list[dict[str, str]]:
    """The objects of the one list of objects, as text, each with what stands `AROUND` the list; raises ValueError where
    there are several lists, of which nobody can tell what is meant."""
    if isinstance(document, list):
        return [_texts(one) for one in document] if all(isinstance(one, dict) for one in document) else []
    if not isinstance(document, dict):
        return []
    around = {name: _text(document[name]) for name in AROUND if not isinstance(document.get(name, {}), dict | list)}
    found = {name: rows for name, inner in document.items() if (rows := listed(inner))}
    if len(found) > 1:
        raise ValueError(f"it holds several lists of rows: {', '.join(found)}")
    return [around | row for rows in found.values() for row in rows]


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
