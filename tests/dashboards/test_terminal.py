"""Every command of ours answers programs as it answers people: as JSON, with an exit status, errors in a sentence."""

import argparse
import io
import json
import os
import pwd
from collections.abc import Iterator

import pytest
from django.core.management import load_command_class
from django.db import connections

from apps.audit.commands import recorded
from apps.audit.models import AuditEntry
from apps.pipeline.models import StepRun
from apps.warehouse.commands import actions
from apps.warehouse.terminal import FORMATS, operator
from tests.architecture.test_commands import COMMANDS
from tests.dashboards import company

OCTOBER = ["--start", "2026-10-01", "--end", "2026-11-01"]
REQUESTS = ["requests", *OCTOBER]
NEEDED = {
    "ask": [*OCTOBER, "--group-by", "team"],
    "close": ["trail"],
    "drivers show": [*REQUESTS, "--by", "team"],
    "estimates show": OCTOBER,
    "explain": OCTOBER,
    "fill": ["--step", "land"],
    "focus_check": ["absent.csv"],
    "forecast show": ["company"],
    "invoices": ["tie-out"],
    "plans timetable": ["list"],
    "rules simulate": ["absent.yaml"],
    "source check": ["bill"],
    "source preview": ["bill"],
    "units change": [*REQUESTS, "--by", "team"],
    "units cost": REQUESTS,
    "why": ["--start", "2026-10-10", "--end", "2026-10-20"],
}
"""What an action that lists cannot do without; of those that show one thing, a number nothing has."""
REFUSED = {
    "anomalies list", "anomalies show", "budgets show", "disputes show", "explain", "fill", "focus_check",
    "forecast list", "forecast show", "idle exclude", "idle list", "idle show", "invoices", "prices estimate",
    "recommendations show", "rules simulate", "savings show", "scrub", "source check", "source preview",
    "worklist list", "worklist show",
}  # fmt: skip
"""What the small company has nothing of, or something wrong with: it is said, with exit status 1."""


def leaves() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """App, command and parser of every action of every command."""
    for app, name in COMMANDS:
        for leaf in actions(load_command_class(app, name).create_parser("manage.py", name)):
            yield app, name, leaf


def words(leaf: argparse.ArgumentParser) -> list[str]:
    return leaf.prog.removeprefix("manage.py ").split()


def run(app: str, argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run a command as the shell does: exit status, stdout, stderr."""
    command = load_command_class(app, argv[0])
    out, err = io.StringIO(), io.StringIO()
    command.stdout._out, command.stderr._out = out, err  # what it wrapped when it was made
    try:
        command.run_from_argv(["manage.py", *argv])
        status = 0
    except SystemExit as left:
        status = int(left.code or 0)
    said = capsys.readouterr()
    return status, out.getvalue() + said.out, err.getvalue() + said.err


def test_every_action_can_answer_programs():
    silent = [leaf.prog for _, _, leaf in leaves() if "json" not in leaf._option_string_actions["--format"].choices]
    assert silent == ["manage.py export_focus"]  # its format is that of the file


def test_every_list_is_json_or_it_is_said_why_there_is_none(published, capsys, monkeypatch):
    monkeypatch.setattr(connections, "close_all", lambda: None)  # the test goes on with the same database
    company.sources()
    StepRun.objects.all().delete()  # `fill` would wait for the one at work
    company.bring_drivers()
    refused = set()
    for app, _, leaf in leaves():
        if tuple(leaf._option_string_actions["--format"].choices) != FORMATS:
            continue
        called = words(leaf)
        needed = NEEDED.get(" ".join(called), ["999"] if any(each.required for each in leaf._actions) else [])
        status, out, err = run(app, [*called, *needed, "--format", "json"], capsys)
        if status:
            assert (status, "CommandError: " in err) == (1, True), (called, out, err)
            assert not out or isinstance(json.loads(out), list), called
            refused.add(" ".join(called))
        else:
            assert isinstance(json.loads(out), list), called
    assert refused == REFUSED


@pytest.mark.parametrize(("app", "name"), COMMANDS)
def test_an_unknown_option_ends_with_2_and_without_a_traceback(app, name, capsys):
    for leaf in actions(load_command_class(app, name).create_parser("manage.py", name)):
        status, out, err = run(app, [*words(leaf), "--no-such-option"], capsys)
        assert (status, out) == (2, ""), leaf.prog
        assert "usage: " in err
        assert "Traceback" not in err


@pytest.mark.django_db
def test_who_sits_at_the_terminal_is_the_account_of_the_machine_whatever_the_environment_says(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "boss")
    with recorded(["manage.py", "token", "revoke", "x"]):
        pass
    assert AuditEntry.objects.get().actor == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)  # an account without a name
    assert operator() == "4000000001"
