"""Problems: bad data as rows, shown to people; an error-level problem stops publication of what it concerns."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the data: `subject` says where (file, line, column; query; node), `message` what to do."""

    severity: Severity
    code: str
    subject: str
    message: str
