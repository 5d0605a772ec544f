"""A file of teams and rules as it was written, before anything is known to be right."""

from dataclasses import dataclass, field

from apps.finops.problems import Problem


@dataclass(frozen=True)
class Text:
    """A word of the file and the line it stands on."""

    value: str
    line: int


@dataclass(frozen=True)
class DraftPlace:
    """Where something stands in the organisation, as written."""

    line: int
    parent: Text | None = None
    cost_center: Text | None = None
    valid_from: Text | None = None
    valid_to: Text | None = None


@dataclass(frozen=True)
class DraftTeam:
    """A team as written: its facts by the names of `LIMITS`, and its places where any are written."""

    line: int
    facts: dict[str, Text]
    places: tuple[DraftPlace, ...] = ()


@dataclass(frozen=True)
class DraftUnit:
    """A unit of organisation as written: its `kind`, and facts as a team's."""

    line: int
    facts: dict[str, Text]
    places: tuple[DraftPlace, ...]


Conditions = tuple[tuple[Text, tuple[Text, ...]], ...]
"""What conditions are about, each with its patterns."""


@dataclass(frozen=True)
class DraftRule:
    """A rule as written; `split` is None for a rule about shared namespaces."""

    line: int
    name: Text | None
    when: Conditions
    split: tuple[tuple[Text, Text], ...] | None = None
    valid_from: Text | None = None
    valid_to: Text | None = None
    any: Conditions = ()
    unless: Conditions = ()
    priority: Text | None = None
    cluster: Text | None = None
    by: Text | None = None


@dataclass(frozen=True)
class DraftPolicy:
    """A policy as written: what it has in common with rules, and its other words by their keys."""

    rule: DraftRule
    words: dict[str, Text]
    teams: tuple[Text, ...] = ()


@dataclass(frozen=True)
class DraftEdit:
    """One edit of a proposed change as written: `kind` is add, change or end, `name` the rule it is about."""

    kind: str
    name: Text
    rule: DraftRule | None
    before: Text | None = None
    after: Text | None = None


@dataclass
class Draft:
    """A whole file as written, and what was found wrong so far."""

    file: str
    teams: list[DraftTeam] = field(default_factory=list)
    units: list[DraftUnit] = field(default_factory=list)
    rules: list[DraftRule] = field(default_factory=list)
    shared: list[DraftRule] = field(default_factory=list)
    policies: list[DraftPolicy] = field(default_factory=list)
    clusters: list[DraftRule] = field(default_factory=list)
    price_ratio: dict[str, Text] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, code: str, line: int, message: str) -> None:
        self.problems.append(Problem("error", code, f"{self.file} line {line}", message))
