"""Changes of the rules: what they may say, and that no day before they count moves."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.teams.dating import BadChange, applied, parse_change, past
from apps.teams.documents import parse_teams
from apps.teams.ownership import Condition, Rule, RuleBook

TEAMS = ("web", "data", "ops")
IN_FORCE = """
teams: [{name: web}, {name: data}, {name: ops}]
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: logs, when: {service: Log}, team: data, valid_to: 2026-12-01}
  - {name: soon, when: {service: Queue}, team: ops, valid_from: 2026-11-15}
  - {name: rest, when: {service: "*"}, team: ops}
clusters:
  - {name: fee, when: {service: Fee}, cluster: online}
"""
BOOK = parse_teams(IN_FORCE, file="teams.yaml")[1]
NEW = "{name: new, when: {service: Mail}, team: web"


def changed(text: str) -> list[tuple[str, str, str, str]]:
    """The rules after a change: name, team, first day, end."""
    change = parse_change(text, TEAMS)
    return [
        (rule.name, rule.split[0][0], str(rule.valid_from or ""), str(rule.valid_to or ""))
        for rule in applied(BOOK, change.edits, change.valid_from).rules
    ]


WEB, LOGS = ("web", "web", "", ""), ("logs", "data", "", "2026-12-01")
SOON, REST = ("soon", "ops", "2026-11-15", ""), ("rest", "ops", "", "")
FROM = "valid_from: 2026-11-01\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"{FROM}add: [{NEW}}}]", [WEB, LOGS, SOON, REST, ("new", "web", "2026-11-01", "")], id="added at the end"
        ),
        pytest.param(
            f"{FROM}add: [{NEW}, before: logs}}]",
            [WEB, ("new", "web", "2026-11-01", ""), LOGS, SOON, REST],
            id="added before another",
        ),
        pytest.param(
            f"{FROM}add: [{NEW}, after: logs, valid_from: 2026-11-09, valid_to: 2026-11-10}}]",
            [WEB, LOGS, ("new", "web", "2026-11-09", "2026-11-10"), SOON, REST],
            id="a rule may begin later than the draft counts",
        ),
        pytest.param(
            f"{FROM}change: [{{name: web, when: {{namespace: web-1}}, team: ops}}]",
            [("web", "web", "", "2026-11-01"), ("web (from 2026-11-01)", "ops", "2026-11-01", ""), LOGS, SOON, REST],
            id="a change dates the old version and adds the new one behind it",
        ),
        pytest.param(
            f"{FROM}change: [{{name: logs, when: {{service: Log}}, team: web, before: web}}]",
            [
                ("logs (from 2026-11-01)", "web", "2026-11-01", "2026-12-01"),
                WEB,
                ("logs", "data", "", "2026-11-01"),
                SOON,
                REST,
            ],
            id="the new version ends when the old one did, and may stand elsewhere",
        ),
        pytest.param(
            f"{FROM}change: [{{name: soon, when: {{service: Queue}}, team: web}}]",
            [WEB, LOGS, ("soon", "web", "2026-11-01", ""), REST],
            id="a rule that was not valid before is replaced under its name",
        ),
        pytest.param(f"{FROM}end: [web]", [("web", "web", "", "2026-11-01"), LOGS, SOON, REST], id="ended"),
        pytest.param(f"{FROM}end: [soon]", [WEB, LOGS, REST], id="never valid: gone"),
    ],
)
def test_a_change_is_dated(text, expected):
    assert changed(text) == expected


def test_a_version_is_changed_again():
    first = parse_change(f"{FROM}change: [{{name: web, when: {{namespace: a}}, team: ops}}]", TEAMS)
    book = applied(BOOK, first.edits, first.valid_from)
    text = 'valid_from: 2026-11-20\nchange: [{name: "web (from 2026-11-01)", when: {namespace: b}, team: data}]'
    second = parse_change(text, TEAMS)
    names = [rule.name for rule in applied(book, second.edits, second.valid_from).rules]
    assert names[:3] == ["web", "web (from 2026-11-01)", "web (from 2026-11-20)"]


def test_edits_keep_their_rules_whatever_their_priorities():
    text = (
        f"{FROM}change: [{{name: web, when: {{namespace: a}}, team: ops}},"
        " {name: logs, when: {service: Log}, team: data, priority: 5}]\nadd: [{name: n, when: {region: y}, team: web}]"
    )
    change = parse_change(text, TEAMS)
    told = {edit.name: (edit.rule.when[0].patterns, edit.rule.priority) for edit in change.edits if edit.rule}
    assert told == {"web": (("a",), 0), "logs": (("Log",), 5), "n": (("y",), 0)}
    assert ("logs (from 2026-11-01)", "data", "2026-11-01", "2026-12-01") in changed(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(f'{FROM}add: [{{name: "\\uD800", when: {{region: y}}, team: web}}]',
                     "line 2: this YAML is not read: an escape such as", id="half a character"),
        pytest.param("add: [", "draft line 1: this is not YAML", id="not YAML"),
        pytest.param(f"{FROM}add: [&new {NEW}}}, *new]", "line 2: this YAML is not read: aliases are", id="an alias"),
        pytest.param("[" * 5_000, "line 1: this YAML is not read: it is nested too deeply", id="lists without end"),
        pytest.param("", "line 1: the day from which on it counts is missing", id="nothing"),
        pytest.param("valid_from: 2026-11-01", "nothing is proposed", id="no edit"),
        pytest.param("valid_from: 2026-11-31\nend: [web]", "line 1: '2026-11-31' is no date", id="no such day"),
        pytest.param(f"add: [{NEW}}}]", "`valid_from: 2026-11-01`", id="no day"),
        pytest.param(f"{FROM}rules: []", "line 2: 'rules' is unknown in a change", id="an unknown key"),
        pytest.param(f"{FROM}add: [{{name: n, when: {{x: y}}, team: web}}]", "line 2: 'x' is unknown", id="no field"),
        pytest.param(f"{FROM}add: [{{name: n, when: {{region: y}}, team: sales}}]", "team 'sales'", id="no such team"),
        pytest.param(f"{FROM}add: [{NEW}, before: a, after: b}}]", "either `before` or `after`", id="two places"),
        pytest.param(f"{FROM}add: [{NEW}, before: none}}]", "There is no rule 'none'", id="no such place"),
        pytest.param(f"{FROM}end: [none]", "There is no rule 'none'", id="no such rule"),
        pytest.param(f"{FROM}end: ['']", "one is empty", id="an empty name"),
        pytest.param(f"{FROM}change: [{NEW}}}]", "There is no rule 'new'", id="a change of nothing"),
        pytest.param(f"{FROM}add: [{NEW}}}, {NEW}}}]", "stands on line 2 already", id="twice in a draft"),
        pytest.param(
            f"{FROM}add: [{{name: web, when: {{region: y}}, team: web}}]", "There is a rule 'web' already", id="twice"
        ),
        pytest.param("valid_from: 2026-12-01\nend: [logs]", "ends on 2026-12-01 already", id="ended before"),
        pytest.param(f"{FROM}add: [{NEW}, valid_from: 2026-10-31}}]", "the past does not move", id="begins before"),
        pytest.param(f"{FROM}add: [{NEW}, valid_to: 2026-11-01}}]", "ends on 2026-11-01, before", id="ends before"),
        pytest.param(
            f"{FROM}change: [{{name: logs, when: {{region: y}}, team: web, valid_from: 2026-12-05}}]",
            "would end on 2026-12-01 and begin on 2026-12-05",
            id="begins after the old one ends",
        ),
        pytest.param(
            f"{FROM}add: [{{name: '{'n' * 121}', when: {{region: y}}, team: web}}]", "at most 120", id="a long name"
        ),
        pytest.param(
            f"{FROM}add: [{{name: fee, when: {{service: Mail}}, team: web}}]", "two rules 'fee'",
            id="the name of a rule of clusters",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_proposed_is_refused(text, message):
    with pytest.raises(BadChange, match=message.replace("[", r"\[")):
        changed(text)


DAYS = st.dates(date(2026, 10, 25), date(2026, 11, 8))
DATED = st.tuples(st.none() | DAYS, st.none() | DAYS).filter(lambda dates: not all(dates) or dates[0] < dates[1])
SPLIT = st.sampled_from(TEAMS).map(lambda team: ((team, 100),))


@st.composite
def books(draw) -> RuleBook:
    dates = draw(st.lists(DATED, min_size=1, max_size=5))
    when = (Condition("service", "", ("Log",)),)
    return RuleBook(
        tuple(Rule(f"r{number}", when, draw(SPLIT), *both) for number, both in enumerate(dates)),
    )


EDITS = st.lists(
    st.one_of(
        st.builds("add: [{{name: n{}, when: {{service: Log}}, team: {}, before: r0}}]".format, st.integers(0, 1),
                  st.sampled_from(TEAMS)),
        st.builds("change: [{{name: r{}, when: {{service: Queue}}, team: {}, after: r0}}]".format, st.integers(0, 4),
                  st.sampled_from(TEAMS)),
        st.builds("end: [r{}]".format, st.integers(0, 4)),
    ),
    min_size=1, max_size=3, unique_by=lambda text: text.partition(":")[0],
)  # fmt: skip


def deciding(book: RuleBook, day: date) -> list[tuple]:
    """Which rules decide a day, in order, by all they say but their dates."""
    return [(rule.name, rule.when, rule.split) for rule in book.rules if rule.is_valid_on(day)]


@given(book=books(), edits=EDITS, day=DAYS)
def test_no_day_before_moves(book, edits, day):
    change = parse_change(f"valid_from: {day}\n" + "\n".join(edits), TEAMS)
    try:
        after = applied(book, change.edits, day)
    except BadChange:
        return
    for earlier in (date(2026, 10, 1), *(date.fromordinal(day.toordinal() - n) for n in range(1, 20))):
        assert deciding(after, earlier) == deciding(book, earlier)
    assert past(after, day) == past(book, day)
