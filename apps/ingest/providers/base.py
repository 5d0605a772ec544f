"""What a provider of bills is: how its files are found, and the mappings that read them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from apps.finops.problems import Problem
from apps.ingest.bill.mapping import Mapping as BillMapping
from apps.ingest.delivered import Policy
from apps.ingest.landing import Found


@dataclass(frozen=True)
class Listed:
    """A file to take, and what its manifest says of it.

    `period` names what a `release` replaces whole (an account's billing period), `release` sorts: of one period
    only the files of the last release count (`ACCOUNT MONTH` and `final…` close a month, see
    `apps.ingest.deliveries`). Both are empty where no manifest says so; then `apps.ingest.deliveries`
    tells from the contents. `rows` is how many rows the file must have, None where nobody says.
    """

    found: Found
    period: str = ""
    release: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Discovery:
    """What to take of a location, and what is wrong or still incomplete there: an incomplete release waits."""

    files: tuple[Listed, ...]
    problems: tuple[Problem, ...] = ()


Read = Callable[[Found], bytes]
"""The bytes of a small file, a manifest: at most sixteen megabytes."""
Discover = Callable[[Sequence[Found], Read], Discovery]
Choose = Callable[[str, str], tuple[BillMapping, ...]]
"""The mappings that may read a file, told from its path and its release: a pure function, for files are read again."""


def everything(found: Sequence[Found], _read: Read) -> Discovery:
    """Every data file there is: where no manifest says which."""
    return Discovery(tuple(Listed(one) for one in found if not one.path.lower().endswith(".json")))


@dataclass(frozen=True)
class Stated:
    """What a provider's overview says an account's month of one service cost, on the cash basis."""

    account: str
    month: str
    service: str
    currency: str
    billed_cost: Decimal


@dataclass(frozen=True)
class Overview:
    """A provider's overview of a bill: the files it stands in, by name, and what one row of them says.

    `state` raises `LookupError` or `ValueError` where a row cannot be read.
    """

    names: re.Pattern[str]
    state: Callable[[Mapping[str, str]], Stated]


@dataclass(frozen=True)
class Ask:
    """What is asked of an API: where it is, how, as of when, and the folder its answers are kept in."""

    location: str
    options: Mapping[str, str]
    folder: Path
    now: datetime


@dataclass(frozen=True)
class Api:
    """A provider whose bills are fetched, then found in a folder like any others.

    `options` are its own, with what each means; `check` raises a CostOpsError where one cannot be meant; `fetch` says
    what went wrong.
    """

    options: Mapping[str, str]
    check: Callable[[Mapping[str, str]], None]
    fetch: Callable[[Ask], tuple[Problem, ...]]


@dataclass(frozen=True)
class Provider:
    """A provider of bills.

    Parameters
    ----------
    kind, title
        The kind of a source, as `--kind` names it, and as people read it.
    mappings
        The first whose required columns a file has reads it: header generations live side by side.
    discover
        Picks the files to take from all that lie at a location: manifest first, listing second. Files are listed by
        path; everything is given, also manifests (`.json`).
    files
        Which files make up a billing period where no manifest says so; `--option files=` overrules it.
    encodings
        What text may be encoded in, the likeliest first; it is read as the first that fits.
    choose
        Which of the mappings may read a file where its header alone does not tell; None: any of them.
    overview
        The files that say what a month cost by service, against which the charges are compared.
    api
        Where the location is an address and not a place of files.
    has_answers
        Whether its files may be answers of an API as they came: one JSON document with a list of objects in it.
    only_grows
        Whether its files are copies of parts of a table that only grows: then a charge that another file told before
        is the same charge, and its file is held back.
    same_anywhere
        Whether the same bytes are the same charges wherever they lie, also where their places name different periods:
        then they count once.
    documents
        Options that name a file whose content is kept with the source, and what they are for.
    configure
        Makes the provider of one source from its options, where mappings or discovery depend on them.
    """

    kind: str
    title: str
    mappings: tuple[BillMapping, ...]
    discover: Discover = everything
    files: Policy = "auto"
    encodings: tuple[str, ...] = ("utf-8",)
    choose: Choose | None = None
    overview: Overview | None = None
    api: Api | None = None
    has_answers: bool = False
    only_grows: bool = False
    same_anywhere: bool = False
    documents: Mapping[str, str] = field(default_factory=dict)
    configure: "Callable[[Mapping[str, str]], Provider] | None" = None

    def mappings_for(self, path: str, release: str) -> tuple[BillMapping, ...]:
        """The mappings that may read a file."""
        return self.choose(path, release) if self.choose else self.mappings


@dataclass(frozen=True)
class Manifest:
    """A manifest as JSON, and where it lies."""

    found: Found
    content: Mapping[str, Any] = field(default_factory=dict)


def read_manifest(found: Found, read: Read) -> Manifest | Problem:
    """A manifest, or what is wrong with it."""
    try:
        content = json.loads(read(found).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return Problem("error", "manifest", found.path, f"The manifest is not JSON ({error}); deliver it again.")
    if not isinstance(content, dict):
        return Problem("error", "manifest", found.path, "The manifest is not a JSON object; deliver it again.")
    return Manifest(found, content)
