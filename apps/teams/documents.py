"""Files of teams and rules: reading one as a whole, or saying everything that is wrong with it."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from apps.finops.errors import CostOpsError
from apps.finops.problems import Problem
from apps.teams.checks import TeamFacts, check
from apps.teams.csv_file import read_csv
from apps.teams.drafts import Draft
from apps.teams.ownership import RuleBook
from apps.teams.policy_checks import check_policies
from apps.teams.tree import Tree
from apps.teams.tree_drafts import check_tree
from apps.teams.yaml_file import read_yaml

READERS = {".yaml": read_yaml, ".yml": read_yaml, ".csv": read_csv}
MAX_BYTES = 20_000_000


class TeamsFileRefused(CostOpsError):
    """The file cannot be imported; `problems` name every line that is wrong and what to do about it."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        listed = "\n".join(f"  {problem.subject}: {problem.message}" for problem in problems)
        things = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
        super().__init__(f"{file} was not imported and nothing was changed; {things} wrong:\n{listed}")


class TeamsFile(NamedTuple):
    """What a file says: the teams, their rules, and where they stand in the organisation."""

    teams: tuple[TeamFacts, ...]
    book: RuleBook
    tree: Tree


def read_teams(path: Path) -> tuple[tuple[TeamFacts, ...], RuleBook]:
    """The teams and rules of a YAML or CSV file."""
    return read_file(path)[:2]


def read_file(path: Path) -> TeamsFile:
    """Everything a YAML or CSV file says."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refused(path.name, "too-large", f"the file has more than {MAX_BYTES:,} bytes; is it the right one?")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as missing:
        raise _refused(str(path), "unreadable", f"the file cannot be read: {missing.strerror}") from missing
    except UnicodeDecodeError as wrong:
        line = path.read_bytes()[: wrong.start].count(b"\n") + 1
        raise _refused(f"{path.name} line {line}", "not-utf8", "the file is not UTF-8; save it as UTF-8") from wrong
    return parse_file(text, file=path.name)


def parse_teams(text: str, *, file: str) -> tuple[tuple[TeamFacts, ...], RuleBook]:
    """The teams and rules of a text; the ending of `file` says how it is written."""
    return parse_file(text, file=file)[:2]


def parse_file(text: str, *, file: str) -> TeamsFile:
    """Everything a text says; the ending of `file` says how it is written."""
    reader = READERS.get(Path(file).suffix.lower())
    if reader is None:
        raise _refused(file, "unknown-kind", f"the name must end in one of {', '.join(READERS)}")
    draft = Draft(file)
    reader(draft, text)
    broken = bool(draft.problems) and not draft.teams
    if not broken:
        teams, book = check(draft)
        found = TeamsFile(teams, replace(book, policies=check_policies(draft, teams)), check_tree(draft))
    refuse(draft)
    return found


def refuse(draft: Draft) -> None:
    """Raise TeamsFileRefused when anything is wrong."""
    if draft.problems:
        raise TeamsFileRefused(draft.file, tuple(sorted(draft.problems, key=_by_line)))


def _by_line(problem: Problem) -> int:
    return int(problem.subject.rpartition(" ")[2])


def _refused(subject: str, code: str, message: str) -> TeamsFileRefused:
    return TeamsFileRefused(subject, (Problem("error", code, subject, message),))
