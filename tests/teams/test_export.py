"""What is exported is imported again as it was."""

from dataclasses import replace
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command

from apps.teams.documents import parse_teams
from apps.teams.export import to_yaml

FILE = """
teams:
  - {name: live-class, title: 直播课堂, department: 直播, cost_center: "0123", lead: {name: 李雷, email: l@example.cn}}
  - {name: "no"}
  - {name: ops, title: "null"}
rules:
  - name: all of it
    when: {cluster: online, namespace: [live-*, "re:class-[0-9]+"], label.app.kubernetes.io/name: "yes"}
    any: {label.a: "1", label.b: "*"}
    unless: {namespace: live-test}
    team: live-class
    valid_from: 2026-01-01
    valid_to: 2026-07-01
  - {name: whole percents, when: {service: "007"}, split: {live-class: 60, "no": 40}}
  - {name: 'hundredths: of #', when: {tag.x: "a: b"}, split: {live-class: 33.33, "no": 33.33, ops: 33.34}}
shared:
  - {name: platform, when: {namespace: [kube-*, monitoring]}}
clusters:
  - {name: fee, when: {resource: [c-1, "c-2*"], tag.x: "yes"}, cluster: online}
  - {name: NAT, when: {service: NAT}, cluster: "no", by: cross_zone, valid_from: 2026-01-01, valid_to: 2026-07-01}
policy: {price_ratio: {cpu_core: 72, memory_gib: 10, gpu: 0}}
"""


@pytest.mark.parametrize(
    "text", [pytest.param(FILE, id="everything"), pytest.param("teams: [{name: a}]", id="one team and nothing else")]
)
def test_a_file_comes_back_as_it_was_meant(text):
    teams, book = parse_teams(text, file="teams.yaml")
    assert parse_teams(to_yaml(teams, book), file="again.yaml") == (teams, book)


def test_a_day_that_two_rules_share_is_written_twice():
    teams, book = parse_teams(FILE, file="teams.yaml")
    day = date(2026, 7, 1)
    book = replace(book, rules=tuple(replace(rule, valid_to=day) for rule in book.rules))
    assert parse_teams(to_yaml(teams, book), file="again.yaml") == (teams, book)


@pytest.mark.django_db
def test_what_is_in_force_is_exported(tmp_path):
    path = tmp_path / "teams.yaml"
    path.write_text(FILE)
    call_command("import_teams", str(path), stdout=StringIO())
    out, again = StringIO(), StringIO()
    call_command("rules", "export", stdout=out)
    path.write_text(out.getvalue())
    call_command("import_teams", str(path), stdout=again)
    assert "0 teams created, 0 changed, 0 retired; rules 1 are in force" in again.getvalue()
