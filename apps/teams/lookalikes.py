"""Names that look alike though they are not: of two teams of such names people charge the wrong one."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from apps.finops.problems import Problem
from apps.teams.models import Team

_LOOKS_LIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтвнαορνικτηυχɑı01|",  # Cyrillic, Greek, others: each looks like the letter below
    "aeopcyxijshdqwkmtbhaopviktnuxaioll",
)
_ALIKE = "It looks like {other!r}, which is another team: people would take one for the other; rename one of them."


def skeleton(name: str) -> str:
    """What a name looks like: width, case, invisible characters and the alphabet a letter is from are not seen."""
    seen = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(mark for mark in seen if unicodedata.category(mark) not in {"Cf", "Cc"})
    return " ".join(seen.translate(_LOOKS_LIKE).split())


def alike(names: Iterable[str]) -> tuple[Problem, ...]:
    """A warning for every name that looks like one before it."""
    first: dict[str, str] = {}
    found: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(filter(None, names)):
        kept = first.setdefault(skeleton(name), name)
        if kept != name:
            found[kept].append(name)
    return tuple(
        Problem("warning", "names_alike", name, _ALIKE.format(other=kept))
        for kept, others in found.items()
        for name in others
    )


def alike_teams() -> tuple[Problem, ...]:
    """The same of the teams there are, by name and by title."""
    teams = list(Team.objects.filter(is_active=True).order_by("name").values_list("name", "title"))
    return (*alike(name for name, _ in teams), *alike(title for _, title in teams))
