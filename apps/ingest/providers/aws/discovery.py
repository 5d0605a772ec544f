"""Finding the files of AWS exports: each month the files its manifest lists, of its last release only.

Legacy reports have a manifest in the month's folder `20261001-20261101/` and another in that of every assembly. Data
Exports have theirs below `metadata/BILLING_PERIOD=2026-10/`. Both are written after the data they list.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.finops.problems import Problem
from apps.ingest.landing import Found
from apps.ingest.providers.base import Discovery, Listed, Manifest, Read, read_manifest

_MONTH = re.compile(r"(?:^|/)(?:data/BILLING_PERIOD=(\d{4})-(\d\d)|(\d{4})(\d\d)\d\d-\d{8})/", re.IGNORECASE)
_HOME = re.compile(r"(?:^|/)(?:metadata/BILLING_PERIOD=\d{4}-\d\d|\d{8}-\d{8})/", re.IGNORECASE)


@dataclass(frozen=True)
class Release:
    """What a manifest lists: the files of one month of one export, by their keys in the bucket."""

    found: Found
    root: str
    month: str
    execution: str
    account: str
    keys: tuple[str, ...]

    @property
    def is_overwritten(self) -> bool:
        """Whether the next release will have the same keys."""
        return not any(self.execution and f"{self.execution}/" in key for key in self.keys)


def discover(found: Sequence[Found], read: Read) -> Discovery:
    """The files of the last complete release of every month, and files that belong to no export."""
    releases, problems = _releases(found, read)
    by_month: dict[tuple[str, str], list[Release]] = defaultdict(list)
    for one in releases:
        by_month[one.root, one.month].append(one)
    problems += (twice := _billed_twice(by_month))
    refused = {problem.subject for problem in twice}
    files: list[Listed] = []
    by_name: dict[str, list[Found]] = defaultdict(list)
    for one_found in found:
        by_name[one_found.path.rsplit("/", 1)[-1]].append(one_found)
    for (root, month), several in by_month.items():
        if f"{root} {month}" not in refused:
            taken = _taken(several, by_name)
            files += taken.files
            problems += taken.problems
    loose = _loose(found, releases, is_alone=not releases)
    return Discovery((*files, *loose.files), (*problems, *loose.problems))


def _releases(found: Iterable[Found], read: Read) -> tuple[list[Release], list[Problem]]:
    releases, problems = [], []
    for one in found:
        if one.path.lower().endswith("manifest.json"):
            manifest = read_manifest(one, read)
            if isinstance(manifest, Problem):
                problems.append(manifest)
            elif release := _release(manifest):
                releases.append(release)
    return releases, problems


def _release(manifest: Manifest) -> Release | None:
    content = manifest.content
    listed: Any = content.get("dataFiles") or content.get("reportKeys")
    if not isinstance(listed, list) or not listed:
        return None
    keys = tuple(re.sub(r"^s3://[^/]+/", "", str(key)).lstrip("/") for key in listed)
    place = _MONTH.search(keys[0])
    if place is None:
        return None
    year, number = (part for part in place.groups() if part)
    return Release(
        manifest.found,
        root=keys[0][: place.start()],
        month=f"{year}-{number}",
        execution=str(content.get("assemblyId") or content.get("executionId") or ""),
        account=str(content.get("account") or _account(content.get("exportArn"))),
        keys=keys,
    )


def _account(arn: Any) -> str:
    """The account in `arn:aws:bcm-data-exports:us-east-1:111122223333:export/…`."""
    parts = str(arn or "").split(":")
    return parts[4] if len(parts) > 5 else ""


def _billed_twice(by_month: dict[tuple[str, str], list[Release]]) -> list[Problem]:
    """Two exports of one account bill the same cost: which one counts is for a person to say."""
    roots: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (root, month), releases in by_month.items():
        for one in releases:
            if one.account:
                roots[one.account, month].add(root)
    return [
        Problem(
            "error",
            "billed_twice",
            f"{root} {month}",
            f"Account {account} has {len(several)} exports here that bill {month}; point the source at one of them, "
            "or, if they are parts of one bill, add a source for each.",
        )
        for (account, month), several in sorted(roots.items())
        if len(several) > 1
        for root in sorted(several)
    ]


def _taken(releases: list[Release], by_name: dict[str, list[Found]]) -> Discovery:
    """The files of the release that counts; nothing while one of them is missing or being replaced."""
    last = _last(releases)
    files = {key: _file(key, last, by_name.get(key.rsplit("/", 1)[-1], [])) for key in last.keys}
    if missing := [key for key, file in files.items() if file is None]:
        message = f"{len(missing)} of {len(files)} listed files are not there yet, {missing[0]} among them; it waits."
        return Discovery((), (Problem("warning", "incomplete_release", last.found.path, message),))
    present = [file for file in files.values() if file]
    newer = [file.path for file in present if file.modified_ns > last.found.modified_ns]
    if newer and last.is_overwritten:
        message = (
            f"{newer[0]} is newer than its manifest, so it is being replaced; it waits for the new manifest. "
            "Copy the manifest last when you copy by hand."
        )
        return Discovery((), (Problem("warning", "incomplete_release", last.found.path, message),))
    period = f"{last.root} {last.month}"[-200:]
    release = _name(last, releases)
    return Discovery(tuple(Listed(file, period, release) for file in present))


def _last(releases: list[Release]) -> Release:
    """The newest; of a legacy report the one in the month's folder, which always names the assembly that counts."""
    depth = min(one.found.path.count("/") for one in releases)
    of_month = [one for one in releases if one.found.path.count("/") == depth]
    is_legacy = "BILLING_PERIOD=" not in releases[0].keys[0].upper()
    return max(of_month if is_legacy else releases, key=lambda one: (one.found.modified_ns, one.found.path))


def _name(last: Release, releases: list[Release]) -> str:
    """Sorts by time. The manifest of a month is written again and again, that of an execution only once."""
    first = min(one.found.modified_ns for one in releases if one.execution == last.execution)
    return f"{first:020d} {last.execution}"[:200]


def _file(key: str, release: Release, candidates: Iterable[Found]) -> Found | None:
    """The file of a key: the location may be the bucket, a folder in it or one around it, the same for all."""
    return next((one for one in candidates if _is_same_place(key, one.path, release)), None)


def _is_same_place(key: str, path: str, release: Release) -> bool:
    manifest, root = release.found.path, f"{release.root}/" if release.root else ""
    if f"/{key}".endswith(f"/{path}"):
        return f"{key.removesuffix(path)}{manifest}".startswith(root)
    if path.endswith(f"/{key}"):
        return manifest.startswith(f"{path.removesuffix(key)}{root}")
    return False


def _loose(found: Iterable[Found], releases: list[Release], *, is_alone: bool) -> Discovery:
    """Files that lie in no export are taken as they are; those in the layout of one wait for its manifest."""
    homes = tuple({_home(one.found.path) for one in releases})
    data = [one for one in found if not one.path.lower().endswith(".json")]
    outside = [one for one in data if is_alone or not any(one.path.startswith(home) for home in homes)]
    waiting = [one for one in outside if _MONTH.search(one.path)]
    problems = (
        Problem(
            "warning",
            "no_manifest",
            waiting[0].path,
            f"{len(waiting)} files lie in the layout of an AWS export without a manifest; they wait for it. "
            "Copy the manifests too, or the files into a folder without that layout.",
        ),
    ) if waiting else ()  # fmt: skip
    return Discovery(tuple(Listed(one) for one in outside if not _MONTH.search(one.path)), problems)


def _home(path: str) -> str:
    """The folder of the export a manifest belongs to."""
    place = _HOME.search(path)
    folder = path[: place.start()] if place else path.rpartition("/")[0]
    return f"{folder}/" if folder else ""
