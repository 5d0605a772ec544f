"""Tag keys that cost is told by: which a company may choose, what asks for one, and how their values are kept."""

from collections.abc import Iterable

from apps.finops.errors import CostOpsError

PREFIX = "tag:"
"""Before a key, where it stands among dimensions: `tag:env`."""
MOST_KEYS = 8
LONGEST_KEY = 128
LONGEST_VALUE = 256
"""Characters of a value that are kept; a longer one ends in its fingerprint."""
NOT_RECORDED = "(not recorded)"
"""The value of cost that was allocated before its key was chosen: nobody knows, which is not the same as none."""
_SEPARATORS = set(',="')


class BadTagKeys(CostOpsError):
    """The tag keys that were chosen cannot be meant; the message says which."""


def read_keys(given: Iterable[str]) -> tuple[str, ...]:
    """The keys of a setting, as FOCUS spells them: upper and lower case are told apart."""
    keys = tuple(key.strip() for key in given if key.strip())
    for key in keys:
        if len(key) > LONGEST_KEY or not key.isprintable() or _SEPARATORS & set(key):
            raise BadTagKeys(
                f"{key[:40]!r} is no tag key that cost can be told by: at most {LONGEST_KEY} characters that show, "
                "without comma, quote and equals sign."
            )
        if keys.count(key) > 1:
            raise BadTagKeys(f"{key!r} stands there twice.")
    if len(keys) > MOST_KEYS:
        raise BadTagKeys(f"{len(keys)} keys are more than {MOST_KEYS}: every one multiplies the rows that are kept.")
    return keys


def key_of(dimension: str) -> str:
    """The tag key behind `tag:KEY`; '' for every other dimension."""
    return dimension.removeprefix(PREFIX) if dimension.startswith(PREFIX) else ""
