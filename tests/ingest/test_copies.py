"""Which of two places with the same bytes counts, where they are the same charges (`same_anywhere`)."""

from itertools import permutations

import pytest

from apps.ingest.delivered import Delivered
from apps.ingest.deliveries import settle

DAY = "2026-10-04"


def told(key: str, period: str, content: str, delivery: int = 1, path: str = "") -> Delivered:
    """A file of a day of October; its `content` is what it holds and how it is read, "A actual"."""
    return Delivered(
        key, path or f"{key}.csv", delivery, delivery, {"2026-10": frozenset([DAY])},
        {"2026-10": {("1", DAY): (0, 1)}}, period=period, release="1", content=content,
    )  # fmt: skip


ACTUAL, AMORTISED = told("actual", "scope 202610", "A beside", 2), told("amortised", "scope 202610", "M amortised", 2)
PAIR = [ACTUAL, AMORTISED]


@pytest.mark.parametrize(
    ("files", "counting"),
    [
        pytest.param([*PAIR, told("copy", "202610", "A actual")], "actual amortised", id="actual cost"),
        pytest.param([*PAIR, told("copy", "202610", "M actual")], "actual amortised", id="amortised cost"),
        pytest.param([*PAIR, told("copy", "other 202610", "A actual")], "actual amortised", id="a manifest's"),
        pytest.param(
            [ACTUAL, told("a", "202610", "A beside", 3), told("m", "202610", "M amortised", 3)], "a m",
            id="one half of a pair, where a manifest names this half alone",
        ),
        pytest.param(
            [*PAIR, told("a", "202610", "A beside"), told("m", "202610", "N amortised")], "actual amortised",
            id="one half of two pairs: the other half goes with it",
        ),
        pytest.param([told("old", "202610", "A actual"), told("new", "s 202610", "A actual", 2)], "new", id="named"),
        pytest.param([told("old", "202611", "A actual"), told("new", "202610", "A actual", 2)], "new", id="its month"),
        pytest.param([told("old", "", "A actual"), told("new", "202611", "A actual", 2)], "new", id="of any month"),
        pytest.param([told("old", "202611", "A actual"), told("new", "202612", "A actual", 2)], "old", id="the first"),
    ],
)  # fmt: skip
def test_of_the_same_bytes_those_of_the_period_that_tells_most_count(files, counting):
    for ordered in permutations(files):
        found = settle(ordered, same_anywhere=True)
        assert {key for key, _ in found.counting} == set(counting.split())
        assert found.duplicates == {file.key for file in files} - set(counting.split())


@pytest.mark.parametrize(
    ("other", "counting"),
    [
        pytest.param("other 202610", "y2", id="the newer counts"),
        pytest.param("202610", "x2", id="or what a manifest names"),
    ],
)
def test_of_two_copies_of_each_others_past_one_counts(other, counting):
    scoped = [told("x1", "scope 202610", "A actual", 1, "x"), told("x2", "scope 202610", "B actual", 3, "x")]
    copies = [told("y1", other, "B actual", 2, "y"), told("y2", other, "A actual", 4, "y")]
    for ordered in permutations([*scoped, *copies]):
        assert settle(ordered, same_anywhere=True).counting == {(counting, "2026-10")}
