"""Notices: what somebody should be told now, whatever way it reaches them."""

from dataclasses import dataclass

from apps.finops.findings import Sentence

SEVERITIES = ("info", "warning", "critical")
"""The mildest first."""


@dataclass(frozen=True)
class Notice:
    """One fact to tell. The same `key` is told once to one channel, however often it is sent.

    `title` and `lines` are told in the language of whoever reads them. `link` is the path of the page that tells
    everything, `team` whose cost it is about (empty: the company's). `kind` is what people choose by. Notices of one
    `thread` are about one fact: an end (`is_over`) is told only where its beginning was.
    """

    key: str
    severity: str
    title: Sentence
    lines: tuple[Sentence, ...] = ()
    link: str = ""
    team: str = ""
    kind: str = "notice"
    thread: str = ""
    is_over: bool = False

    @property
    def is_urgent(self) -> bool:
        """Whether it passes quiet hours, and waits for no others."""
        return self.severity == "critical" and not self.is_over


def at_least(severity: str, least: str) -> bool:
    """Whether a severity is as grave as another, or graver."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)
