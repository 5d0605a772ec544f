"""Azure's cost exports as they lie in storage: which runs there are, and which of them together are a billing month.

The newest complete run of each type of export counts. Where a month has runs of actual and of amortised cost, both
make one release: read together, replaced together. Which type a file is of, the release says, for the header does not.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from typing import Any, Literal

from apps.finops.problems import Problem
from apps.ingest.bill.mapping import Mapping
from apps.ingest.landing import Found
from apps.ingest.providers.azure import costs
from apps.ingest.providers.base import Discovery, Listed, Manifest, Read, read_manifest

Type = Literal["focus", "amortised", "actual"]
_TYPES: dict[str, Type] = {
    "focuscost": "focus",
    "amortizedcost": "amortised",
    "actualcost": "actual",
    "usage": "actual",
}
_FOLDERS = re.compile(r"(?:(?P<export>.+)/)?(?P<dates>\d{8}-\d{8})/(?:(?P<run>\d{12})/)?(?:[^/]+/)?[^/]+")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Run:
    """What one run of one export delivered. `stamp` is when, as fourteen digits; `wrong` says why it must wait."""

    type: Type
    scope: str
    dates: str
    stamp: str
    folder: str
    files: tuple[Listed, ...] = field(repr=False)
    wrong: str = ""

    @property
    def months(self) -> str:
        """The month, or the first and last month, of the run."""
        first, _, last = self.dates.partition("-")
        return first[:6] if first[:6] == last[:6] else f"{first[:6]}-{last[:6]}"

    @property
    def days(self) -> int:
        first, last = _days(self.dates)
        return (last - first).days


def _days(dates: str) -> tuple[date, date]:
    """The first and the last of `20261001-20261031`; raises ValueError where the digits are no days."""
    first, last = map(date.fromisoformat, dates.split("-"))
    return first, last


def _are_days(dates: str) -> bool:
    try:
        first, last = _days(dates)
    except ValueError:
        return False
    return first <= last


def _in_folders(path: str) -> re.Match[str] | None:
    """The folders of an export that a path names. Digits that are no days make no folder of dates."""
    match = _FOLDERS.fullmatch(path)
    return match if match and _are_days(match["dates"]) else None


def discover(found: Sequence[Found], read: Read) -> Discovery:
    """The runs that count, and loose files: those in no folder of dates and no manifest."""
    problems: list[Problem] = []
    runs: list[Run] = []
    manifested: set[str] = set()
    data = [one for one in found if not one.path.lower().endswith(".json")]
    for one in found:
        if PurePosixPath(one.path).name.lower() not in ("manifest.json", "_manifest.json"):
            continue
        manifested.add(_export_of(one.path))
        run = _manifested_run(one, data, read)
        if isinstance(run, Problem):
            problems.append(run)
        elif run:
            runs.append(run)
    listed = {one.found.path for run in runs for one in run.files}
    unlisted = [one for one in data if one.path not in listed]
    runs += _listed_runs(one for one in unlisted if _in_folders(one.path) and not _covered(one, manifested))
    files, said = _settle(runs)
    loose, doubted = _loose([one for one in unlisted if not _in_folders(one.path) and not _covered(one, manifested)])
    return Discovery((*files, *loose), (*problems, *said, *doubted))


def _export_of(path: str) -> str:
    """The export's folder; of a path without a folder of dates, the folder it lies in."""
    match = _in_folders(path)
    return (match["export"] or "") if match else str(PurePosixPath(path).parent)


def _covered(one: Found, manifested: set[str]) -> bool:
    """Whether manifests say which files of this export to take; they are written last, so others are not complete."""
    return _export_of(one.path) in manifested


# --- Runs -----------------------------------------------------------------------------------------------------------
def _manifested_run(found: Found, data: Sequence[Found], read: Read) -> Run | Problem | None:
    manifest = read_manifest(found, read)
    if isinstance(manifest, Problem):
        return manifest
    config, info = _object(manifest, "exportConfig"), _object(manifest, "runInfo")
    dates = _dates(found.path, info)
    said = str(config.get("type", ""))
    kind = _TYPES.get(said.lower()) if said else _type_by_name(found.path)
    if kind is None:
        message = f"Exports of {said} hold no cost and are left alone."
        return Problem("note", "other_export", found.path, message)
    if dates is None:
        return Problem("error", "manifest", found.path, "The manifest names no days (runInfo.startDate, endDate).")
    files, wrong = _blobs(manifest, data)
    scope = str(config.get("resourceId", "")).lower().partition("/providers/microsoft.costmanagement/")[0]
    folder = str(PurePosixPath(found.path).parent)
    return Run(kind, scope, dates, _stamp(found, info), folder, files, wrong)


def _object(manifest: Manifest, key: str) -> dict[str, Any]:
    value = manifest.content.get(key)
    return value if isinstance(value, dict) else {}


def _dates(path: str, info: dict[str, Any]) -> str | None:
    if match := _in_folders(path):
        return match["dates"]
    days = [re.sub(r"\D", "", str(info.get(key, ""))[:10]) for key in ("startDate", "endDate")]
    return dates if _are_days(dates := "-".join(days)) else None


def _stamp(found: Found, info: dict[str, Any]) -> str:
    """When a run was: its folder says so, or its manifest, or the file's own time."""
    match = _in_folders(found.path)
    if match and match["run"]:
        return match["run"] + "00"
    submitted = re.sub(r"\D", "", str(info.get("submittedTime", ""))[:19])
    return submitted if len(submitted) == 14 else _modified(found)


def _modified(found: Found) -> str:
    return f"{datetime.fromtimestamp(found.modified_ns / 1e9, UTC):%Y%m%d%H%M%S}"


def _blobs(manifest: Manifest, data: Sequence[Found]) -> tuple[tuple[Listed, ...], str]:
    """The files a manifest lists, and what is missing of them."""
    beside = PurePosixPath(manifest.found.path).parent
    by_path = {one.path: one for one in data}
    files = []
    blobs = manifest.content.get("blobs")
    for blob in blobs if isinstance(blobs, list) else []:
        name = str(blob.get("blobName", "")) if isinstance(blob, dict) else ""
        one = by_path.get(str(beside / PurePosixPath(name).name)) or _by_suffix(name, data)
        if not name or one is None:
            return (), f"{name or 'a file'} is not there yet"
        size, rows = blob.get("byteCount"), blob.get("dataRowCount")
        if isinstance(size, int) and size != one.size:
            return (), f"{one.path} has {one.size} bytes of {size}"
        files.append(Listed(one, rows=rows if isinstance(rows, int) else None))
    return tuple(files), ""


def _by_suffix(name: str, data: Sequence[Found]) -> Found | None:
    """A blob by its full name, of which the source may show only the end."""
    return next((one for one in data if f"/{name}".endswith(f"/{one.path}")), None)


def _listed_runs(data: Iterable[Found]) -> Iterator[Run]:
    """Runs of exports without manifests: a folder of parts each; a file beside other months' is a run of its own."""
    groups: dict[str, list[Found]] = defaultdict(list)
    for one in data:
        path = PurePosixPath(one.path)
        match = _in_folders(one.path)
        is_part = (
            bool(match and match["run"]) or path.name.startswith("part_") or bool(_GUID.fullmatch(path.parent.name))
        )
        groups[str(path.parent) if is_part else one.path].append(one)
    for folder, files in groups.items():
        match = _in_folders(files[0].path)
        if match:
            stamp = match["run"] + "00" if match["run"] else max(map(_modified, files))
            listed = tuple(Listed(one) for one in files)
            yield Run(_type_by_name(files[0].path), "", match["dates"], stamp, folder, listed)


def _type_by_name(path: str) -> Type:
    """Of files without a manifest only names can tell. A FOCUS file is told by its header, whatever it is called."""
    lowered = path.lower()
    if "focus" in lowered:
        return "focus"
    return "amortised" if "amorti" in lowered else "actual"


# --- What counts ----------------------------------------------------------------------------------------------------
def _settle(runs: Sequence[Run]) -> tuple[list[Listed], list[Problem]]:
    """Of every scope and month: FOCUS where there is any, else amortised and actual together."""
    files: list[Listed] = []
    problems: list[Problem] = []
    months: dict[tuple[str, str], dict[Type, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        months[run.scope, run.months][run.type].append(run)
    for (scope, month), by_type in sorted(months.items()):
        chosen: dict[Type, Run] = {}
        for kind, candidates in by_type.items():
            whole = [run for run in candidates if not run.wrong]
            if whole:
                chosen[kind] = max(whole, key=lambda run: (run.days, run.stamp))
            problems += _waiting(candidates, chosen.get(kind))
        if "focus" in chosen and len(chosen) > 1:
            message = (
                "The FOCUS export says the same as the exports of actual and amortised cost; those are left alone."
            )
            problems.append(Problem("note", "focus_preferred", chosen["focus"].folder, message))
            chosen = {"focus": chosen["focus"]}
        # Amortised first: where nothing was committed both files may be the same, and of two the first one is read.
        ordered = [chosen[kind] for kind in ("focus", "amortised", "actual") if kind in chosen]
        release = _release(ordered)
        period = f"{scope if len(scope) < 180 else _digest(scope)} {month}".strip()
        files += [Listed(one.found, period, release, one.rows) for run in ordered for one in run.files]
    return files, [*problems, *_overlapping(runs)]


def _overlapping(runs: Iterable[Run]) -> Iterator[Problem]:
    """Runs over several months of which others tell some as well."""
    scopes: dict[str, dict[str, Run]] = defaultdict(dict)
    for run in runs:
        if not run.wrong:
            scopes[run.scope].setdefault(run.months, run)
    for spans in scopes.values():
        for months, run in sorted(spans.items()):
            shared = [other for other in spans if other != months and _share(months, other)]
            if "-" in months and shared:
                message = (
                    f"The run over {months} tells months that another tells as well, {min(shared)}; of every month one "
                    "counts, with most days, else that of the month alone. Export every month by itself."
                )
                yield Problem("note", "told_twice", run.folder, message)


def _share(months: str, others: str) -> bool:
    first, last = months.split("-")[0], months.split("-")[-1]
    return first <= others.split("-")[-1] and others.split("-")[0] <= last


def _waiting(runs: Iterable[Run], chosen: Run | None) -> Iterator[Problem]:
    for run in runs:
        if run.wrong and (chosen is None or run.stamp > chosen.stamp):
            message = f"The run is not complete: {run.wrong}; what was delivered before keeps counting."
            yield Problem("warning", "incomplete", run.folder, message)


def _release(runs: Sequence[Run]) -> str:
    """The newest run's time, how many runs make the release, when the others were, and where each type lies."""
    stamps = sorted((run.stamp for run in runs), reverse=True)
    places = [f"{run.type}:{_digest(run.folder)}" for run in runs]
    return " ".join([*stamps[:1], str(len(runs)), *stamps[1:], *places])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _loose(files: Sequence[Found]) -> tuple[list[Listed], list[Problem]]:
    """Files whose place says nothing of their month: actual and amortised cost cannot be put together there."""
    by_type: dict[Type, list[Found]] = defaultdict(list)
    for one in files:
        by_type[_type_by_name(one.path)].append(one)
    problems = []
    if by_type["amortised"]:
        message = (
            "Actual and amortised cost lie side by side, and no manifest or folder of dates says of which month; "
            "the file is left alone. Keep the folders and manifests of the exports, or only one of the two."
        )
        problems = [Problem("error", "actual_and_amortised", one.path, message) for one in by_type.pop("actual", ())]
    return [Listed(one) for ones in by_type.values() for one in ones], problems


def choose(path: str, release: str) -> tuple[Mapping, ...]:
    """FOCUS by its header; a file of actual or amortised cost by its release, or where it has none by its name."""
    told = dict(place.split(":") for place in release.split() if ":" in place)
    parents = {_digest(str(parent)) for parent in (PurePosixPath(path), *PurePosixPath(path).parents)}
    kind = next((kind for kind, place in told.items() if place in parents), _type_by_name(path))
    beside = costs.ACTUAL_BESIDE if "amortised" in told else costs.ACTUAL
    return costs.FOCUS, _of_its_days(costs.AMORTISED if kind == "amortised" else beside, path)


def _of_its_days(mapping: Mapping, path: str) -> Mapping:
    """The mapping for the days of a run, where its folder names them."""
    match = _in_folders(path)
    if not match:
        return mapping
    return costs.within(mapping, *_days(match["dates"]))
