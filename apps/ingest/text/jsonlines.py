"""JSON lines as CSV: one object a line, fields of inner objects as `outer.inner`, every number as it is written."""

import csv
import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from apps.ingest.text.header import MAX_COLUMNS, MAX_FIELD
from apps.ingest.unpack import Member, Unreadable


class _Number(str):
    """The text of a number, which stays what it is where it stands inside a list."""

    __slots__ = ()


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, where no key stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number, object_pairs_hook=once)


def as_csv(member: Member, folder: Path, whole: Collection[str]) -> Member:
    """A member of JSON lines as CSV; any other is returned as it is. Objects named in `whole` stay JSON."""
    if member.kind != "json":
        return member
    columns: dict[str, None] = {}
    for cells in _rows(member, whole):
        columns |= dict.fromkeys(cells)
        if len(columns) > MAX_COLUMNS:
            raise Unreadable(f"{member.name}: more than {MAX_COLUMNS} different keys; at most so many are read.")
    target = folder / f"{member.path.name}.csv"
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(columns), restval="", lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(_rows(member, whole))
    return replace(member, path=target)


def _rows(member: Member, whole: Collection[str]) -> Iterator[dict[str, str]]:
    for number, line in lines(member.path):
        where = f"{member.name}, line {number}"
        try:
            found = _DECODER.decode(line.decode("utf-8-sig").strip())
            cells = _cells(found, whole) if isinstance(found, dict) else None
            "".join(chain.from_iterable((cells or {}).items())).encode()  # half a character is none
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{where}: not a line of JSON ({error}); the file may be cut off.") from error
        if cells is None:
            raise Unreadable(f"{where}: not a JSON object; write one object a line.")
        yield cells


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, with their numbers."""
    with path.open("rb") as stream:
        number = 0
        while raw := stream.readline(4 * MAX_FIELD):
            number += 1
            if raw.strip():
                yield number, raw


def _cells(found: dict[str, Any], whole: Collection[str], outer: str = "") -> dict[str, str]:
    cells: dict[str, str] = {}
    for key, value in found.items():
        name = outer + key
        is_inside = isinstance(value, dict) and name not in whole
        more = _cells(value, whole, f"{name}.") if is_inside else {name: _text(value)}
        if twice := cells.keys() & more.keys():
            raise ValueError(f"{min(twice)} is given twice, once by an object inside")
        cells |= more
    return cells


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: Any) -> str:
    """JSON again, with every number as it was written: Python's own writer would put it in quotes."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key, ensure_ascii=False)}: {_json(it)}' for key, it in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
