"""What is wrong with drafts and files of teams, rules and policies, as those say it who read them: to be translated."""

from apps.dashboards.told import _

WRITTEN = (
    # YAML and its keys
    _("this YAML is not read: %(problem)s"),
    _("this is not YAML: %(problem)s"),
    _("%(what)s must be written as `key: value`"),
    _("%(text)s stands twice in %(what)s; keep one"),
    _("%(text)s is unknown in %(what)s; known are %(choices)s"),
    _("%(what)s must be a list; begin each item with `- `"),
    _("%(what)s: a single text is expected here"),
    _("%(text)s stands beside `places`; write it inside of them"),
    _("a rule has both `team` and `split`; keep one"),
    # files
    _("the file has more than %(most)s bytes; is it the right one?"),
    _("the file cannot be read: %(reason)s"),
    _("the file is not UTF-8; save it as UTF-8"),
    _("the name must end in one of %(choices)s"),
    _("the file has %(count)s %(what)s; at most %(most)s are taken. A * or a label may stand for many"),
    _("this is not CSV: %(problem)s"),
    _("the row has %(count)s columns, the header %(columns)s"),
    _("column %(name)s is unknown; known are %(choices)s"),
    _("column %(name)s stands twice; keep one"),
    _("column 'team' is missing; it holds the key of the team, such as live-class"),
    _("%(column)s is %(text)s here and %(other)s on line %(line)s, for one team"),
    _("%(column)s is %(text)s here and %(other)s on line %(line)s, for one unit"),
    # teams
    _("there are no teams; the file must list every team under `teams`"),
    _("a team has no `name`, such as live-class"),
    _("team name %(name)s: use lower-case letters, digits and hyphens"),
    _("team %(name)s is not among the teams; add it"),
    _("team %(name)s is not known; import it with the rules first"),
    _("team %(name)s stands twice; keep one"),
    _("%(what)s %(name)s stands on line %(line)s already; names are unique"),
    _("%(name)s is kept for cost no rule matches; choose another name"),
    _("%(text)s is not an e-mail address"),
    _("`%(name)s` has %(count)s characters; at most %(most)s are kept"),
    _("`%(name)s` holds a control character; remove it"),
    # rules
    _("a rule has no `name`; it is what people see next to the cost it decided"),
    _("a rule has no condition; write `when:` and %(choices)s"),
    _("a rule names no team; write `team: NAME` or `split: {NAME: PERCENT, ...}`"),
    _("a shared rule is about namespaces; add a condition on `namespace`"),
    _("a rule of clusters names no `cluster`; write its name as in the usage"),
    _("%(text)s is unknown; known are %(choices)s"),
    _("%(text)s has no value; write a text or a list of texts"),
    _("%(text)s has an empty value; remove it"),
    _("nothing follows %(mark)s; write what to compare with"),
    _("%(text)s is no RE2 regular expression: %(problem)s"),
    _(
        "nothing has %(fields)s at once, so the rule can never match: workloads have %(choices)s; charges and idle "
        "capacity have %(others)s. Write two rules."
    ),
    _("the percentages add up to %(total)s, not to 100"),
    _("%(text)s is no percentage above 0 with at most two decimals"),
    _("%(text)s is no date; write year-month-day, such as 2026-07-01"),
    _("valid_to (%(last)s, itself not included) must come after valid_from (%(first)s)"),
    _("priority %(text)s is not a whole number of at most six digits"),
    _("%(name)s: %(text)s is not whole; write 7.2 : 1 as 72 : 10"),
    _("%(name)s: at most 1,000,000"),
    _("cpu_core and memory_gib are both 0; a node without GPU would have no size"),
    # policies
    _("%(name)s is the name of a rule; choose another name"),
    _("policy %(name)s stands on line %(line)s already, about %(subject)s; rename one"),
    _(
        "policy %(name)s stands on line %(line)s already, for some of the same days; versions of a policy must not "
        "overlap: end the earlier one with `valid_to` where the later one begins"
    ),
    _(
        "the policy on line %(line)s is about exactly the same, on some of the same days, and would decide; give one "
        "of them other conditions or other days"
    ),
    _("a policy has %(names)s at once; write exactly one of %(choices)s"),
    _("a policy says nothing about what it is for; write exactly one of %(choices)s"),
    _("a policy to %(subject)s says which cost it means; write `when:` and a condition"),
    _("`%(name)s` says nothing for %(text)s; remove it"),
    _(
        "nothing has %(fields)s at once, so the policy can never match: workloads have %(choices)s; charges have "
        "%(others)s. Write two policies."
    ),
    _("`central` has one owner; write `team: NAME`"),
    _("`by_driver` names no driver; write `driver: NAME`"),
    _("`driver` has %(count)s characters; at most %(most)s"),
    # the organisation
    _("a unit has no `name`, such as live"),
    _("%(name)s is kept for cost without a place; choose another name"),
    _("kind %(text)s of a unit is none of %(choices)s"),
    _("a team has both `department` and a place; keep one"),
    _("%(name)s is a %(kind)s; write `parent: %(parent)s`"),
    _("of two places, the first needs a `valid_to` and the next the same day as its `valid_from`"),
    _("places overlap: one is valid to %(end)s (itself not included), the next from %(start)s; write the same day"),
    _("places leave a gap: one is valid to %(end)s (itself not included), the next from %(start)s; write the same day"),
    _("parent %(name)s is not a unit under `organisation`; add it"),
    _("a %(kind)s cannot stand below the %(other)s %(name)s"),
    _("the way up goes in a circle from %(day)s: %(names)s"),
    _("the way up from here has more than %(most)s levels"),
    _("%(name)s stands below %(parent)s from %(day)s, which begins on %(start)s"),
    _("%(name)s stands below %(parent)s until %(day)s, which ends on %(end)s"),
)
PROBLEMS = (
    # of YAML, ours
    _("an escape such as \\U00110000 names no character"),
    _("an escape such as \\uD800 names half a character"),
    _("aliases are not read; write out what *%(name)s stands for"),
    _("it is nested too deeply; %(most)s levels are read"),
    # of YAML, as PyYAML says it
    _("found character %(text)s that cannot start any token"),
    _("could not find expected ':'"),
    _("sequence entries are not allowed here"),
    _("mapping keys are not allowed here"),
    _("mapping values are not allowed here"),
    _("expected <block end>, but found %(text)s"),
    _("expected ',' or ']', but got %(text)s"),
    _("expected ',' or '}', but got %(text)s"),
    _("expected %(wanted)s, but found %(text)s"),
    _("expected indentation indicator in the range 1-9, but found 0"),
    _("found unknown escape character %(text)s"),
    _("found unexpected end of stream"),
    _("found unexpected document separator"),
    _("but found another document"),
    _("found duplicate YAML directive"),
    _("found incompatible YAML document (version 1.* is required)"),
    _("duplicate tag handle %(text)s"),
    _("found undefined tag handle %(text)s"),
    _("second occurrence"),
    _(
        'unacceptable character #x%(code)s: special characters are not allowed in "<unicode string>", position '
        "%(place)s"
    ),
    # of CSV, as Python says it
    _("unexpected end of data"),
    _("line contains NUL"),
    _("field larger than field limit (%(most)s)"),
    # of regular expressions, as RE2 says it
    _("Invalid regular expression: missing ]: %(text)s"),
    _("Invalid regular expression: missing ): %(text)s"),
    _("Invalid regular expression: unexpected ): %(text)s"),
    _("Invalid regular expression: trailing \\"),
    _("Invalid regular expression: pattern too large - compile failed"),
    _("Invalid regular expression: no argument for repetition operator: %(text)s"),
    _("Invalid regular expression: invalid repetition size: %(text)s"),
    _("Invalid regular expression: bad repetition operator: %(text)s"),
    _("Invalid regular expression: invalid perl operator: %(text)s"),
    _("Invalid regular expression: invalid escape sequence: %(text)s"),
    _("Invalid regular expression: invalid character class range: %(text)s"),
    _("Invalid regular expression: invalid named capture group: %(text)s"),
)
"""What stands behind "this is not YAML", "this is not CSV" and the like."""
