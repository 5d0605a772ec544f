"""How benchmarks came out over time: a line for each run, with what its goals are about.

python -m bench.history [NAME…]
"""

import json
import sys
from collections.abc import Iterable, Iterator

from bench.measure import history


def lines(results: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """The results of some benchmarks, of all where none is named, as text: `value/goal`, with `!` where it is missed."""
    wanted = set(names)
    for told in map(json.loads, results):
        if not wanted or told["bench"] in wanted:
            measured = "  ".join(
                f"{name} {float(told[name]):.4g}/{most:g}{'!' if name in told['missed'] else ''}"
                for name, most in told["goal"].items()
            )
            yield f"{told['at']}  {told['commit']:<14}  {told['bench']:<16}  {measured}"


if __name__ == "__main__":
    if not history().exists():
        sys.exit(f"Nothing was measured yet: {history()} is not there; `make bench` makes it.")
    sys.stdout.write("".join(f"{line}\n" for line in lines(history().read_text().splitlines(), sys.argv[1:])))
