"""Keeping rates: importing, declaring a base, locking months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from apps.finops.currencies import CURRENCIES
from apps.finops.errors import CostOpsError
from apps.finops.sheets import Wrong, refuse
from apps.finops.windows import ONE_DAY, Window
from apps.rates import csv_file, selectors
from apps.rates.csv_file import QuotedRate
from apps.rates.models import MonthLock, Rate, RateBook, RateVersion

_BATCH = 2_000


class MonthIsLocked(CostOpsError):
    """What is asked would change the rates of a locked month."""


class BadDeclaration(CostOpsError):
    """A base currency or a month that cannot be meant, or a month that cannot be locked yet."""


@dataclass(frozen=True)
class Imported:
    """How many rates a file held, and how many of them were new; `version` is None where none was."""

    version: int | None
    rates: int
    changed: int


def import_rates(content: bytes, *, name: str, by: str, now: datetime, carry_forward: bool = False) -> Imported:
    """Import a file of rates, all of it or nothing. Rates that are held already are not written again.

    Rates of locked months may be in the file as they stand; a rate that differs, or is new there, refuses it. A rate
    that is carried forward stands in for none that is held and was quoted later.
    """
    quoted = csv_file.read(content, name, carry_forward=carry_forward)
    with transaction.atomic():
        _hold_book()
        days = [rate.day for rate in quoted]
        held = {
            (rate.day, rate.from_currency, rate.to_currency): (rate.rate, rate.quoted_day)
            for rate in selectors.rates(start=min(days), end=max(days) + ONE_DAY)
        }
        changed = [rate for rate in quoted if _says_more(rate, held.get((rate.day, rate.source, rate.target)))]
        _refuse_locked(name, changed)
        if not changed:
            return Imported(None, len(quoted), 0)
        version = RateVersion.objects.create(
            kind=RateVersion.Kind.RATES, created_at=now, created_by=by[:150], file_name=name[-255:]
        )
        Rate.objects.bulk_create((_stored(rate, version) for rate in changed), batch_size=_BATCH)
    return Imported(version.number, len(quoted), len(changed))


def _says_more(rate: QuotedRate, held: tuple[Decimal, date] | None) -> bool:
    """Whether a rate of a file takes the place of the rate and the day it was quoted on that are held."""
    is_carried = rate.quoted_day != rate.day
    return held != (rate.rate, rate.quoted_day) and not (held and is_carried and held[1] > rate.quoted_day)


def _stored(rate: QuotedRate, version: RateVersion) -> Rate:
    return Rate(
        version=version, line=rate.line, day=rate.day, from_currency=rate.source, to_currency=rate.target,
        rate_text=f"{rate.rate.normalize():f}", quoted_day=rate.quoted_day,
    )  # fmt: skip


def _refuse_locked(name: str, changed: Sequence[QuotedRate]) -> None:
    locked = set(MonthLock.objects.values_list("month", flat=True))
    wrong = [
        Wrong(rate.line, f"column date: the rates of {rate.day:%Y-%m} are locked, and {rate.source} to {rate.target} "
              f"on {rate.day} is not as it stands")
        for rate in changed
        if f"{rate.day:%Y-%m}" in locked
    ]  # fmt: skip
    refuse(name, wrong)


def declare_base(currency: str, *, start: date, by: str, now: datetime) -> RateVersion:
    """Let rates be crossed over a currency from a day on; an empty currency withdraws that."""
    if currency and currency not in CURRENCIES:
        raise BadDeclaration(f"{currency!r} is not a currency code of ISO 4217; write CNY.")
    with transaction.atomic():
        _hold_book()
        later = [one.base_from for one in selectors.declarations() if one.base_from and one.base_from > start]
        end = min(later, default=date.max)
        for lock in selectors.locks():
            first = date.fromisoformat(f"{lock.month}-01")
            if first < end and _month_end(first) > start:
                raise MonthIsLocked(f"{_locked(lock)} A base currency from {start} on would change it; begin later.")
        return RateVersion.objects.create(
            kind=RateVersion.Kind.BASE, created_at=now, created_by=by[:150], base_currency=currency, base_from=start
        )


def lock_month(month: str, *, by: str, now: datetime, reason: str = "") -> MonthLock:
    """Let the rates of a month never change again. Locking again changes nothing.

    This is what closing a month calls. A month is locked whole: a pair that has a rate on one of its days has one on
    each, or what is missing could never be added.
    """
    first = _first_day(month)
    if not Window(first, _month_end(first)).is_over(now, ZoneInfo(settings.COSTOPS_TIME_ZONE)):
        raise BadDeclaration(f"{month} is not over yet; lock it from {_month_end(first)} on.")
    with transaction.atomic():
        _hold_book()
        if gap := selectors.first_gap(Window(first, _month_end(first))):
            source, target, day = gap
            raise BadDeclaration(f"{month}: there is no rate from {source} to {target} on {day}; import it.")
        lock, _ = MonthLock.objects.get_or_create(
            month=month, defaults={"locked_at": now, "locked_by": by[:150], "reason": reason[:300]}
        )
        return lock


def unlock_month(month: str) -> None:
    """Refused for a locked month: numbers were reported with its rates. A month that is not locked is left as it is."""
    _first_day(month)
    if lock := MonthLock.objects.filter(month=month).first():
        raise MonthIsLocked(f"{_locked(lock)} It stays so; settle a difference by an adjustment in an open month.")


def _locked(lock: MonthLock) -> str:
    why = f" ({lock.reason})" if lock.reason else ""
    return f"The rates of {lock.month} were locked by {lock.locked_by} on {lock.locked_at:%Y-%m-%d}{why}."


def _first_day(month: str) -> date:
    try:
        if len(month) == 7:
            return date.fromisoformat(f"{month}-01")
    except ValueError:
        pass
    raise BadDeclaration(f"{month[:40]!r} is not a month; write 2026-10.")


def _month_end(first: date) -> date:
    return (first.replace(day=28) + 4 * ONE_DAY).replace(day=1)


def _hold_book() -> None:
    """Until the transaction ends nobody else changes rates, declarations or locks."""
    RateBook.objects.get_or_create(pk=1)
    RateBook.objects.select_for_update().get(pk=1)
