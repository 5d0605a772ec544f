"""What a file may say about policies, what is said about one that may not, and that it comes back as it was meant."""

import hashlib
import json
from contextlib import suppress
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.teams.checks import TeamFacts
from apps.teams.documents import TeamsFileRefused, parse_teams
from apps.teams.export import to_yaml
from apps.teams.ownership import Condition, RuleBook
from apps.teams.policies import Policy

HEAD = "teams: [{name: web}, {name: data}, {name: ops}]\nrules: [{name: r, when: {namespace: x}, team: web}]\n"
WHOLE = (
    HEAD
    + """
policies:
  - {name: gpu idle, idle: share, when: {node_pool: "gpu*"}, valid_from: 2026-01-01, valid_to: 2026-07-01}
  - {name: gpu idle, idle: central, team: ops, when: {node_pool: "gpu*"}, valid_from: 2026-07-01}
  - {name: platform, share: even, when: {namespace: kube-*}, unless: {label.tier: web}}
  - {name: logs, share: by_driver, driver: requests, when: {service: Log}}
  - {name: office, share: even, teams: [web, data], any: {account: "0123", tag.use: office}}
  - {name: security, share: fixed, split: {web: 33.33, data: 66.67}, when: {service: Firewall}}
  - {name: tax, follow: invoice, when: {charge_category: Tax}}
  - {name: unused, unused: central, team: ops, when: {commitment_type: "Reserved*"}}
  - {name: credits, credits: earners}
"""
)


def test_policies_are_read_in_their_order():
    policies = parse_teams(WHOLE, file="teams.yaml")[1].policies
    assert [policy.label for policy in policies][:3] == ["idle: gpu idle", "idle: gpu idle", "share: platform"]
    gpus = Condition("node_pool", "", ("gpu*",))
    assert policies[0] == Policy(
        "gpu idle", "idle", "share", (gpus,), valid_from=date(2026, 1, 1), valid_to=date(2026, 7, 1)
    )
    assert policies[1].split == (("ops", 100),)
    assert (policies[3].driver, policies[4].teams) == ("requests", ("data", "web"))
    assert policies[5].split == (("web", 3333), ("data", 6667))


def test_policies_come_back_as_they_were_meant():
    teams, book = parse_teams(WHOLE, file="teams.yaml")
    assert parse_teams(to_yaml(teams, book), file="again.yaml") == (teams, book)
    assert RuleBook.from_document(json.loads(json.dumps(book.to_document()))) == book
    assert RuleBook.policies_of(book.to_document()) == book.policies


def test_a_book_without_policies_keeps_its_identity():
    document = parse_teams(HEAD, file="teams.yaml")[1].to_document()
    told = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    assert set(document) == {"rules", "shared", "price_ratio"}
    assert hashlib.sha256(told).hexdigest() == "19844db9b3a82fe5e9e74506b816932cfca48303215a8427e32bde681384ff93"
    assert RuleBook.from_document(document).policies == ()


def test_a_book_whose_rules_of_clusters_have_no_days_keeps_its_identity():
    clusters = """clusters:
- {name: fee, when: {service: Fee}, cluster: online}
- {name: NAT, when: {service: NAT}, cluster: online, by: internet}
"""
    document = parse_teams("teams: [{name: a}]\n" + clusters, file="teams.yaml")[1].to_document()
    told = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    assert [set(row) for row in document["clusters"]] == [{"name", "when", "cluster", "by"}] * 2
    assert hashlib.sha256(told).hexdigest() == "d5ed2f8407bad9808e6ffcf2ae65c2dc201a5f293a627372181743b4fa8cd4d4"


def complaints(policies: str) -> list[str]:
    with pytest.raises(TeamsFileRefused) as refused:
        parse_teams(f"{HEAD}policies:\n{policies}", file="teams.yaml")
    return [f"{problem.subject}: {problem.message}" for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param("- {name: p}", "line 4: a policy says nothing about what it is for", id="no subject"),
        pytest.param("- {name: p, idle: owner, credits: owner}", "line 4: a policy has idle and credits", id="two"),
        pytest.param(
            "- name: p\n  idle: evenly", "line 5: idle: 'evenly' is unknown; known are owner,", id="no such way"
        ),
        pytest.param("- {idle: share}", "line 4: a rule has no `name`", id="no name"),
        pytest.param("- {name: p, idle: central}", "line 4: a rule names no team", id="central without a team"),
        pytest.param(
            "- {name: p, idle: central, team: nobody}", "line 4: team 'nobody' is not among", id="unknown team"
        ),
        pytest.param(
            "- {name: p, idle: central, split: {web: 50, data: 50}}", "line 4: `central` has one owner", id="two owners"
        ),
        pytest.param(
            "- {name: p, idle: share, team: web}", "line 4: `team` says nothing for 'share'", id="a useless team"
        ),
        pytest.param(
            "- {name: p, share: fixed, when: {service: x}, split: {web: 50, data: 49}}",
            "line 4: the percentages add up to 99",
            id="99 percent",
        ),
        pytest.param(
            "- {name: p, share: fixed, when: {service: x}}", "line 4: a rule names no team", id="no percentages"
        ),
        pytest.param(
            "- {name: p, share: by_driver, when: {service: x}}", "line 4: `by_driver` names no driver", id="no driver"
        ),
        pytest.param(
            "- {name: p, share: even, when: {service: x}, driver: d}",
            "line 4: `driver` says nothing for 'even'",
            id="a useless driver",
        ),
        pytest.param(
            "- {name: p, share: even, when: {service: x}, teams: [web, web]}",
            "line 4: team 'web' stands twice",
            id="a team twice",
        ),
        pytest.param(
            "- {name: p, share: even, when: {service: x}, teams: [none]}",
            "line 4: team 'none' is not among",
            id="an unknown team among many",
        ),
        pytest.param("- {name: p, share: even}", "line 4: a policy to share says which cost it means", id="share all"),
        pytest.param("- {name: p, follow: invoice}", "line 4: a policy to follow says which", id="follow all"),
        pytest.param(
            "- {name: p, share: even, when: {namespace: x, service: y}}",
            "line 4: nothing has namespace, service at once",
            id="can never match",
        ),
        pytest.param(
            "- {name: p, idle: share, when: {namespace: x}}",
            "line 4: 'namespace' is unknown; known are",
            id="idle capacity has no namespace",
        ),
        pytest.param(
            "- {name: p, credits: earners, when: {commitment: x}}",
            "line 4: 'commitment' is unknown; known are",
            id="credits have no commitment",
        ),
        pytest.param(
            "- {name: p, idle: owner, valid_from: 2026-02-01, valid_to: 2026-02-01}",
            "line 4: valid_to (2026-02-01, itself not included)",
            id="never valid",
        ),
        pytest.param(
            "- {name: p, idle: owner}\n- {name: p, idle: share, valid_from: 2026-02-01}",
            "line 5: policy 'p' stands on line 4 already, for some of the same days",
            id="versions overlap",
        ),
        pytest.param(
            "- {name: p, idle: owner}\n- {name: p, credits: owner}",
            "line 5: policy 'p' stands on line 4 already, about idle",
            id="one name, two subjects",
        ),
        pytest.param(
            "- {name: p, idle: owner}\n- {name: q, idle: share}",
            "line 5: the policy on line 4 is about exactly the same",
            id="two of the same",
        ),
        pytest.param("- {name: p, idle: owner, when: {x: y}}", "line 4: 'x' is unknown", id="an unknown condition"),
        pytest.param("- {name: p, idle: owner, whem: {x: y}}", "line 4: 'whem' is unknown in a policy", id="a typo"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_line(policies, expected):
    (found,) = complaints(policies)
    assert found.startswith(f"teams.yaml {expected}")


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param(
            "".join(f"- {{name: p{at}, idle: owner}}\n" for at in range(5_001)),
            "5,001 policies; at most 5,000 are taken", id="policies",
        ),
        pytest.param(
            f"- {{name: p, idle: owner, when: {{node_pool: {[f'n-{at}' for at in range(20_000)]}}}}}",
            "20,001 patterns; at most 20,000 are taken", id="patterns, one of a rule among them",
        ),
        pytest.param(
            f"- {{name: p, idle: owner, when: {{node_pool: {['re:n'] * 1_001}}}}}",
            "1,001 regular expressions; at most 1,000 are taken", id="regular expressions",
        ),
    ],
)  # fmt: skip
def test_more_policies_than_can_be_compared_are_refused(policies, expected):
    assert any(f"the file has {expected}" in found for found in complaints(policies))


def test_every_version_that_meets_another_is_told():
    first, *others = complaints(
        "- {name: p, idle: owner, valid_from: 2026-03-01, valid_to: 2026-04-01}\n"
        "- {name: p, idle: share, valid_from: 2026-02-01, valid_to: 2026-03-01}\n"
        "- {name: p, idle: owner, valid_from: 2026-01-01, valid_to: 2026-05-01, when: {node_pool: x}}\n"
        "- {name: p, idle: share, valid_to: 2026-01-01}"
    )
    assert "line 6: policy 'p' stands on line 5 already, for some of the same days" in first
    assert ["line 6: policy 'p' stands on line 4 already, for some of the same days" in one for one in others] == [True]


DAYS = st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2026, 1, 9)))
POLICIES = st.builds(
    Policy,
    name=st.sampled_from("pqr"),
    subject=st.sampled_from(("unused", "credits")),
    how=st.just("owner"),
    when=st.sampled_from(((), (Condition("service", "", ("Log",)),))),
    valid_from=DAYS,
    valid_to=DAYS,
).filter(lambda one: not (one.valid_from and one.valid_to) or one.valid_from < one.valid_to)


def are_at_odds(one: Policy, other: Policy) -> bool:
    if one.name == other.name and one.subject != other.subject:
        return True
    is_alike = one.name == other.name or (one.subject, one.matching) == (other.subject, other.matching)
    return is_alike and one.overlaps(other)


@given(st.lists(POLICIES, max_size=6))
def test_a_file_is_refused_when_any_two_policies_are_at_odds(policies):
    text = to_yaml((TeamFacts("web"),), RuleBook(rules=(), shared=(), policies=tuple(policies)))
    if any(are_at_odds(*pair) for pair in combinations(policies, 2)):
        with pytest.raises(TeamsFileRefused):
            parse_teams(text, file="teams.yaml")
    else:
        assert parse_teams(text, file="teams.yaml")[1].policies == tuple(policies)


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param("{{name: p{0}, share: even, when: {{service: s{0}}}}}", id="of many things"),
        pytest.param("{{name: p{0}, share: even, when: {{service: s}}}}", id="of one thing"),
        pytest.param("{{name: p, share: even, when: {{service: s{0}}}}}", id="of one name"),
        pytest.param("{{name: p, idle: owner, valid_from: {0}-01-01, valid_to: {0}-02-01}}", id="one after the other"),
    ],
)
def test_policies_are_not_compared_each_with_every_other(policy, monkeypatch):
    compared, overlaps = [], Policy.overlaps
    monkeypatch.setattr(Policy, "overlaps", lambda one, other: compared.append(other) or overlaps(one, other))
    text = "".join(f"- {policy.format(2000 + number)}\n" for number in range(100))
    with suppress(TeamsFileRefused):
        parse_teams(f"{HEAD}policies:\n{text}", file="teams.yaml")
    assert len(compared) <= 200


def test_a_policy_is_not_called_like_a_rule():
    text = WHOLE.replace("{name: r,", '{name: "idle: gpu idle",')
    with pytest.raises(TeamsFileRefused, match="is the name of a rule; choose another name"):
        parse_teams(text, file="teams.yaml")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("valid_to: 2026-02-01", "valid_from: 2026-02-01", id="one ends where the next begins"),
        pytest.param("valid_to: 2026-02-01", "valid_from: 2026-05-01", id="days between them"),
        pytest.param("valid_from: 2026-05-01", "valid_to: 2026-05-01", id="the later one first"),
    ],
)
def test_versions_of_a_policy_follow_one_another(first, second):
    text = f"{HEAD}policies:\n- {{name: p, idle: owner, {first}}}\n- {{name: p, idle: share, {second}}}\n"
    assert len(parse_teams(text, file="teams.yaml")[1].policies) == 2
