"""Drafts as plain JSON and back: how they are kept."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from apps.finops.findings import Sentence
from apps.finops.stakes import read_stake, written
from apps.planning.drafts import Action, Check, Draft

_SENTENCES = ("says", "risks", "binds", "unknowns")
_MONEY = ("cost_per_month", "saving_per_month")


def packed(draft: Draft) -> dict[str, Any]:
    """A draft as JSON."""
    told = {one.name: getattr(draft, one.name) for one in fields(draft)}
    return told | {
        **{name: sentences(told[name]) for name in _SENTENCES},
        **{name: f"{told[name]:.12f}" for name in _MONEY},
        "checks": [[sentence(check.title), check.is_kept] for check in draft.checks],
        "actions": [_action(action) for action in draft.actions],
        "tables": {name: [list(row) for row in rows] for name, rows in draft.tables.items()},
        "content": dict(draft.content),
        "settings": dict(draft.settings),
        "billed_until": draft.billed_until and draft.billed_until.isoformat(),
    }


def unpacked(told: dict[str, Any]) -> Draft:
    """The draft of its JSON."""
    return Draft(
        **told
        | {name: tuple(_read(one) for one in told[name]) for name in _SENTENCES}
        | {name: Decimal(told[name]) for name in _MONEY}
        | {
            "checks": tuple(Check(_read(title), kept) for title, kept in told["checks"]),
            "actions": tuple(_read_action(one) for one in told["actions"]),
            "billed_until": date.fromisoformat(last) if (last := told.get("billed_until")) else None,
        }
    )


def sentences(found: Iterable[Sentence]) -> list[list[Any]]:
    return [sentence(one) for one in found]


def sentence(one: Sentence) -> list[Any]:
    return [one.text, dict(one.values)]


def _read(kept: list[Any]) -> Sentence:
    return Sentence(*kept)


def _action(one: Action) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("subject", "team", "currency", "at_stake")} | {
        "title": sentence(one.title),
        "evidence": sentences(one.evidence),
        "saving_per_month": f"{one.saving_per_month:.12f}",
        "since": one.since.isoformat(),
        "scope": dict(one.scope),
        "stakes": [written(stake) for stake in one.stakes],
    }


def _read_action(kept: dict[str, Any]) -> Action:
    return Action(
        **kept
        | {
            "title": _read(kept["title"]),
            "evidence": tuple(_read(line) for line in kept["evidence"]),
            "saving_per_month": Decimal(kept["saving_per_month"]),
            "since": date.fromisoformat(kept["since"]),
            "stakes": tuple(read_stake(told) for told in kept.get("stakes", ())),
        }
    )
