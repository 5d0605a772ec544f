"""What was ever delivered of a source, as it is to be settled which files count."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.ingest.delivered import Billed, Delivered
from apps.ingest.models import LandedFile
from apps.ingest.reading import Reading
from apps.ingest.unpack import content_of_plain

State = LandedFile.State
Entry = Mapping[str, Any]
Files = Mapping[str, LandedFile]
Readings = Mapping[str, Reading]


@dataclass(frozen=True)
class Told:
    """What the files of a source hold, by id: their windows, as they were just read, or else as they were kept.

    A duplicate that was never read holds what was read of the same bytes, unless that is refused or held back.
    `contents` are the same for the same bytes that are read the same way (`ways`), however they are packed.
    """

    entries: Mapping[str, list[Entry]]
    contents: Mapping[str, str]

    @classmethod
    def of(cls, files: Files, readings: Readings, held: Collection[str], ways: Mapping[str, str]) -> "Told":
        contents = {key: f"{content} {ways.get(key, '')}" for key, content in _contents(files, readings).items()}
        entries = {key: contents_of(file, readings.get(key)) for key, file in files.items()}
        known = {
            contents[key]: entries[key]
            for key, file in files.items()
            if entries[key] and file.state not in (State.REFUSED, State.HELD) and key not in held
        }
        for key, file in files.items():
            if file.state == State.DUPLICATE and not entries[key]:
                entries[key] = known.get(contents[key], [])
        return cls(entries, contents)


def contents_of(file: LandedFile, reading: Reading | None) -> list[Entry]:
    return [content.to_json(counts=True) for content in reading.contents] if reading else list(file.contents)


def history(
    files: Files,
    readings: Readings,
    held: Collection[str],
    told: Told,
    windows_of: Callable[[Entry], dict[str, frozenset[str]]],
) -> Iterator[Delivered]:
    """Every file that was delivered, but for duplicates of what does not count."""
    for key, file in files.items():
        reading = readings.get(key)
        is_refused = file.state in (State.REFUSED, State.HELD) or bool(reading and reading.is_refused)
        if file.state == State.DUPLICATE and not told.entries[key]:
            continue
        windows: dict[str, frozenset[str]] = {}
        billed: dict[str, Billed] = {}
        for entry in told.entries[key]:
            windows |= windows_of(entry)
            if "accounts" in entry:
                billed[entry["window"]] = _billed(entry)
        yield Delivered(
            key, file.path, file.delivery, file.revision, windows, billed,
            period=file.period, release=file.release, content=told.contents[key],
            is_refused=is_refused or key in held, is_accepted=file.is_accepted,
            answers=file.answers,
        )  # fmt: skip


def _billed(entry: Entry) -> Billed:
    return {
        (account, day): (told["first"], told["last"])
        for account, by_day in entry["accounts"].items()
        for day, told in by_day.items()
    }


def _contents(files: Files, readings: Readings) -> dict[str, str]:
    """File → what is the same for the same bytes, however they are packed. What was never read has bytes that were."""
    told = {
        key: (readings[key].content_sha256 if key in readings else "") or file.content_sha256
        for key, file in files.items()
    }
    by_bytes = {file.sha256: told[key] for key, file in files.items() if told[key]}
    return {key: told[key] or by_bytes.get(file.sha256) or content_of_plain(file.sha256) for key, file in files.items()}


def told_without_accounts(files: Files, readings: Readings) -> list[str]:
    """The files of months that are read just now, which an earlier release read and did not keep by account."""
    old: dict[str, set[str]] = defaultdict(set)
    for key, file in files.items():
        if key not in readings and not file.period and file.state in (State.CURRENT, State.SUPERSEDED):
            for entry in file.contents:
                if "accounts" not in entry:
                    old[entry["window"]].add(key)
    found: set[str] = set()
    waiting = {content.window for reading in readings.values() for content in reading.contents}
    while waiting:
        more = old.pop(waiting.pop(), set()) - found
        found |= more
        waiting |= {entry["window"] for key in more for entry in files[key].contents}
    return [key for key in files if key in found]
