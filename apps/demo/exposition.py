"""OpenMetrics text: families of series, sampled in the middle of every scrape interval."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TextIO

Kind = Literal["gauge", "counter"]


@dataclass
class Series:
    """Pieces of a series: (start, end, value) in seconds; of a counter, the value is its rate per second."""

    pieces: list[tuple[int, int, float]] = field(default_factory=list)

    def add(self, start: int, end: int, value: float) -> None:
        """Add a piece; one that goes on where the last ended with the same value makes it longer."""
        if self.pieces and self.pieces[-1][1] == start and self.pieces[-1][2] == value:
            self.pieces[-1] = (self.pieces[-1][0], end, value)
        else:
            self.pieces.append((start, end, value))


def label_text(labels: Mapping[str, str]) -> str:
    """Labels as they are written between braces."""
    escaped = (
        (name, text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, text in labels.items()
    )
    return ",".join(f'{name}="{text}"' for name, text in escaped)


class Exposition:
    """Collects series by family and writes them, families one after another, as promtool reads them."""

    def __init__(self, *, step: int) -> None:
        self._step = step
        self._kinds: dict[str, Kind] = {}
        self._families: dict[str, dict[str, Series]] = defaultdict(dict)

    def gauge(self, name: str, labels: Mapping[str, str], start: int, end: int, value: float = 1) -> None:
        self._add(name, "gauge", labels, start, end, value)

    def counter(self, name: str, labels: Mapping[str, str], start: int, end: int, rate: float) -> None:
        """A counter by its rate per second; `name` is without `_total`."""
        self._add(name, "counter", labels, start, end, rate)

    def once(self, name: str, labels: Mapping[str, str], start: int, end: int) -> None:
        """A gauge of 1 that several pods ask for: what overlaps the last piece only lengthens it."""
        series = self._families[name].get(label_text(labels))
        if series and series.pieces[-1][1] > start:
            start = series.pieces[-1][1]
        if start < end:
            self._add(name, "gauge", labels, start, end, 1)

    def _add(self, name: str, kind: Kind, labels: Mapping[str, str], start: int, end: int, value: float) -> None:
        self._kinds[name] = kind
        self._families[name].setdefault(label_text(labels), Series()).add(start, end, value)

    def write(self, file: TextIO) -> None:
        for name, series in self._families.items():
            kind = self._kinds[name]
            file.write(f"# TYPE {name} {kind}\n")
            suffix = "_total" if kind == "counter" else ""
            for labels, one in series.items():
                samples = self._counted(one) if kind == "counter" else self._gauged(one)
                file.write("".join(f"{name}{suffix}{{{labels}}} {value} {at}\n" for at, value in samples))
        file.write("# EOF\n")

    def _times(self, start: int, end: int) -> range:
        """Middles of the scrape intervals: there, Prometheus' extrapolation to the edges of a life is exact."""
        middle = self._step // 2
        return range(start - start % self._step + middle, end, self._step)

    def _gauged(self, series: Series) -> Iterator[tuple[int, str]]:
        for start, end, value in series.pieces:
            text = repr(value)
            yield from ((at, text) for at in self._times(start, end))

    def _counted(self, series: Series) -> Iterator[tuple[int, str]]:
        total = 0.0
        for start, end, rate in series.pieces:
            yield from ((at, f"{total + rate * (at - start):.6f}") for at in self._times(start, end))
            total += rate * (end - start)
