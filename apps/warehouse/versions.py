"""What the versions of a table added and took out: read once from a bucket, and remembered by the machine that looks.

A version never changes once it is there. It is remembered with its size and time: a lake that was brought back from a
backup, or begun anew under the same name, has others.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from apps.warehouse import shared


class Lying(Protocol):
    """A version as it lies in its store."""

    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def modified(self) -> datetime: ...


class Change(NamedTuple):
    """The files one commit of Delta Lake added and took out, relative to their table."""

    added: list[str]
    removed: list[str]


def change(version: bytes) -> Change:
    """What a commit says."""
    found = Change([], [])
    for line in version.splitlines():
        told = json.loads(line)
        for kind, paths in (("add", found.added), ("remove", found.removed)):
            if kind in told:
                paths.append(unquote(told[kind]["path"]))
    return found


def changes(table: str, versions: Iterable[Lying], read: Callable[[str], bytes]) -> list[Change]:
    """What these versions of a table changed, in their order; of a table in a bucket it is remembered."""
    if not shared.is_on():
        return [change(read(one.key)) for one in versions]
    place = shared.root() / "named" / f"{table}.jsonl"
    place.parent.mkdir(parents=True, exist_ok=True)
    known = dict(_remembered(place))
    found: list[Change] = []
    with place.open("a", encoding="utf-8") as kept:
        for one in versions:
            told = f"{one.key} {one.size} {one.modified.isoformat()}"
            if told not in known:
                known[told] = change(read(one.key))
                kept.write(_line(told, known[told]))
            found.append(known[told])
    return found


def _line(told: str, changed: Change) -> str:
    """With a checksum: what is forgotten here by half would be swept."""
    text = json.dumps([told, *changed])
    return f"\n{hashlib.sha256(text.encode()).hexdigest()} {text}"


def _remembered(place: Path) -> Iterator[tuple[str, Change]]:
    """A line that a killed process left by half, that was damaged, or that an earlier release wrote, is none."""
    lines = place.read_bytes().split(b"\n") if place.exists() else []
    for line in lines:
        digest, _, text = line.partition(b" ")
        if hashlib.sha256(text).hexdigest().encode() == digest:
            told, *changed = json.loads(text)
            if len(changed) == len(Change._fields):
                yield told, Change(*changed)
