"""Every check between the policies of a file as written and what they mean."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from apps.teams.checks import TeamFacts, check_condition, check_dates, check_name, check_split
from apps.teams.drafts import Conditions, Draft, DraftPolicy, Text
from apps.teams.ownership import CHARGE_FIELDS, COMMITMENT_FIELDS, IDLE_FIELDS, TELLING_FIELDS, Condition
from apps.teams.policies import SUBJECTS, Policy

_OF_WORKLOADS = ("cluster", *TELLING_FIELDS)
FIELDS = {
    "idle": IDLE_FIELDS,
    "share": (*_OF_WORKLOADS, *CHARGE_FIELDS),
    "follow": CHARGE_FIELDS,
    "unused": (*CHARGE_FIELDS, *COMMITMENT_FIELDS),
    "credits": CHARGE_FIELDS,
}
"""The subject of a policy → what its conditions may be about."""
NEEDS_CONDITION = ("share", "follow")
"""What covers everything there is when nothing says which part of it is meant."""
WORDS = {"central": ("team", "split"), "fixed": ("split",), "by_driver": ("driver",), "even": ("teams",)}
"""The way of a policy → what is told beside it; the teams of `even` need not be."""
_DRIVER_LIMIT = 60


class _Placed(NamedTuple):
    """A policy, and where it stands in the file."""

    number: int
    line: int
    policy: Policy


def check_policies(draft: Draft, teams: Iterable[TeamFacts]) -> tuple[Policy, ...]:
    """The policies of a file, in order; useless when the draft's `problems` say that anything is wrong."""
    known = {team.name for team in teams}
    found = tuple(_policy(draft, one, known) for one in draft.policies)
    taken = {rule.name.value for rule in (*draft.rules, *draft.shared, *draft.clusters) if rule.name}
    placed = [_Placed(number, draft.policies[number].rule.line, policy) for number, policy in enumerate(found)]
    for one in placed:
        if one.policy.label in taken:
            draft.complain("twice", one.line, f"{one.policy.label!r} is the name of a rule; choose another name")
    _check_names(draft, [one for one in placed if one.policy.name])
    _check_meanings(draft, placed)
    return found


def _check_names(draft: Draft, named: Sequence[_Placed]) -> None:
    """Policies of one name are versions of one policy: of one subject, each with days of its own."""
    first: dict[str, _Placed] = {}
    for one in named:
        name, other = one.policy.name, first.setdefault(one.policy.name, one)
        if other.policy.subject != one.policy.subject:
            message = f"policy {name!r} stands on line {other.line} already, about {other.policy.subject}; rename one"
            draft.complain("twice", one.line, message)
    for earlier, later in _overlapping(named, by=lambda policy: (policy.name, policy.subject)):
        draft.complain(
            "overlap", later.line,
            f"policy {later.policy.name!r} stands on line {earlier.line} already, for some of the same days; versions "
            "of a policy must not overlap: end the earlier one with `valid_to` where the later one begins",
        )  # fmt: skip


def _check_meanings(draft: Draft, placed: Iterable[_Placed]) -> None:
    for earlier, later in _overlapping(placed, by=lambda policy: (policy.subject, policy.matching)):
        if not later.policy.name or earlier.policy.name != later.policy.name:
            draft.complain(
                "overlap", later.line,
                f"the policy on line {earlier.line} is about exactly the same, on some of the same days, and would "
                "decide; give one of them other conditions or other days",
            )  # fmt: skip


def _overlapping(placed: Iterable[_Placed], *, by: Callable[[Policy], Hashable]) -> Iterator[tuple[_Placed, _Placed]]:
    """Pairs of policies that are alike and have days in common, in the order of the file: each with that of those which
    begin before it that lasts longest. Where any two meet, some pair is told."""
    longest: dict[Hashable, _Placed] = {}
    for one in sorted(placed, key=lambda one: one.policy.valid_from or date.min):
        alike = by(one.policy)
        other = longest.setdefault(alike, one)
        if other is not one and other.policy.overlaps(one.policy):
            yield min(other, one), max(other, one)
        longest[alike] = max(other, one, key=lambda one: one.policy.valid_to or date.max)


def _policy(draft: Draft, written: DraftPolicy, known: set[str]) -> Policy:
    rule = written.rule
    subject, how = _subject(draft, written)
    valid_from, valid_to = check_dates(draft, rule)
    _check_words(draft, written, how)
    return Policy(
        name=check_name(draft, rule),
        subject=subject,
        how=how,
        **_conditions(draft, written, subject),
        split=_split(draft, written, how, known),
        teams=_teams(draft, written.teams, known) if how == "even" else (),
        driver=_driver(draft, written) if how == "by_driver" else "",
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _subject(draft: Draft, written: DraftPolicy) -> tuple[str, str]:
    """What the policy is about, and its way."""
    chosen = [name for name in SUBJECTS if name in written.words]
    if len(chosen) != 1:
        told = f"has {' and '.join(chosen)} at once" if chosen else "says nothing about what it is for"
        ways = "; ".join(f"{name}: {' | '.join(ways)}" for name, ways in SUBJECTS.items())
        draft.complain("no-subject", written.rule.line, f"a policy {told}; write exactly one of {ways}")
        return "idle", "owner"
    (subject,) = chosen
    how = written.words[subject]
    if how.value not in SUBJECTS[subject]:
        draft.complain(
            "unknown-way", how.line, f"{subject}: {how.value!r} is unknown; known are {', '.join(SUBJECTS[subject])}"
        )
    return subject, how.value


def _check_words(draft: Draft, written: DraftPolicy, how: str) -> None:
    """What is told beside the way must be what that way asks for."""
    split = written.rule.split or ()
    told = {
        "team": split[0][0] if len(split) == 1 else None,
        "split": split[0][0] if len(split) > 1 else None,
        "driver": written.words.get("driver"),
        "teams": next(iter(written.teams), None),
    }
    wanted = WORDS.get(how, ())
    for name, word in told.items():
        if word is not None and name not in wanted and not (name == "team" and "split" in wanted):
            draft.complain("not-asked-for", word.line, f"`{name}` says nothing for {how!r}; remove it")


def _conditions(draft: Draft, written: DraftPolicy, subject: str) -> dict[str, tuple[Condition, ...]]:
    rule, allowed = written.rule, FIELDS[subject]
    found = {
        name: tuple(check_condition(draft, about, patterns, allowed) for about, patterns in conditions)
        for name, conditions in (("when", rule.when), ("any", rule.any), ("unless", rule.unless))
    }
    if subject in NEEDS_CONDITION and not (rule.when or rule.any):
        draft.complain(
            "no-condition", rule.line, f"a policy to {subject} says which cost it means; write `when:` and a condition"
        )
    if subject == "share":
        for number in range(max(len(rule.any), 1)):
            _check_possible(draft, rule.line, (*rule.when, *rule.any[number : number + 1]))
    return found


def _check_possible(draft: Draft, line: int, conditions: Conditions) -> None:
    """A workload has no bill columns and a charge has no namespace: a policy that asks for both matches nothing."""
    fields = {about.value.partition(".")[0] for about, _ in conditions}
    known = fields <= set(FIELDS["share"])
    if known and not (fields <= set(_OF_WORKLOADS) or fields <= set(CHARGE_FIELDS)):
        draft.complain(
            "impossible", line,
            f"nothing has {', '.join(sorted(fields))} at once, so the policy can never match: workloads have "
            f"{', '.join(_OF_WORKLOADS)}; charges have {', '.join(CHARGE_FIELDS)}. Write two policies.",
        )  # fmt: skip


def _split(draft: Draft, written: DraftPolicy, how: str, known: set[str]) -> tuple[tuple[str, int], ...]:
    if how not in ("central", "fixed"):
        return ()
    if how == "central" and len(written.rule.split or ()) > 1:
        draft.complain("two-owners", written.rule.line, "`central` has one owner; write `team: NAME`")
        return ()
    return check_split(draft, written.rule, known)


def _teams(draft: Draft, teams: tuple[Text, ...], known: set[str]) -> tuple[str, ...]:
    told: set[str] = set()
    for team in teams:
        if team.value not in known:
            draft.complain("unknown-team", team.line, f"team {team.value!r} is not among the teams; add it")
        if team.value in told:
            draft.complain("twice", team.line, f"team {team.value!r} stands twice; keep one")
        told.add(team.value)
    return tuple(sorted(team.value for team in teams))


def _driver(draft: Draft, written: DraftPolicy) -> str:
    word = written.words.get("driver")
    if word is None or not word.value:
        draft.complain("no-driver", written.rule.line, "`by_driver` names no driver; write `driver: NAME`")
        return ""
    if len(word.value) > _DRIVER_LIMIT:
        draft.complain("too-long", word.line, f"`driver` has {len(word.value)} characters; at most {_DRIVER_LIMIT}")
    return word.value
