"""Bill files: one FOCUS CSV per billing month, written while the days go by."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.csv as pa_csv

from apps.demo.focus_rows import SCHEMA, Period
from apps.demo.papers import Invoices


class BillFiles:
    """Open files by billing month; a context manager that closes them."""

    def __init__(self, folder: Path, *, compress: bool) -> None:
        self._folder = folder
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

    def add(self, period: Period, *tables: pa.Table) -> None:
        """Append charges to the month's bill."""
        writer = self._writer(f"{period.month:%Y-%m}")
        for table in tables:
            writer.write_table(table)
            self.invoices.add(period.month, table)
            self.rows += len(table)

    def _writer(self, month: str) -> Any:
        if month not in self._open:
            path = self._folder / f"alibaba-cloud-{month}{self._suffix}"
            sink = (
                pa.CompressedOutputStream(str(path), "gzip")
                if self._suffix.endswith(".gz")
                else pa.OSFile(str(path), "wb")
            )
            options = pa_csv.WriteOptions(quoting_style="needed", quoting_header="none")
            self._open[month] = (pa_csv.CSVWriter(sink, SCHEMA, write_options=options), sink)
        return self._open[month][0]
