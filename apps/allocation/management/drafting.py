"""The actions of `manage.py rules` on drafts: propose a change of the rules, try it, decide about it."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone

from apps.allocation import rehearsal
from apps.finops.money import less
from apps.finops.windows import Window
from apps.teams import proposals
from apps.teams.approval import Actor, actor_of
from apps.teams.models import RuleDraft
from apps.warehouse.terminal import add_format, harmless, operator, print_rows

DRAFTING = """
FILE is YAML: the day from which on the change counts, and rules to add, change or end, as in a file of teams:

  valid_from: 2026-11-01
  add:
    - {name: mail, when: {service: Mail}, team: web, before: rest}
  change:
    - {name: logs, when: {service: Log}, split: {web: 60, data: 40}}
  end: [old rule]

A changed or ended rule keeps its days before valid_from: they do not move. The draft is simulated at once.

examples:
  manage.py rules draft mail.yaml --reason "mail is theirs"
"""
LISTING = """
examples:
  manage.py rules drafts                       those that are not decided yet
  manage.py rules drafts --all --format csv    every draft there was
"""
SHOWING = """
examples:
  manage.py rules show 7                       what a draft says, what it would do, and its trail
"""
DECIDING = """
A draft is approved by members or leads of the teams that pay more by it and of those it takes from, or by whoever may
change the rules of every team: finance, cost operations or superusers. Who drafted it agrees for no team that gets cost
(setting COSTOPS_RULES_ONE_PERSON). Whoever sits at the terminal speaks for all teams, unless --as names a user.

examples:
  manage.py rules approve 7 --as hanmeimei
  manage.py rules publish 7
  manage.py rules reject 7 --reason "not ours"
  manage.py rules withdraw 7
"""
EPILOGS = (DRAFTING, LISTING, SHOWING, DECIDING)
DRAFTS = ("draft", "state", "valid_from", "base", "drafted_by", "drafted_at", "reason")
MOVES = ("team", "currency", "before", "after", "change", "had_it_counted")
TRAIL = ("at", "by", "action", "why", "outcome")


def add_actions(add: Callable[..., ArgumentParser]) -> None:
    """Declare the actions; `add` makes a parser of a name, a help text and an epilog."""
    draft = add("draft", "propose a change of the rules", DRAFTING)
    draft.add_argument("file", type=Path, metavar="FILE", help="the change, as YAML")
    drafts = add("drafts", "the drafts there are", LISTING)
    drafts.add_argument("--all", action="store_true", help="those that are over too")
    add_format(drafts)
    _number(add("show", "one draft", SHOWING))
    words = {
        "approve": "agree to a draft", "publish": "put an approved draft in force", "reject": "say no to a draft",
        "withdraw": "take a draft back",
    }  # fmt: skip
    deciding = [add(action, told, DECIDING) for action, told in words.items()]
    for parser in deciding:
        _number(parser)
    for parser in (draft, *deciding):
        parser.add_argument("--reason", default="", help="why; kept in the trail")
        parser.add_argument(
            "--as", dest="user", metavar="USER", help="act as this user, with no more than their rights"
        )


def _number(parser: ArgumentParser) -> None:
    parser.add_argument("number", type=int, metavar="DRAFT", help="the number of a draft")


def actor(given: dict[str, Any]) -> Actor:
    """Who acts: the user named, or whoever sits at the terminal, who speaks for all teams."""
    name = given.get("user")
    if not name:
        return Actor(operator(), None)
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}.")
    return actor_of(user)


def draft(given: dict[str, Any], stream: IO[str]) -> None:
    path: Path = given["file"]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise CommandError(f"{path}: {unreadable}") from unreadable
    by, now = actor(given), timezone.now()
    kept = proposals.propose(text, by=by, now=now, reason=given["reason"])
    stream.write(f"Kept as draft {kept.pk}.\n")
    simulate(kept.pk, None, "table", stream, by=by)


def simulate(number: int, window: Window | None, form: Any, stream: IO[str], *, by: Actor) -> None:
    """Try a draft now, and print who gains and who loses."""
    done = rehearsal.rehearse(proposals.find(number), by=by.name, now=timezone.now(), window=window)
    _print_moves(done, form, stream)


def _print_moves(one: RuleDraft, form: Any, stream: IO[str]) -> None:
    found = proposals.simulation_of(one)
    if found is None:
        stream.write("It was not simulated yet.\n")
        return
    rows = [
        (move.team, move.currency, move.before, move.after, less(move.after, move.before), move.as_if)
        for move in found.moves
    ]
    print_rows(MOVES, rows, form, stream)
    if form == "table":
        stream.write(
            f"{found.start} to {found.end}, the end not included, by draft {one.pk} from {one.valid_from} on. Had it "
            f"counted on all these days: {proposals.told(found)}.\n"
        )


def drafts(given: dict[str, Any], stream: IO[str]) -> None:
    found = RuleDraft.objects.order_by("-pk")
    if not given["all"]:
        found = found.filter(state__in=proposals.OPEN)
    rows = [
        (str(one.pk), one.state, one.valid_from, str(one.base), one.drafted_by, one.drafted_at, one.reason)
        for one in found
    ]
    print_rows(DRAFTS, rows, given["format"], stream)


def show(given: dict[str, Any], stream: IO[str]) -> None:
    one = proposals.find(given["number"])
    stream.write(f"Draft {one.pk} by {harmless(one.drafted_by)}: {one.state}, from {one.valid_from} on.\n\n")
    stream.write("\n".join(map(harmless, one.text.strip().splitlines())) + "\n\n")
    _print_moves(one, "table", stream)
    stream.write("\n")
    rows = [[getattr(step, name) for name in TRAIL] for step in one.trail.order_by("pk")]
    print_rows(TRAIL, rows, "table", stream)


def approve(given: dict[str, Any], stream: IO[str]) -> None:
    done = proposals.approve(given["number"], by=actor(given), now=timezone.now(), why=given["reason"])
    missing = sorted(proposals.needed(done) - set(done.approvals))
    more = f" Still to agree: {', '.join(missing)}." if missing else ""
    stream.write(f"Draft {done.pk} is {done.state}.{more}\n")


def publish(given: dict[str, Any], stream: IO[str]) -> None:
    done = proposals.publish(given["number"], by=actor(given), now=timezone.now())
    number = done.ruleset.number if done.ruleset else 0
    stream.write(f"Rules {number} are in force; a fill attributes the days from {done.valid_from} on by them.\n")


def reject(given: dict[str, Any], stream: IO[str]) -> None:
    done = proposals.reject(given["number"], by=actor(given), now=timezone.now(), why=given["reason"])
    stream.write(f"Draft {done.pk} is {done.state}.\n")


def withdraw(given: dict[str, Any], stream: IO[str]) -> None:
    done = proposals.withdraw(given["number"], by=actor(given), now=timezone.now(), why=given["reason"])
    stream.write(f"Draft {done.pk} is {done.state}.\n")


ACTIONS = {
    "draft": draft, "drafts": drafts, "show": show, "approve": approve, "publish": publish, "reject": reject,
    "withdraw": withdraw,
}  # fmt: skip
