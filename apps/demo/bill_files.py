"""Bill files: one FOCUS CSV per billing month, written while the days go by; and of each day that is billed late."""

from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.csv as pa_csv

from apps.demo.focus_rows import SCHEMA, Period
from apps.demo.papers import Invoices


class BillFiles:
    """Open files by billing month; a context manager that closes them.

    Days from `late_from` on stand in files of their own in another folder, and their months are not invoiced yet. Such
    a file is named after its day as well: a day may be in the bills of two months.
    """

    def __init__(self, folder: Path, *, compress: bool, late_folder: Path, late_from: date) -> None:
        self._folder = folder
        self._late_folder, self._late_from, self._day = late_folder, late_from, date.min
        self._suffix = ".csv.gz" if compress else ".csv"
        self._open: dict[str, tuple[Any, Any]] = {}
        self.rows = 0
        self.invoices = Invoices()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer, sink in self._open.values():
            writer.close()
            sink.close()

    def begin(self, day: date) -> None:
        """What is added from now on is of this day."""
        self._day = day

    def add(self, period: Period, *tables: pa.Table) -> None:
        """Append charges to the month's bill, or to that of the day."""
        is_late = self._day >= self._late_from
        month = f"{period.month:%Y-%m}"
        writer = self._writer(f"{month}-late-{self._day}" if is_late else month, is_late=is_late)
        for table in tables:
            writer.write_table(table)
            self.invoices.add(period.month, table)
            self.rows += len(table)
        if is_late:
            self.invoices.withhold(period.month)

    def _writer(self, month: str, *, is_late: bool) -> Any:
        if month not in self._open:
            folder = self._late_folder if is_late else self._folder
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"alibaba-cloud-{month}{self._suffix}"
            sink = (
                pa.CompressedOutputStream(str(path), "gzip")
                if self._suffix.endswith(".gz")
                else pa.OSFile(str(path), "wb")
            )
            options = pa_csv.WriteOptions(quoting_style="needed", quoting_header="none")
            self._open[month] = (pa_csv.CSVWriter(sink, SCHEMA, write_options=options), sink)
        return self._open[month][0]
