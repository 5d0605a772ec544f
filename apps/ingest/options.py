"""What `--option KEY=VALUE` may say for bills and usage files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.finops.errors import CostOpsError
from apps.ingest.deliveries import Policy
from apps.ingest.guard import HOLD_BELOW

POLICIES: tuple[Policy, ...] = ("auto", "parts", "snapshots")
HELP = {
    "files": "auto (usually the default), parts or snapshots: what makes up a billing period, see docs/sources.md",
    "hold_below": "hold a new issue back that keeps less than this share of a month's charges or cost (0.8; 0: never)",
    "late_after": "call a day late of which nothing came so many hours after its end (default: as was learned)",
    "quiet_minutes": "leave a file for later that was written less than so many minutes ago (default 0)",
}


class InvalidOption(CostOpsError):
    """An option that is unknown, or whose value cannot be meant."""


@dataclass(frozen=True)
class FileOptions:
    """How the files of a source are taken."""

    files: Policy | None = None  # None: as is usual for the kind of source
    quiet_minutes: int = 0
    hold_below: Decimal = HOLD_BELOW
    late_after: int | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, str], more: Mapping[str, str]) -> "FileOptions":
        """Of all the options of a source; `more` are those that others read, and what they are for."""
        if unknown := sorted(set(options) - set(HELP) - set(more)):
            known = "; ".join(f"{key}: {text}" for key, text in (HELP | dict(more)).items())
            raise InvalidOption(f"Unknown option {unknown[0]!r}. Known options are {known}.")
        return cls(
            files=_policy(options["files"]) if "files" in options else None,
            quiet_minutes=_whole("quiet_minutes", options.get("quiet_minutes", "0"), "minutes"),
            late_after=_whole("late_after", options["late_after"], "hours") if "late_after" in options else None,
            hold_below=_share(options["hold_below"]) if "hold_below" in options else HOLD_BELOW,
        )


def parse(pairs: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` texts as a table; a key said twice is refused."""
    options: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise InvalidOption(f"An option is written KEY=VALUE, not {pair!r}.")
        if key in options:
            raise InvalidOption(f"The option {key!r} is given twice.")
        options[key] = value
    return options


def _policy(value: str) -> Policy:
    for policy in POLICIES:
        if value == policy:
            return policy
    raise InvalidOption(f"files={value}: say one of {', '.join(POLICIES)}.")


def _share(value: str) -> Decimal:
    if not re.fullmatch(r"0|1|0\.\d{1,4}", value, re.ASCII):
        raise InvalidOption(f"hold_below={value}: say a share between 0 and 1, like 0.8.")
    return Decimal(value)


def _whole(name: str, value: str, unit: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > 10_000:
        raise InvalidOption(f"{name}={value}: say a whole number of {unit}.")
    return int(value)
