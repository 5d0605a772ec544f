"""Whole months that are delivered again under other names: each set of names is a release of its own.

What replaces a month at once needs no more: its names are the same, or its release says that it is another. But parts
may be cut anew, so that the month lies there under names nobody saw, and the earlier ones are gone.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from apps.ingest.models import LandedFile
from apps.ingest.providers.base import Listed
from apps.ingest.releases import FINAL

State = LandedFile.State


def numbered(listed: Iterable[Listed], landed: Iterable[LandedFile]) -> tuple[Listed, ...]:
    """The files with their releases: one whose names replaced others has a number behind its own, which sorts later.

    A month that only lost files, or got more, stays the release it was: what vanished keeps counting.
    """
    listed = tuple(listed)
    paths: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in listed:
        if one.release.startswith(FINAL):
            paths[one.period, one.release].add(one.found.path)
    known: dict[tuple[str, str], dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for file in sorted(landed, key=lambda file: file.revision):
        name, _, number = file.release.partition(_BEFORE)
        if (file.period, name) in paths:
            known[file.period, name][int(number or 1)][file.path] = file.state
    names = {key: _name(key[1], lying, known[key]) for key, lying in paths.items()}
    return tuple(replace(one, release=names.get((one.period, one.release), one.release)) for one in listed)


_BEFORE = " #"


def _name(release: str, lying: set[str], known: dict[int, dict[str, str]]) -> str:
    number = max(known, default=1)
    counted = {path for path, state in known[number].items() if state not in (State.HELD, State.REFUSED)}
    if lying - counted and counted - lying:
        number += 1
    return release if number == 1 else f"{release}{_BEFORE}{number:03}"
