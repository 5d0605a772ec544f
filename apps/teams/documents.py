"""Files of teams and rules: reading one as a whole, or saying everything that is wrong with it."""

from dataclasses import replace
from pathlib import Path

from apps.finops.errors import CostOpsError
from apps.finops.problems import Problem
from apps.teams.csv_file import read_csv
from apps.teams.drafts import Draft, TeamFacts, check
from apps.teams.ownership import RuleBook
from apps.teams.policy_checks import check_policies
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


def read_teams(path: Path) -> tuple[tuple[TeamFacts, ...], RuleBook]:
    """The teams and rules of a YAML or CSV file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refused(path.name, "too-large", f"the file has more than {MAX_BYTES:,} bytes; is it the right one?")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as missing:
        raise _refused(str(path), "unreadable", f"the file cannot be read: {missing.strerror}") from missing
    except UnicodeDecodeError as wrong:
        line = path.read_bytes()[: wrong.start].count(b"\n") + 1
        raise _refused(f"{path.name} line {line}", "not-utf8", "the file is not UTF-8; save it as UTF-8") from wrong
    return parse_teams(text, file=path.name)


def parse_teams(text: str, *, file: str) -> tuple[tuple[TeamFacts, ...], RuleBook]:
    """The teams and rules of a text; the ending of `file` says how it is written."""
    reader = READERS.get(Path(file).suffix.lower())
    if reader is None:
        raise _refused(file, "unknown-kind", f"the name must end in one of {', '.join(READERS)}")
    draft = Draft(file)
    reader(draft, text)
    broken = bool(draft.problems) and not draft.teams
    if not broken:
        teams, book = check(draft)
        found = teams, replace(book, policies=check_policies(draft, teams))
    if draft.problems:
        raise TeamsFileRefused(file, tuple(sorted(draft.problems, key=_by_line)))
    return found


def _by_line(problem: Problem) -> int:
    return int(problem.subject.rpartition(" ")[2])


def _refused(subject: str, code: str, message: str) -> TeamsFileRefused:
    return TeamsFileRefused(subject, (Problem("error", code, subject, message),))
