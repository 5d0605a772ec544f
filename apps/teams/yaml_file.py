"""Reading teams and rules from YAML: the words as they stand, each with its line."""

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from apps.finops import yamls
from apps.teams.drafts import (
    Conditions,
    Draft,
    DraftEdit,
    DraftPlace,
    DraftPolicy,
    DraftRule,
    DraftTeam,
    DraftUnit,
    Text,
)
from apps.teams.policies import SUBJECTS

TOP = ("organisation", "teams", "rules", "shared", "policies", "clusters", "policy")
PLACE = ("parent", "cost_center", "valid_from", "valid_to")
TEAM = ("name", "title", "department", "lead", "places", *PLACE)
UNIT = ("name", "kind", "title", "lead", "places", *PLACE)
LEAD = {"name": "lead_name", "email": "lead_email"}
RULE = ("name", "when", "any", "unless", "team", "split", "valid_from", "valid_to", "priority")
SHARED = ("name", "when")
POLICY = (*SUBJECTS, "driver", "teams", *RULE)
CLUSTER = ("name", "when", "cluster", "by", "valid_from", "valid_to")
RATIO = ("cpu_core", "memory_gib", "gpu")
CHANGE = ("valid_from", "add", "change", "end")
BESIDE = ("before", "after")


def read_yaml(draft: Draft, text: str) -> None:
    """Fill the draft. Scalars are taken as text, so an account `0123` stays `0123` and `no` stays `no`."""
    root = _root(draft, text)
    if root is None:
        return
    parts = _mapping(draft, root, "the file", TOP)
    draft.units += [_unit(draft, node) for node in _items(draft, parts.get("organisation"), "organisation")]
    draft.teams += [_team(draft, node) for node in _items(draft, parts.get("teams"), "teams")]
    draft.rules += [_rule(draft, node) for node in _items(draft, parts.get("rules"), "rules")]
    draft.shared += [_shared(draft, node) for node in _items(draft, parts.get("shared"), "shared")]
    draft.clusters += [_cluster(draft, node) for node in _items(draft, parts.get("clusters"), "clusters")]
    draft.policies += [_policy(draft, node) for node in _items(draft, parts.get("policies"), "policies")]
    policy = _mapping(draft, parts.get("policy"), "policy", ("price_ratio",))
    ratio = _mapping(draft, policy.get("price_ratio"), "price_ratio", RATIO)
    draft.price_ratio |= {name: word for name, node in ratio.items() if (word := _scalar(draft, node, name))}


def read_change(draft: Draft, text: str) -> tuple[Text | None, list[DraftEdit]]:
    """A proposed change of the rules as written: from which day on, and what is added, changed and ended."""
    root = _root(draft, text)
    parts = _mapping(draft, root, "a change", CHANGE)
    edits = [
        _edit(draft, kind, node) for kind in ("add", "change") for node in _items(draft, parts.get(kind), f"`{kind}`")
    ]
    ends = [name for node in _items(draft, parts.get("end"), "`end`") if (name := _scalar(draft, node, "end"))]
    return _optional(draft, parts, "valid_from"), edits + [DraftEdit("end", name, None) for name in ends]


def _edit(draft: Draft, kind: str, node: Node) -> DraftEdit:
    rule = _rule(draft, node, (*RULE, *BESIDE))
    pairs = node.value if isinstance(node, MappingNode) else []
    place = {key.value: _scalar(draft, value, key.value) for key, value in pairs if key.value in BESIDE}
    return DraftEdit(kind, rule.name or Text("", rule.line), rule, place.get("before"), place.get("after"))


def _root(draft: Draft, text: str) -> Node | None:
    """The document; None where there is none, or it cannot be read."""
    try:
        return yamls.compose(text)
    except yamls.Unread as refused:
        draft.complain("not-read", refused.line, f"this YAML is not read: {refused.problem}")
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        draft.complain(
            "not-yaml", mark.line + 1 if mark else 1, f"this is not YAML: {broken.problem or broken.context}"
        )
    except yaml.YAMLError as broken:
        draft.complain("not-yaml", 1, f"this is not YAML: {' '.join(str(broken).split())}")
    return None


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _is_null(node: Node | None) -> bool:
    return node is None or (isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null")


def _pairs(draft: Draft, node: Node | None, what: str) -> list[tuple[Text, Node]]:
    """The keys and values of a mapping, in order; a key that stands twice is a complaint and counts once."""
    if node is None or _is_null(node):
        return []
    if not isinstance(node, MappingNode):
        draft.complain("not-a-mapping", _line(node), f"{what} must be written as `key: value`")
        return []
    pairs: dict[str, tuple[Text, Node]] = {}
    for key_node, value in node.value:
        key = _scalar(draft, key_node, what)
        if key is None:
            continue
        if key.value in pairs:
            draft.complain("twice", key.line, f"{key.value!r} stands twice in {what}; keep one")
        pairs.setdefault(key.value, (key, value))
    return list(pairs.values())


def _mapping(draft: Draft, node: Node | None, what: str, known: tuple[str, ...]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key, value in _pairs(draft, node, what):
        if key.value in known:
            found[key.value] = value
        else:
            draft.complain("unknown-key", key.line, f"{key.value!r} is unknown in {what}; known are {', '.join(known)}")
    return found


def _items(draft: Draft, node: Node | None, what: str) -> list[Node]:
    if node is None or _is_null(node):
        return []
    if isinstance(node, SequenceNode):
        return list(node.value)
    draft.complain("not-a-list", _line(node), f"{what} must be a list; begin each item with `- `")
    return []


def _scalar(draft: Draft, node: Node, what: str) -> Text | None:
    if isinstance(node, ScalarNode):
        return Text("" if _is_null(node) else node.value.strip(), _line(node))
    draft.complain("not-a-text", _line(node), f"{what}: a single text is expected here")
    return None


def _optional(draft: Draft, parts: dict[str, Node], name: str) -> Text | None:
    """The text of a key that may be missing, or stand there without a value."""
    node = parts.get(name)
    return None if node is None or _is_null(node) else _scalar(draft, node, name)


def _team(draft: Draft, node: Node) -> DraftTeam:
    parts = _mapping(draft, node, "a team", TEAM)
    is_placed = not parts.keys().isdisjoint(("parent", "valid_from", "valid_to", "places"))
    places = _places(draft, node, parts) if is_placed else ()
    return DraftTeam(_line(node), _facts(draft, parts, ("name", "title", "department", "cost_center")), places)


def _unit(draft: Draft, node: Node) -> DraftUnit:
    parts = _mapping(draft, node, "a unit", UNIT)
    return DraftUnit(_line(node), _facts(draft, parts, ("name", "kind", "title")), _places(draft, node, parts))


def _facts(draft: Draft, parts: dict[str, Node], names: tuple[str, ...]) -> dict[str, Text]:
    lead = _mapping(draft, parts.get("lead"), "lead", tuple(LEAD))
    facts = {name: _optional(draft, parts, name) for name in names}
    facts |= {column: _optional(draft, lead, name) for name, column in LEAD.items()}
    return {name: text for name, text in facts.items() if text is not None}


def _places(draft: Draft, node: Node, parts: dict[str, Node]) -> tuple[DraftPlace, ...]:
    """The places under `places`, or the only one, written beside the name."""
    listed = _items(draft, parts.get("places"), "places")
    if not listed:
        return (_place(draft, node, {name: parts[name] for name in PLACE if name in parts}),)
    if beside := [name for name in PLACE if name in parts]:
        draft.complain(
            "place-and-places", _line(node), f"{beside[0]!r} stands beside `places`; write it inside of them"
        )
    return tuple(_place(draft, one, _mapping(draft, one, "a place", PLACE)) for one in listed)


def _place(draft: Draft, node: Node, parts: dict[str, Node]) -> DraftPlace:
    return DraftPlace(_line(node), *(_optional(draft, parts, name) for name in PLACE))


def _rule(draft: Draft, node: Node, known: tuple[str, ...] = RULE) -> DraftRule:
    return _as_rule(draft, node, _mapping(draft, node, "a rule", known))


def _as_rule(draft: Draft, node: Node, parts: dict[str, Node]) -> DraftRule:
    return DraftRule(
        line=_line(node),
        name=_optional(draft, parts, "name"),
        when=_when(draft, parts.get("when")),
        split=_split(draft, node, parts),
        valid_from=_optional(draft, parts, "valid_from"),
        valid_to=_optional(draft, parts, "valid_to"),
        any=_when(draft, parts.get("any"), "any"),
        unless=_when(draft, parts.get("unless"), "unless"),
        priority=_optional(draft, parts, "priority"),
    )


def _shared(draft: Draft, node: Node) -> DraftRule:
    parts = _mapping(draft, node, "a shared rule", SHARED)
    return DraftRule(line=_line(node), name=_optional(draft, parts, "name"), when=_when(draft, parts.get("when")))


def _policy(draft: Draft, node: Node) -> DraftPolicy:
    parts = _mapping(draft, node, "a policy", POLICY)
    words = {name: _optional(draft, parts, name) for name in (*SUBJECTS, "driver")}
    return DraftPolicy(
        rule=_as_rule(draft, node, parts),
        words={name: word for name, word in words.items() if word is not None},
        teams=_patterns(draft, parts["teams"], "teams") if "teams" in parts else (),
    )


def _cluster(draft: Draft, node: Node) -> DraftRule:
    parts = _mapping(draft, node, "a rule of clusters", CLUSTER)
    return DraftRule(
        line=_line(node),
        name=_optional(draft, parts, "name"),
        when=_when(draft, parts.get("when")),
        valid_from=_optional(draft, parts, "valid_from"),
        valid_to=_optional(draft, parts, "valid_to"),
        cluster=_optional(draft, parts, "cluster"),
        by=_optional(draft, parts, "by"),
    )


def _when(draft: Draft, node: Node | None, what: str = "when") -> Conditions:
    return tuple((about, _patterns(draft, value, about.value)) for about, value in _pairs(draft, node, what))


def _patterns(draft: Draft, node: Node, what: str) -> tuple[Text, ...]:
    nodes = node.value if isinstance(node, SequenceNode) else [] if _is_null(node) else [node]
    return tuple(text for one in nodes if (text := _scalar(draft, one, what)) is not None)


def _split(draft: Draft, node: Node, parts: dict[str, Node]) -> tuple[tuple[Text, Text], ...]:
    if "team" in parts and "split" in parts:
        draft.complain("team-and-split", _line(node), "a rule has both `team` and `split`; keep one")
    team = _optional(draft, parts, "team")
    if team is not None:
        return ((team, Text("100", team.line)),)
    pairs = _pairs(draft, parts.get("split"), "split")
    return tuple((name, percent) for name, value in pairs if (percent := _scalar(draft, value, "split")) is not None)
