"""What a file of teams and rules may say, and what is said about one that may not."""

import re
from contextlib import suppress
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.teams.checks import TeamFacts
from apps.teams.documents import TeamsFileRefused, parse_teams, read_teams
from apps.teams.ownership import ClusterRule, Condition, PriceRatio, Rule, RuleBook, SharedRule

WHOLE = """
teams:
  - name: live-class                  # the key
    title: 直播课堂
    department: 直播
    cost_center: CC-1001
    lead: {name: 李雷, email: lilei@example.com}
  - name: data
rules:
  - name: live namespaces
    when: {cluster: online, namespace: [live-*, classroom]}
    team: live-class
    valid_from: 2026-01-01
    valid_to: 2026-07-01
  - name: log service
    when: {service: Log Service, tag.project: [a, b]}
    split: {live-class: 60, data: 40}
  - name: the account with a leading zero
    when: {account: 0123, tag.enabled: no}
    split: {live-class: 33.33, data: 66.67}
shared:
  - name: platform
    when: {namespace: [kube-system, monitoring]}
clusters:
  - {name: control plane, when: {resource: c-1}, cluster: online}
  - {name: NAT, when: {service: NAT}, cluster: online, by: internet, valid_from: 2026-10-01}
  - {name: old fee, when: {service: Fee}, cluster: online, valid_to: 2026-10-01}
policy:
  price_ratio: {cpu_core: 9, gpu: 300}
"""

HEAD = "teams: [{name: live-class}, {name: data}]\n"


def test_a_whole_file_is_read():
    teams, book = parse_teams(WHOLE, file="teams.yaml")
    assert teams == (
        TeamFacts("live-class", "直播课堂", "直播", "CC-1001", "李雷", "lilei@example.com"),
        TeamFacts("data"),
    )
    assert book == RuleBook(
        rules=(
            Rule(
                "live namespaces",
                (Condition("cluster", "", ("online",)), Condition("namespace", "", ("live-*", "classroom"))),
                (("live-class", 100),),
                date(2026, 1, 1),
                date(2026, 7, 1),
            ),
            Rule(
                "log service",
                (Condition("service", "", ("Log Service",)), Condition("tag", "project", ("a", "b"))),
                (("live-class", 60), ("data", 40)),
            ),
            Rule(
                "the account with a leading zero",
                (Condition("account", "", ("0123",)), Condition("tag", "enabled", ("no",))),
                (("live-class", 3333), ("data", 6667)),
            ),
        ),
        shared=(SharedRule("platform", (Condition("namespace", "", ("kube-system", "monitoring")),)),),
        price_ratio=PriceRatio(cpu_core=9, memory_gib=1, gpu=300),
        clusters=(
            ClusterRule("control plane", (Condition("resource", "", ("c-1",)),), "online"),
            ClusterRule("NAT", (Condition("service", "", ("NAT",)),), "online", "internet", date(2026, 10, 1)),
            ClusterRule(
                "old fee", (Condition("service", "", ("Fee",)),), "online", valid_from=None, valid_to=date(2026, 10, 1)
            ),
        ),
    )
    assert RuleBook.from_document(book.to_document()) == book


def complaints(text: str, file: str = "teams.yaml") -> list[str]:
    with pytest.raises(TeamsFileRefused) as refused:
        parse_teams(dedent(text), file=file)
    return [f"{problem.subject}: {problem.message}" for problem in refused.value.problems]


MANY = "teams: [{name: a}]\nrules:\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            MANY + "  - {name: r, when: {namespace: [" + ", ".join(f"n-{at}" for at in range(20_001)) + "]}, team: a}",
            "line 3: the file has 20,001 patterns; at most 20,000 are taken", id="patterns",
        ),
        pytest.param(
            MANY + "  - {name: r, when: {namespace: [" + ", ".join(["'re:n'"] * 1_001) + "]}, team: a}",
            "line 3: the file has 1,001 regular expressions; at most 1,000 are taken", id="expressions",
        ),
        pytest.param(
            MANY + "".join(f"  - {{name: r{at}, when: {{namespace: n}}, team: a}}\n" for at in range(5_001)),
            "line 3: the file has 5,001 rules; at most 5,000 are taken", id="rules",
        ),
        pytest.param(
            MANY + f"  - {{name: r, when: {{namespace: 're:{'(a*)*' * 201}'}}, team: a}}",
            "line 3: `namespace` has 1008 characters; at most 1000 are kept", id="a pattern of great length",
        ),
        pytest.param(
            MANY + "  - {name: r, when: {namespace: 're:(?=a)b'}, team: a}",
            "is no RE2 regular expression", id="an expression that looks ahead",
        ),
        pytest.param(
            MANY + "  - {name: r, when: {namespace: 're:(a{1000}){1000}'}, team: a}",
            "is no RE2 regular expression", id="an expression that would not fit into memory",
        ),
    ],
)  # fmt: skip
def test_more_than_can_be_compared_is_refused(text, said):
    with pytest.raises(TeamsFileRefused, match=re.escape(said)):
        parse_teams(text, file="teams.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["line 1: there are no teams"], id="an empty file"),
        pytest.param("teams: []", ["line 1: there are no teams"], id="a file that would retire everybody"),
        pytest.param("teams: [", ["line 1: this is not YAML"], id="an unclosed bracket"),
        pytest.param("teams:\n\t- name: x", ["line 2: this is not YAML"], id="a tab instead of spaces"),
        pytest.param("- a\n- b", ["line 1: the file must be written as"], id="a list instead of a mapping"),
        pytest.param(HEAD + "ruels: []", ["line 2: 'ruels' is unknown in the file"], id="an unknown part"),
        pytest.param("teams: [{name: a, titel: b}]", ["line 1: 'titel' is unknown in a team"], id="an unknown key"),
        pytest.param("teams: [{name: a, name: b}]", ["line 1: 'name' stands twice"], id="a key that stands twice"),
        pytest.param(
            "teams:\n- name: a\n- name: a", ["line 3: team 'a' stands on line 2"], id="a team that stands twice"
        ),
        pytest.param("teams: [{title: a}]", ["line 1: a team has no `name`"], id="a team without a name"),
        pytest.param("teams: [{name: Live}]", ["line 1: team name 'Live'"], id="capitals in a team's name"),
        pytest.param("teams: [{name: а}]", ["line 1: team name 'а'"], id="a Cyrillic letter in a team's name"),
        pytest.param("teams: [{name: unallocated}]", ["line 1: 'unallocated' is kept"], id="the reserved name"),
        pytest.param(f"teams: [{{name: {'a' * 61}}}]", ["line 1: `name` has 61 characters"], id="a name too long"),
        pytest.param(
            "teams: [{name: a, lead: {email: nobody}}]", ["line 1: 'nobody' is not an e-mail"], id="a bad address"
        ),
        pytest.param(
            'teams: [{name: a, lead: {email: "a@b.cn\\nBcc: x@y.cn"}}]',
            ["line 1: `lead_email` holds a control character", "line 1: 'a@b.cn\\nBcc: x@y.cn' is not an e-mail"],
            id="a line break in an address",
        ),
        pytest.param("teams: [{name: a, title: [b]}]", ["line 1: title: a single text"], id="a list for a text"),
        pytest.param(HEAD + "rules: {a: b}", ["line 2: rules must be a list"], id="a mapping for a list"),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x}, team: nobody}",
            ["line 3: team 'nobody' is not among the teams"],
            id="an unknown team in a rule",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x}, team: unallocated}",
            ["line 3: team 'unallocated' is not among the teams"],
            id="nobody can be made to pay as unallocated",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x}}",
            ["line 3: a rule names no team"],
            id="a rule without a team",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x}, team: data, split: {data: 100}}",
            ["line 3: a rule has both"],
            id="a team and a split",
        ),
        pytest.param(
            HEAD + "rules:\n- name: r\n  when: {namespace: x}\n  split: {data: 50, live-class: 49.99}",
            ["line 5: the percentages add up to 99.99"],
            id="99.99 percent",
        ),
        pytest.param(
            HEAD + "rules:\n- name: r\n  when: {namespace: x}\n  split: {data: 110, live-class: -10}",
            ["line 5: '-10' is no percentage"],
            id="a negative percentage",
        ),
        pytest.param(
            HEAD + "rules:\n- name: r\n  when: {namespace: x}\n  split: {data: 33.333, live-class: 66.667}",
            ["line 5: '33.333' is no percentage", "line 5: '66.667' is no percentage"],
            id="three decimals",
        ),
        pytest.param(
            HEAD + "rules:\n- name: r\n  when: {namespace: x}\n  split: {data: ０, live-class: 1e2}",
            ["line 5: '０' is no percentage", "line 5: '1e2' is no percentage"],
            id="digits and notations nobody meant",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x}, team: data, valid_from: 2026-02-30}",
            ["line 3: '2026-02-30' is no date"],
            id="a day no calendar has",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x}, team: data, valid_from: 1.7.2026}",
            ["line 3: '1.7.2026' is no date"],
            id="a date written another way",
        ),
        pytest.param(
            HEAD
            + "rules:\n- {name: r, when: {namespace: x}, team: data, valid_from: 2026-07-01, valid_to: 2026-07-01}",
            ["line 3: valid_to (2026-07-01, itself not included)"],
            id="a rule that is never valid",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {}, team: data}", ["line 3: a rule has no condition"], id="no condition"
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {owner: x}, team: data}",
            ["line 3: 'owner' is unknown"],
            id="an unknown field",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {tag: x}, team: data}",
            ["line 3: 'tag' is unknown"],
            id="a tag without a key",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {service.x: y}, team: data}",
            ["line 3: 'service.x' is unknown"],
            id="a key where none belongs",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: []}, team: data}",
            ["line 3: 'namespace' has no value"],
            id="a condition without a value",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x, service: y}, team: data}",
            ["line 3: nothing has namespace, service at once"],
            id="a rule that can never match",
        ),
        pytest.param(
            HEAD + "rules:\n- {name: r, when: {namespace: x}, team: data}\nshared:\n- {name: r, when: {namespace: y}}",
            ["line 5: rule 'r' stands on line 3"],
            id="a rule's name that stands twice",
        ),
        pytest.param(
            HEAD + "shared:\n- {name: s, when: {cluster: x}}",
            ["line 3: a shared rule is about namespaces"],
            id="not about namespaces",
        ),
        pytest.param(
            HEAD + "clusters:\n- {name: s, when: {namespace: x}, by: bytes}",
            ["line 3: 'namespace' is unknown", "line 3: a rule of clusters names no", "line 3: by: 'bytes' is unknown"],
            id="a cluster's charge by a namespace",
        ),
        pytest.param(
            HEAD + "clusters:\n- {name: c, when: {service: x}, cluster: k,\n   valid_from: 2026-07-01,\n"
            "   valid_to: 2026-07-01}\n- name: d\n  when: {service: y}\n  cluster: k\n  valid_from: 2026-02-30\n"
            "  valid_to: soon\n  team: data",
            [
                "line 5: valid_to (2026-07-01, itself not included) must come after valid_from (2026-07-01)",
                "line 9: '2026-02-30' is no date",
                "line 10: 'soon' is no date",
                "line 11: 'team' is unknown in a rule of clusters",
            ],
            id="days of a cluster's charges that are none",
        ),
        pytest.param(
            HEAD + "policy: {price_ratio: {cpu_core: 7.2, ram: 1}}",
            ["line 2: 'ram' is unknown in price_ratio", "line 2: cpu_core: '7.2' is not whole"],
            id="a ratio that is not whole",
        ),
        pytest.param(
            HEAD + "policy: {price_ratio: {cpu_core: 0, memory_gib: 0}}",
            ["line 2: cpu_core and memory_gib are both 0"],
            id="a node without a size",
        ),
        pytest.param(
            """\
            teams:
              - {name: Data}
            rules:
              - name: r
                when: {namespaces: x}
                split: {data: 99}
                valid_from: soon
            """,
            [
                "line 2: team name 'Data'",
                "line 5: 'namespaces' is unknown",
                "line 6: team 'data' is not among the teams",
                "line 6: the percentages add up to 99",
                "line 7: 'soon' is no date",
            ],
            id="everything that is wrong, at once, in the order of lines",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_line_and_what_to_do(text, expected):
    found = complaints(text)
    assert len(found) == len(expected), found
    for got, wanted in zip(found, expected, strict=True):
        assert got.startswith(f"teams.yaml {wanted}")


CSV = """\
team,title,department,cost_center,lead_name,lead_email,namespace,cluster
live-class,直播课堂,直播,CC-1001,李雷,lilei@example.com,live-* classroom,online
live-class,,,,,,"rehearsal",
data,Data,,,,,,
"""


def test_a_csv_gives_teams_and_their_namespaces():
    teams, book = parse_teams(CSV, file="teams.csv")
    assert teams == (
        TeamFacts("live-class", "直播课堂", "直播", "CC-1001", "李雷", "lilei@example.com"),
        TeamFacts("data", "Data"),
    )
    assert book.rules == (
        Rule(
            "live-* classroom on online",
            (Condition("cluster", "", ("online",)), Condition("namespace", "", ("live-*", "classroom"))),
            (("live-class", 100),),
        ),
        Rule("rehearsal", (Condition("namespace", "", ("rehearsal",)),), (("live-class", 100),)),
    )
    assert (book.shared, book.price_ratio) == ((), PriceRatio())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["line 1: there are no teams"], id="an empty file"),
        pytest.param(
            "name\nx\n", ["line 1: column 'name' is unknown", "line 1: column 'team' is missing"], id="another header"
        ),
        pytest.param("team,team\nx,x\n", ["line 1: column 'team' stands twice"] * 2, id="a column twice"),
        pytest.param("team,title\nx\n", ["line 2: the row has 1 columns"], id="a short row"),
        pytest.param(
            "team,title\nx,A\nx,B\n", ["line 3: title is 'B' here and 'A' on line 2"], id="rows that disagree"
        ),
        pytest.param(
            'team,title\nx,"A\nB"\nY,\n',
            ["line 2: `title` holds a control", "line 4: team name 'Y'"],
            id="a cell of two lines",
        ),
        pytest.param('team,title\nx,"A\n', ["line 2: this is not CSV"], id="an open quote"),
        pytest.param(
            "team,namespace\nx,a\ny,a\n", ["line 3: rule 'a' stands on line 2"], id="a namespace given to two teams"
        ),
    ],
)
def test_a_wrong_csv_is_refused(text, expected):
    found = complaints(text, "teams.csv")
    assert len(found) == len(expected), found
    for got, wanted in zip(found, expected, strict=True):
        assert got.startswith(f"teams.csv {wanted}")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("teams.txt", b"teams:", "must end in one of .yaml, .yml, .csv", id="another kind of file"),
        pytest.param("teams.yaml", "a\nüber".encode("latin-1"), "teams.yaml line 2", id="not UTF-8"),
        pytest.param("missing/teams.yaml", None, "cannot be read: No such file", id="a missing file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TeamsFileRefused, match=message):
        read_teams(path)


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path):
    path = tmp_path / "teams.csv"
    path.write_text(CSV, encoding="utf-8-sig")
    assert len(read_teams(path)[0]) == 2


@given(st.text(max_size=200), st.sampled_from(["teams.yaml", "teams.csv"]))
def test_no_text_breaks_the_reader(text, file):
    with suppress(TeamsFileRefused):
        parse_teams(text, file=file)


@given(st.integers(min_value=1, max_value=9999))
def test_hundredths_of_a_percent_become_whole_weights(hundredths):
    first, second = f"{hundredths / 100:.2f}", f"{(10000 - hundredths) / 100:.2f}"
    text = HEAD + f"rules:\n- {{name: r, when: {{namespace: x}}, split: {{data: {first}, live-class: {second}}}}}"
    weights = dict(parse_teams(text, file="teams.yaml")[1].rules[0].split)
    assert weights["data"] * 10000 == hundredths * sum(weights.values())
