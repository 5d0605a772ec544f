"""The roles there are, what each may do, and over what a role can be given."""

from collections.abc import Mapping
from enum import StrEnum

from django.db import models


class Can(StrEnum):
    """What somebody may do: `OF_TEAMS` is asked of a team, the others of the whole company."""

    SEE_COST = "see_cost"
    DECIDE = "decide"
    DISPUTE = "dispute"
    SPEAK_FOR_COMPANY = "speak_for_company"
    ANSWER_DISPUTES = "answer_disputes"
    BOOK_ENTRIES = "book_entries"
    CLOSE_MONTHS = "close_months"
    ADD_INVOICES = "add_invoices"
    CHANGE_RULES = "change_rules"
    MANAGE_SOURCES = "manage_sources"
    SEE_AUDIT = "see_audit"
    SEE_SETTINGS = "see_settings"
    MANAGE_ACCESS = "manage_access"


OF_TEAMS = frozenset({Can.SEE_COST, Can.DECIDE, Can.DISPUTE})


class Role(models.TextChoices):
    """What can be given."""

    VIEWER = "viewer", "viewer"
    LEAD = "lead", "team lead"
    FINANCE = "finance", "finance"
    OPERATIONS = "operations", "cost operations"
    ADMIN = "admin", "administrator"


class Reach(models.TextChoices):
    """Over what it is given: `value` names the unit, team, cost centre or account; of everything there is no name."""

    EVERYTHING = "everything", "everything"
    UNIT = "unit", "part of the organisation"
    TEAM = "team", "team"
    COST_CENTER = "cost_center", "cost centre"
    ACCOUNT = "account", "account"


MEANS = {
    Can.SEE_COST: "sees cost, budgets, findings and plans",
    Can.DECIDE: "decides about recommendations, findings, alerts, annotations and rules of these teams",
    Can.DISPUTE: "disputes what a team is charged",
    Can.SPEAK_FOR_COMPANY: "decides for every team and the company: budgets, calendar, offers, thresholds, rates",
    Can.ANSWER_DISPUTES: "answers and settles disputes",
    Can.BOOK_ENTRIES: "books entries between teams",
    Can.CLOSE_MONTHS: "closes months",
    Can.ADD_INVOICES: "uploads invoices",
    Can.CHANGE_RULES: "drafts rules, and approves what others drafted, for every team",
    Can.MANAGE_SOURCES: "adds sources, uploads bills, prices and rates, fills, decides about what is held back",
    Can.SEE_AUDIT: "reads the audit log",
    Can.SEE_SETTINGS: "sees the settings of the installation",
    Can.MANAGE_ACCESS: "gives and takes roles, looks after people, service accounts and their tokens",
}

_SEES = frozenset({Can.SEE_COST})
_LEADS = _SEES | {Can.DECIDE, Can.DISPUTE}
_ANSWERS = _LEADS | {Can.SPEAK_FOR_COMPANY, Can.ANSWER_DISPUTES, Can.CHANGE_RULES}
_KEEPS = _SEES | {Can.CHANGE_RULES, Can.MANAGE_SOURCES, Can.SEE_AUDIT}
ROLES: Mapping[Role, frozenset[Can]] = {
    Role.VIEWER: _SEES,
    Role.LEAD: _LEADS,
    Role.FINANCE: _ANSWERS | {Can.BOOK_ENTRIES, Can.CLOSE_MONTHS, Can.ADD_INVOICES},
    Role.OPERATIONS: _KEEPS,
    Role.ADMIN: frozenset({Can.SEE_AUDIT, Can.SEE_SETTINGS, Can.MANAGE_ACCESS}),
}
"""What each role may do. An administrator of people sees no cost by that."""

MEMBER = _LEADS
"""Of its team: whoever is listed among its members."""
UNIT_MEMBER = _SEES
"""Of the teams below it: whoever is listed among the members of a unit."""
ADDRESSED = frozenset({Can.DECIDE})
"""Of its team: whoever has the e-mail address of its lead. It is asked to decide, and sees what it decides about."""
FINANCE = "finance"
"""The group whose members hold this over everything; to book, close and upload needs the permission of `books` too."""
FINANCE_GROUP = _ANSWERS
STAFF = _KEEPS
"""Over everything: users with staff status."""
SUPERUSER = frozenset(Can)
PERMISSIONS = {
    Can.ANSWER_DISPUTES: "books.answer_dispute",
    Can.BOOK_ENTRIES: "books.book_entry",
    Can.CLOSE_MONTHS: "books.close_month",
    Can.ADD_INVOICES: "books.add_invoice",
}
"""What whoever sees all cost may do as well who was given the permission of Django."""

REACHES: Mapping[Role, frozenset[Reach]] = {
    Role.VIEWER: frozenset(Reach),
    Role.LEAD: frozenset({Reach.UNIT, Reach.TEAM, Reach.COST_CENTER}),
    Role.FINANCE: frozenset({Reach.EVERYTHING, Reach.UNIT, Reach.TEAM, Reach.COST_CENTER}),
    Role.OPERATIONS: frozenset({Reach.EVERYTHING}),
    Role.ADMIN: frozenset({Reach.EVERYTHING}),
}
"""Over what each role can be given: a lead leads something, and there is one installation to operate."""
