"""Bills pulled from Alibaba Cloud's API (BssOpenApi 2017-12-14), and kept as the files that OSS push would deliver.

Open months are asked for again every six hours, day by day; a month is final on the 4th of the next at noon in China,
and is asked for once more then, whole. Discovery and mapping are those of pushed files.
"""

import csv
import importlib
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from apps.finops.errors import CostOpsError
from apps.finops.problems import Problem
from apps.ingest.providers.base import Ask
from apps.ingest.providers.china import ZONE
from apps.ingest.text.answers import AROUND

OPTIONS = {
    "since": "the first month, like 2026-10 (alibaba_api)",
    "granularity": "daily (the default) or monthly (alibaba_api)",
    "access_key_id_env": "the environment variable with the access key (default ALIBABA_CLOUD_ACCESS_KEY_ID)",
    "access_key_secret_env": "the one with its secret (default ALIBABA_CLOUD_ACCESS_KEY_SECRET)",
}
PAGE = 300
MOST_PAGES = 10_000
EVERY = timedelta(hours=6)
_FINAL_AFTER = timedelta(days=3, hours=12)
_MISSING = "The source kind alibaba_api needs more packages: pip install --require-hashes -r requirements/alibaba.txt."


class ApiFailed(CostOpsError):
    """The API did not answer as it should."""


@dataclass(frozen=True)
class Month:
    """A billing month in China."""

    first: date

    @property
    def next(self) -> "Month":
        return Month((self.first + timedelta(days=32)).replace(day=1))

    @property
    def cycle(self) -> str:
        return f"{self.first:%Y-%m}"

    def is_final(self, now: datetime) -> bool:
        return now >= datetime.combine(self.next.first, datetime.min.time(), ZoneInfo(ZONE)) + _FINAL_AFTER

    def days(self, until: date) -> Iterator[date]:
        """Its days that are over."""
        day = self.first
        while day < min(self.next.first, until):
            yield day
            day += timedelta(days=1)


@dataclass(frozen=True)
class Page:
    """Rows of an answer, each with the account and month it stands under."""

    rows: tuple[dict[str, Any], ...]
    next: str


class Api:
    """The three questions we ask; the SDK is imported when the first is asked."""

    def __init__(self, endpoint: str, key: str, secret: str) -> None:
        try:
            client = importlib.import_module("alibabacloud_bssopenapi20171214.client")
            self._models = importlib.import_module("alibabacloud_bssopenapi20171214.models")
            config = importlib.import_module("alibabacloud_tea_openapi.utils_models")
            runtime = importlib.import_module("darabonba.runtime")
        except ImportError as error:
            raise ApiFailed(_MISSING) from error
        protocol, _, host = endpoint.rpartition("://")
        self._runtime = runtime.RuntimeOptions(read_timeout=60_000, connect_timeout=10_000)
        self._client = client.Client(
            config.Config(
                access_key_id=key, access_key_secret=secret, endpoint=host.strip("/"), protocol=protocol or "https"
            )
        )

    def bill(self, month: Month, day: date | None) -> list[dict[str, Any]]:
        """The billing items of a day, or of a whole month added up; all pages."""
        rows: list[dict[str, Any]] = []
        token: str | None = None
        for _ in range(MOST_PAGES):
            request = self._models.DescribeInstanceBillRequest(
                billing_cycle=month.cycle,
                billing_date=f"{day:%Y-%m-%d}" if day else None,
                granularity="DAILY" if day else "MONTHLY",
                is_billing_item=True,
                max_results=PAGE,
                next_token=token,
            )
            page = self._ask(self._client.describe_instance_bill_with_options, request)
            rows += page.rows
            if not page.next:
                return rows
            if page.next == token:
                break
            token = page.next
        raise ApiFailed(f"{month.cycle}: the pages of DescribeInstanceBill have no end.")

    def overview(self, month: Month) -> list[dict[str, Any]]:
        """What every product of a month cost."""
        request = self._models.QueryBillOverviewRequest(billing_cycle=month.cycle)
        return list(self._ask(self._client.query_bill_overview_with_options, request).rows)

    def _ask(self, question: Any, request: Any) -> Page:
        try:
            body = question(request, self._runtime).body.to_map()
        except Exception as error:  # what the SDK raises is of no common kind, and names no secret
            raise ApiFailed(f"The API does not answer: {str(error).splitlines()[0][:300]}") from error
        if not body.get("Success") or not isinstance(body.get("Data"), Mapping):
            raise ApiFailed(f"The API refuses: {body.get('Code')} {body.get('Message')}.")
        data = body["Data"]
        items = data.get("Items") or []
        rows = items.get("Item") or [] if isinstance(items, Mapping) else items
        around = {name: data[name] for name in AROUND if name in data}
        return Page(tuple(around | row for row in rows), data.get("NextToken") or "")


def fetch(ask: Ask) -> tuple[Problem, ...]:
    """Bring what the API has for the months since `since` into the folder; what did not change is not written."""
    stamp = ask.folder / ".fetched"
    if stamp.exists() and ask.now - datetime.fromisoformat(stamp.read_text()) < EVERY:
        return ()
    try:
        api = Api(ask.location, _secret(ask, "access_key_id"), _secret(ask, "access_key_secret"))
        for month in _months(ask):
            _fetch_month(api, ask, month)
    except ApiFailed as error:
        return (Problem("error", "api", ask.location, str(error)),)
    stamp.write_text(ask.now.isoformat())
    return ()


def check_options(options: Mapping[str, str]) -> None:
    """Raise ApiFailed where an option cannot be meant."""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", options.get("since", "")):
        raise ApiFailed("Say the first month to pull, like --option since=2026-10.")
    if options.get("granularity", "daily") not in ("daily", "monthly"):
        raise ApiFailed("granularity is daily or monthly.")


def _secret(ask: Ask, name: str) -> str:
    variable = ask.options.get(f"{name}_env", f"ALIBABA_CLOUD_{name.upper()}")
    if not (value := os.environ.get(variable, "")):
        raise ApiFailed(f"The environment variable {variable} is not set.")
    return value


def _months(ask: Ask) -> Iterator[Month]:
    month = Month(date.fromisoformat(f"{ask.options['since']}-01"))
    while month.first < ask.now.astimezone(ZoneInfo(ZONE)).date():
        yield month
        month = month.next


def _fetch_month(api: Api, ask: Ask, month: Month) -> None:
    if any(ask.folder.glob(f".final-{month.cycle}")):
        return
    today = ask.now.astimezone(ZoneInfo(ZONE)).date()
    is_final = month.is_final(ask.now)
    if ask.options.get("granularity") == "monthly":
        _keep(ask.folder, f"BillingItemDetailMonthly_{month.first:%Y%m}", api.bill(month, None))
    else:
        whole: list[dict[str, Any]] = []
        for day in month.days(today):
            rows = api.bill(month, day)
            whole += rows
            if not is_final:
                _keep(ask.folder, f"BillingItemDetail_{day:%Y%m%d}", rows)
        if is_final:
            _keep(ask.folder, f"BillingItemDetail_{month.first:%Y%m}", whole)
    _keep(ask.folder, f"BillOverview_{month.first:%Y%m}", api.overview(month))
    if is_final:
        (ask.folder / f".final-{month.cycle}").touch()


def _keep(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV under the account's name, whole or not at all; unchanged ones are left alone."""
    if not rows:
        return
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows({column: _text(value) for column, value in row.items()} for row in rows)
    target = folder / f"{rows[0].get('AccountID') or rows[0].get('BillAccountID') or 0}_{name}.csv"
    content = out.getvalue().encode()
    if target.exists() and target.read_bytes() == content:
        return
    incoming = folder / f".{target.name}"
    incoming.write_bytes(content)
    incoming.replace(target)


def _text(value: Any) -> str:
    """The value as text; a float by its shortest digits, which are those of the answer up to fifteen."""
    return "" if value is None else str(value)
