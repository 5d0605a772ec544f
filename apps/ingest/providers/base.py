"""What a provider of bills is: how its files are found, and the mappings that read them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.finops.problems import Problem
from apps.ingest.bill.mapping import Mapping as BillMapping
from apps.ingest.deliveries import Policy
from apps.ingest.landing import Found


@dataclass(frozen=True)
class Listed:
    """A file to take, and what its manifest says of it.

    `period` names what a `release` replaces whole (an account's billing period), `release` sorts: of one period
    only the files of the last release count. Both are empty where no manifest says so; then `apps.ingest.deliveries`
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


def everything(found: Sequence[Found], _read: Read) -> Discovery:
    """Every data file there is: where no manifest says which."""
    return Discovery(tuple(Listed(one) for one in found if not one.path.lower().endswith(".json")))


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
    documents: Mapping[str, str] = field(default_factory=dict)
    configure: "Callable[[Mapping[str, str]], Provider] | None" = None


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
