"""What a file brought, and whether it tells again what others told: by account, by day, by the moment charges begin."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

Policy = Literal["auto", "parts", "snapshots"]
Cell = tuple[str, str]
"""(account, business day)."""
Span = tuple[int, int]
"""When the first and the last charge begin, in microseconds since 1970."""
Billed = Mapping[Cell, Span]
Then = Literal["replaces", "adds", "joins"]


@dataclass(frozen=True)
class Delivered:
    """What one revision of a file brought: the days of every window (a billing month) it holds.

    `billed` tells the same by account, with its moments; it is empty for what was read before that was kept, and for
    usage. `period` and `release` are those of its manifest, if any; a refused file brings nothing. `content` is the
    same for the same bytes, packed or not. `answers` are those to the disputes about it, by their keys.
    """

    key: str
    path: str
    delivery: int
    revision: int
    windows: Mapping[str, frozenset[str]] = field(default_factory=dict)
    billed: Mapping[str, Billed] = field(default_factory=dict)
    period: str = ""
    release: str = ""
    content: str = ""
    is_refused: bool = False
    is_accepted: bool = False
    answers: Mapping[str, str] | None = None

    def answer(self, question: "Dispute") -> str:
        """What somebody said to this question, "replaces" or "adds"; empty where they were not asked. Who accepted a
        file before answers were kept said to whatever was asked what it proposed."""
        if not self.is_accepted:
            return ""
        return question.then if self.answers is None else self.answers.get(question.key, "")


@dataclass(frozen=True)
class Dispute:
    """Files that tell days again which `others` told: nobody but a person knows whether they replace these or add.

    What is proposed: that they `replace` the others, of which they tell all anew, though not all that counts; that they
    `add` to others of which they leave something out; or that they `join` a whole month. What is answered is about just
    these days and others: where they are different ones by then, it is asked again.
    """

    window: str
    days: tuple[str, ...]
    others: tuple[str, ...]
    then: Then

    @property
    def key(self) -> str:
        """What is proposed, and the identity of what is asked."""
        told = "\0".join((self.window, *self.days, "", *self.others))
        return f"{self.then}:{sha256(told.encode()).hexdigest()[:32]}"

    def __str__(self) -> str:
        days, others = _span(self.days), _span(self.others)
        match self.then:
            case "replaces":
                return (
                    f"{days}: told anew, and other days of {self.window} are not. Say whether it replaces {others}, or "
                    "adds charges to it."
                )
            case "adds":
                return (
                    f"{days}: told by {others} as well, of which this leaves something out. Say whether it adds "
                    "charges to it, or replaces it with what is left out."
                )
            case "joins":
                return (
                    f"{days}: told by {others} as well. Accepted, both count; if it is {self.window} anew, reject "
                    "it and delete the earlier files where they lie."
                )


def _span(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"


@dataclass(frozen=True)
class Verdict:
    """The paths that no longer count in a window; what is to be asked, and of which files (by key)."""

    replaced: frozenset[str] = frozenset()
    dispute: Dispute | None = None
    asked: frozenset[str] = frozenset()


def judge(earlier: Collection[Delivered], bringing: Collection[Delivered], window: str, policy: Policy) -> Verdict:
    """Which of the earlier files the new ones replace in a window.

    A new issue is cumulative: it tells every day that an account was billed before. What tells none of it adds.
    """
    if not earlier or not bringing:
        return Verdict()
    if any(window not in file.billed for file in (*earlier, *bringing)):
        return _by_days_alone(earlier, bringing, window, policy)
    brought = {cell for file in bringing for cell in file.billed[window]}
    told = {cell for cell in brought if policy == "snapshots" or _is_told_again(cell, earlier, bringing, window)}
    accounts = {account for account, _ in told}
    involved = [file for file in earlier if accounts & accounts_of(file, window)] if accounts else []
    if not involved:
        return Verdict()
    if policy == "snapshots":
        is_whole = all(accounts_of(file, window) <= accounts for file in involved)
        alike = involved
    else:
        is_whole = all(file.billed[window].keys() <= brought for file in involved)
        alike = [file for file in involved if told & file.billed[window].keys()]
    if is_whole:
        return Verdict(frozenset(file.path for file in involved))
    return _asked(alike, [file for file in bringing if accounts & accounts_of(file, window)], told, window, policy)


def judge_parts(earlier: Collection[Delivered], parts: Collection[Delivered], window: str) -> Verdict:
    """The same for new files that come while others are rewritten: they join these, unless they tell all of several
    files that are not, and that tell different days: like an issue of the month."""
    known = [file for file in earlier if file.billed.get(window)]
    brought = {cell for file in parts for cell in file.billed.get(window, {})}
    alike = [file for file in known if file.billed[window].keys() <= brought]
    told = {cell for file in alike for cell in file.billed[window] if _is_told_again(cell, [file], parts, window)}
    if not told or len({frozenset(file.billed[window]) for file in alike}) == 1:
        return Verdict()
    accounts = {account for account, _ in told}
    return _asked(alike, [file for file in parts if accounts & accounts_of(file, window)], told, window, "auto")


def shares_account(one: Delivered, others: Iterable[Delivered], window: str) -> bool:
    """Whether one of the others tells an account of this file, as far as is known."""
    mine = accounts_of(one, window)
    return any(not mine or not theirs or mine & theirs for theirs in (accounts_of(file, window) for file in others))


def _asked(alike: list[Delivered], bringing: list[Delivered], told: set[Cell], window: str, policy: Policy) -> Verdict:
    """What is asked, or what came of the answer. Of files that always add, one that tells others whole issues them
    anew."""
    cells = {cell for file in bringing for cell in file.billed[window]}
    then: Then = "replaces" if all(file.billed[window].keys() <= cells for file in alike) else "adds"
    twice = {day for file in alike for account, day in file.billed[window] if (account, day) in told}
    question = Dispute(window, tuple(sorted(twice)), tuple(sorted(file.path for file in alike)), then)
    answers = {file.key: then if policy == "parts" else file.answer(question) for file in bringing}
    if asked := frozenset(key for key, answer in answers.items() if not answer):
        return Verdict(dispute=question, asked=asked)
    return Verdict(frozenset() if "adds" in answers.values() else frozenset(question.others))


def accounts_of(file: Delivered, window: str) -> set[str]:
    return {account for account, _ in file.billed.get(window, {})}


def _is_told_again(cell: Cell, earlier: Iterable[Delivered], bringing: Iterable[Delivered], window: str) -> bool:
    before = [file.billed[window][cell] for file in earlier if cell in file.billed[window]]
    now = [file.billed[window][cell] for file in bringing if cell in file.billed[window]]
    return any(_meet(one, other) for one in before for other in now)


def _meet(one: Span, other: Span) -> bool:
    """Whether both tell the same hours of a day: files cut at midnight of another zone share a day, and no hour."""
    return one[0] <= other[1] and other[0] <= one[1]


def days_told_again(one: Delivered, other: Delivered, window: str) -> set[str]:
    """The days of which both tell the same hours, of some account."""
    mine, others = one.billed.get(window, {}), other.billed.get(window, {})
    return {cell[1] for cell, span in mine.items() if cell in others and _meet(span, others[cell])}


def _by_days_alone(
    earlier: Collection[Delivered], bringing: Collection[Delivered], window: str, policy: Policy
) -> Verdict:
    """Of what was read before accounts and moments were kept: a day told again re-issues the month."""
    before = {day for file in earlier for day in file.windows[window]}
    now = {day for file in bringing for day in file.windows[window]}
    if policy == "snapshots" or before & now:
        return Verdict(frozenset(file.path for file in earlier))
    return Verdict()
