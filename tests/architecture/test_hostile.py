"""What is said of hostile input is so: proofs are there, and limits are those of the code."""

import importlib
import re
from functools import reduce

from django.conf import settings

from tests.architecture import tree

PAGE = (tree.ROOT / "docs" / "hostile.md").read_text()


def test_every_proof_is_there():
    proofs = set(re.findall(r"`([\w/]+\.py)`", PAGE))
    assert len(proofs) > 40
    assert [one for one in sorted(proofs) if not (tree.ROOT / "tests" / one).exists()] == []


def test_every_limit_is_the_one_of_the_code():
    told = {name: number for number, name in re.findall(r"\| ([\d,]+) \| `([\w.]+)` \|", PAGE)}
    assert len(told) > 35
    assert told == {name: f"{_limit(name):,}" for name in told}


def _limit(name: str) -> int:
    """A setting, or what stands in a module, in a class of it perhaps."""
    if name.isupper():
        return getattr(settings, name)
    parts = name.split(".")
    depth = next(n for n, part in enumerate(parts) if not part.islower())
    return reduce(getattr, parts[depth:], importlib.import_module(".".join(parts[:depth])))
