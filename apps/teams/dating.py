"""Changing a book of rules from a day on: what ends or changes is dated, never overwritten, so no earlier day moves."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from apps.finops.errors import CostOpsError
from apps.teams.checks import RULE_NAME_LIMIT, check
from apps.teams.drafts import Draft, DraftEdit, DraftTeam, Text
from apps.teams.ownership import Rule, RuleBook
from apps.teams.yaml_file import read_change

ADD, CHANGE, END = "add", "change", "end"
_DATED = re.compile(r" \(from [0-9]{4}-[0-9]{2}-[0-9]{2}\)$")


class BadChange(CostOpsError):
    """The proposed change cannot be read, or does not fit the rules in force. Nothing was kept."""


@dataclass(frozen=True)
class Edit:
    """One edit: `kind` is add, change or end; `before` or `after` name the rule beside which it is put."""

    kind: str
    name: str
    rule: Rule | None = None
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Change:
    """A proposed change of the rules: its edits count from `valid_from` on."""

    valid_from: date
    edits: tuple[Edit, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules it adds and the new versions of those it changes."""
        return tuple(edit.rule for edit in self.edits if edit.rule)


def parse_change(text: str, teams: Iterable[str]) -> Change:
    """What a text proposes, checked as a whole against the names of the teams there are."""
    draft = Draft("draft")
    since, edits = read_change(draft, text)
    draft.teams += [DraftTeam(1, {"name": Text(name, 1)}) for name in teams]
    draft.rules += [edit.rule for edit in edits if edit.rule]
    if since is None and not draft.problems:
        draft.complain("no-date", 1, "the day from which on it counts is missing; write `valid_from: 2026-11-01`")
    if not edits and not draft.problems:
        draft.complain("no-edit", 1, "nothing is proposed; write `add:`, `change:` or `end:` with a list of rules")
    _check_places(draft, edits)
    rules = {rule.name: rule for rule in check(draft)[1].rules}  # a book sorts them by priority
    valid_from = _day(draft, since)
    if draft.problems:
        lines = sorted({f"{problem.subject}: {problem.message}" for problem in draft.problems}, key=_by_line)
        raise BadChange("The draft was not kept:\n" + "\n".join(f"  {line}" for line in lines))
    return Change(valid_from, tuple(_edit(edit, rules[edit.name.value] if edit.rule else None) for edit in edits))


def _by_line(told: str) -> tuple[int, str]:
    return int(told.partition(":")[0].rpartition(" ")[2]), told


def _check_places(draft: Draft, edits: list[DraftEdit]) -> None:
    for edit in edits:
        if edit.before and edit.after:
            draft.complain("two-places", edit.before.line, "a rule stands either `before` or `after` another; keep one")
        if not edit.name.value and edit.kind == END:
            draft.complain("no-name", edit.name.line, "`end` lists the names of rules; one is empty")


def _day(draft: Draft, since: Text | None) -> date:
    try:
        return date.fromisoformat(since.value if since else "")
    except ValueError:
        if since:
            draft.complain("bad-date", since.line, f"{since.value!r} is no date; write it such as 2026-11-01")
        return date.min


def _edit(edit: DraftEdit, rule: Rule | None) -> Edit:
    before, after = (place.value if place else "" for place in (edit.before, edit.after))
    return Edit(edit.kind, edit.name.value, rule, before, after)


def applied(book: RuleBook, edits: Iterable[Edit], day: date) -> RuleBook:
    """The book in which the edits count from a day on; it says of every earlier day what `book` says."""
    rules = list(book.rules)
    for edit in edits:
        _EDITS[edit.kind](rules, edit, day)
    others = (*(rule.name for rule in book.shared), *(rule.name for rule in book.clusters))
    names = [*(rule.name for rule in rules), *others]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadChange(f"There would be two rules {twice[0]!r}. Give the new one another name.")
    return replace(book, rules=tuple(rules))


def past(book: RuleBook, until: date) -> tuple[Rule, ...]:
    """The rules that decide the days before `until`, in order, as if there were no later days."""
    early = [rule for rule in book.rules if rule.valid_from is None or rule.valid_from < until]
    return tuple(replace(rule, valid_to=min(rule.valid_to or until, until)) for rule in early)


def _add(rules: list[Rule], edit: Edit, day: date) -> None:
    if any(rule.name == edit.name for rule in rules):
        raise BadChange(f"There is a rule {edit.name!r} already. Propose it under `change`, or give it another name.")
    _put(rules, _begun(edit, day), edit, len(rules))


def _end(rules: list[Rule], edit: Edit, day: date) -> None:
    _close(rules, edit.name, day)


def _change(rules: list[Rule], edit: Edit, day: date) -> None:
    at = _number(rules, edit.name)
    old, new = rules[at], _begun(edit, day)
    new = replace(new, valid_to=new.valid_to or old.valid_to)
    if new.valid_to and new.valid_from and new.valid_to <= new.valid_from:
        raise BadChange(f"{edit.name!r} would end on {new.valid_to} and begin on {new.valid_from}; date it otherwise.")
    is_kept = _close(rules, edit.name, day)
    if is_kept:
        new = replace(new, name=_version(edit.name, new.valid_from or day))
    _put(rules, new, edit, at + is_kept)


_EDITS = {ADD: _add, CHANGE: _change, END: _end}


def _begun(edit: Edit, day: date) -> Rule:
    """The new rule, valid from the day on, or from a later one that it names itself."""
    if edit.rule is None:
        raise ValueError(f"{edit.kind} without a rule")
    if edit.rule.valid_from and edit.rule.valid_from < day:
        raise BadChange(
            f"{edit.name!r} begins on {edit.rule.valid_from}, before the draft counts ({day}): the past does not move. "
            "Date the draft earlier, or the rule later."
        )
    if edit.rule.valid_to and edit.rule.valid_to <= day:
        raise BadChange(f"{edit.name!r} ends on {edit.rule.valid_to}, before it could begin ({day}).")
    return replace(edit.rule, valid_from=edit.rule.valid_from or day)


def _close(rules: list[Rule], name: str, day: date) -> bool:
    """End a rule on a day; whether anything is left of it."""
    at = _number(rules, name)
    old = rules[at]
    if old.valid_to and old.valid_to <= day:
        raise BadChange(f"{name!r} ends on {old.valid_to} already, which is not after {day}.")
    if old.valid_from and old.valid_from >= day:
        del rules[at]
        return False
    rules[at] = replace(old, valid_to=day)
    return True


def _version(name: str, day: date) -> str:
    """The name of a rule's version from a day on: the earlier version keeps its name, for rows of the past tell it."""
    version = f"{_DATED.sub('', name)} (from {day})"
    if len(version) > RULE_NAME_LIMIT:
        raise BadChange(f"{version!r} has more than {RULE_NAME_LIMIT} characters. End the rule and add another.")
    return version


def _put(rules: list[Rule], rule: Rule, edit: Edit, at: int) -> None:
    if edit.before:
        at = _number(rules, edit.before)
    elif edit.after:
        at = _number(rules, edit.after) + 1
    rules.insert(at, rule)


def _number(rules: list[Rule], name: str) -> int:
    for number, rule in enumerate(rules):
        if rule.name == name:
            return number
    raise BadChange(f"There is no rule {name!r}; `manage.py rules list` shows them all.")
