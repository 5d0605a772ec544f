"""What a draft of rules would do, as it is kept with the draft."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from apps.finops.money import less

CENT = Decimal("0.01")
"""Less than this is rounding of shared cost, not a cost that somebody is given."""


@dataclass(frozen=True)
class TeamMove:
    """Effective cost of a team in the window: as it is, by the draft as dated, and had it counted on all days."""

    team: str
    currency: str
    before: Decimal
    after: Decimal
    as_if: Decimal


@dataclass(frozen=True)
class Simulation:
    """What a draft would do to the days `start` <= day < `end`; `sha256` is of the book it would make.

    `taken_from` are the teams of whose workloads, idle pools and charges less is theirs by the draft, whatever they
    gain by others; None in a simulation of before that was found out.
    """

    start: date
    end: date
    sha256: str
    moves: tuple[TeamMove, ...]
    taken_from: tuple[str, ...] | None = None

    @property
    def payers(self) -> frozenset[str]:
        """The teams that would pay more."""
        return frozenset(one.team for one in self.moves if less(max(one.after, one.as_if), one.before) >= CENT)

    @property
    def losers(self) -> frozenset[str]:
        """The teams that something is taken from; where nobody found out, those that would pay less."""
        if self.taken_from is not None:
            return frozenset(self.taken_from)
        return frozenset(one.team for one in self.moves if less(one.before, min(one.after, one.as_if)) >= CENT)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Simulation":
        amounts = ("before", "after", "as_if")
        moves = tuple(
            TeamMove(row["team"], row["currency"], *(Decimal(row[name]) for name in amounts))
            for row in document["moves"]
        )
        start, end = (date.fromisoformat(document[name]) for name in ("start", "end"))
        taken = document.get("taken_from")
        return cls(start, end, document["sha256"], moves, None if taken is None else tuple(taken))

    def to_document(self) -> dict[str, Any]:
        moves = [{name: str(value) for name, value in vars(move).items()} for move in self.moves]
        taken = {} if self.taken_from is None else {"taken_from": list(self.taken_from)}
        return {"start": str(self.start), "end": str(self.end), "sha256": self.sha256, "moves": moves} | taken
