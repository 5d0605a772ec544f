"""What a draft of rules would do, as it is kept with the draft."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


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
    """What a draft would do to the days `start` <= day < `end`; `sha256` is of the book it would make."""

    start: date
    end: date
    sha256: str
    moves: tuple[TeamMove, ...]

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Simulation":
        amounts = ("before", "after", "as_if")
        moves = tuple(
            TeamMove(row["team"], row["currency"], *(Decimal(row[name]) for name in amounts))
            for row in document["moves"]
        )
        start, end = (date.fromisoformat(document[name]) for name in ("start", "end"))
        return cls(start, end, document["sha256"], moves)

    def to_document(self) -> dict[str, Any]:
        moves = [{name: str(value) for name, value in vars(move).items()} for move in self.moves]
        return {"start": str(self.start), "end": str(self.end), "sha256": self.sha256, "moves": moves}
