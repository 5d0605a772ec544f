"""What a provider's overview says a month cost, against the charges: per account, month, service and currency."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path, PurePosixPath

from apps.finops.money import add_up, less, plain
from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest import kinds, landing
from apps.ingest.models import LandedFile, Source
from apps.ingest.providers.base import Listed, Overview, Provider
from apps.ingest.releases import FINAL
from apps.ingest.text import careful
from apps.ingest.text.answers import in_csv
from apps.ingest.text.encoding import in_utf8
from apps.ingest.text.header import BadHeader, read_header
from apps.ingest.unpack import Unreadable, unpacked
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

Key = tuple[str, str, str, str]
"""Account, month, service, currency."""
_UNREADABLE = (Unreadable, BadHeader, careful.Broken, OSError, LookupError, ValueError, ArithmeticError)


def compare(source: Source) -> list[Problem]:
    """Where the charges differ from the overviews that count: an error once the month is final, a warning before."""
    told = source.files.filter(state=LandedFile.State.CURRENT).order_by("path")
    return _compare(source, ((one.path, landing.at_hand(one.sha256), one.release) for one in told))


def check(source: Source, listed: Iterable[Listed]) -> list[Problem]:
    """The same for the overviews that lie at a source's location now."""
    return _compare(source, ((one.found.path, one.found.full, one.release) for one in listed))


def _compare(source: Source, files: Iterable[tuple[str, Path, str]]) -> list[Problem]:
    provider = kinds.BILLS.get(source.kind)
    if provider is None or provider.overview is None:
        return []
    problems: list[Problem] = []
    for path, full, release in files:
        if not provider.overview.names.search(PurePosixPath(path).name):
            continue
        try:
            stated = _stated(provider, provider.overview, path, full)
        except _UNREADABLE as error:
            problems.append(Problem("error", "overview", path, f"The overview cannot be read ({error})."))
            continue
        problems += _differences(source, path, stated, is_final=release.startswith(FINAL))
    return problems


def _stated(provider: Provider, overview: Overview, path: str, full: Path) -> dict[Key, Decimal]:
    total: dict[Key, Decimal] = defaultdict(Decimal)
    for row in _rows(provider, path, full):
        one = overview.state(row)
        key = one.account, one.month, one.service, one.currency
        total[key] = add_up((total[key], one.billed_cost))
    return total


def _rows(provider: Provider, path: str, full: Path) -> Iterator[Mapping[str, str]]:
    with unpacked(full, path) as bundle:
        for member in bundle.members:
            plain = in_csv(in_utf8(member, bundle.folder, provider.encodings), bundle.folder)
            columns = read_header(plain.path, plain.name).columns
            for row in careful.rows(plain.path):
                yield dict(zip(columns, row.cells, strict=False))


def _differences(source: Source, path: str, stated: Mapping[Key, Decimal], *, is_final: bool) -> Iterator[Problem]:
    months = {(account, month) for account, month, _, _ in stated}
    charged = {key: cost for key, cost in _charged(source, {month for _, month in months}).items() if key[:2] in months}
    for key in sorted({*stated, *charged}):
        said, found = stated.get(key, Decimal(0)), charged.get(key, Decimal(0))
        if said == found:
            continue
        account, month, service, currency = key
        message = (
            f"{account} {month} {service}: the overview says {plain(said)} {currency}, the charges add up to "
            f"{plain(found)}, {plain(less(found, said).copy_abs())} {'more' if found > said else 'less'}; "
            + ("fetch the month's bill and its overview again." if is_final else "the month is still open.")
        )
        yield Problem("error" if is_final else "warning", "overview", path, message)


def _charged(source: Source, months: set[str]) -> dict[Key, Decimal]:
    charges = lake.scan(CHARGES)
    keys = ["BillingAccountId", "x_BillingMonth", "ServiceName", "BillingCurrency"]
    mine = charges.filter(charges["x_SourceName"] == source.name, charges["x_BillingMonth"].isin(sorted(months)))
    summed = rows_of(mine.group_by(keys).aggregate(cost=mine["BilledCost"].sum()).select(*keys, "cost"))
    return {
        (account, month, service, currency): cost or Decimal(0) for account, month, service, currency, cost in summed
    }
