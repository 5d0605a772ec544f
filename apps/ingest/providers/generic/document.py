"""The mapping file that a user writes, as YAML: read, judged as a whole, and made a mapping."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

import yaml

from apps.finops import focus, yamls
from apps.finops.errors import CostOpsError
from apps.ingest.bill.mapping import Gather, Input, Kind
from apps.ingest.bill.mapping import Mapping as BillMapping
from apps.ingest.providers.generic.expressions import Made, Maker, Wrong, known_zone

MOST_BYTES = 200_000
KINDS: tuple[Kind, ...] = get_args(Kind)
ENCODINGS = ("utf-8", "gb18030", "big5", "shift_jis", "euc-kr", "cp1252", "latin-1")
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_TITLE = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_PATTERN = re.compile(r"(?:%[YmdHMSfbBIpy]|[ \-/:.,T年月日])+")
_KEYS = {"name", "inputs", "columns", "source_cost", "encodings"}
_INPUT_KEYS = {"column", "kind", "required", "formats", "zone", "prefix"}


class BadMapping(CostOpsError):
    """The mapping file cannot be meant; every mistake is named."""


@dataclass(frozen=True)
class Document:
    """A mapping file that was found good."""

    mapping: BillMapping
    encodings: tuple[str, ...]


class _Loader(yamls.Bounded, yaml.BaseLoader):
    """Every scalar stays the text it is: 0.1 is no float, `no` no falsehood. Doubled keys are refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := next((key for key, times in keys.items() if times > 1), None):
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} is said twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def read(text: str) -> Document:
    """The mapping of a file; BadMapping names everything that is wrong with it."""
    return _Reading(text, _parsed(text)).document()


def _parsed(text: str) -> Mapping[str, Any]:
    if len(text) > MOST_BYTES:
        raise BadMapping(f"The mapping file has {len(text)} characters; at most {MOST_BYTES} are read.")
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506  # makes texts, lists and tables only
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        raise BadMapping(f"The mapping file is not YAML: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(content, dict):
        raise BadMapping("The mapping file is empty, or no table; see docs/providers/csv.md.")
    return content


class _Reading:
    """One file under examination: what is wrong is collected, so that it can be said at once."""

    def __init__(self, text: str, content: Mapping[str, Any]) -> None:
        self.text, self.content = text, content
        self.wrong: list[str] = [f"{key}: there is no such part" for key in sorted(set(content) - _KEYS)]

    def document(self) -> Document:
        name = self._name()
        inputs = dict(self._inputs())
        maker = Maker({alias: one if isinstance(one, Input) else None for alias, one in inputs.items()})
        made = dict(self._columns(maker))
        control = self._source_cost(made, inputs)
        encodings = self._encodings()
        if self.wrong:
            raise BadMapping("The mapping cannot be used:\n" + "\n".join(f"- {one}" for one in self.wrong))
        for alias, allowed in maker.chosen.items():
            inputs[alias] = replace(cast(Input, inputs[alias]), allowed=allowed)
        currency = made["BillingCurrency"].name
        columns = {column: one.sql for column, one in made.items()} | {"x_SourceCost": f'"{control}"'}
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:10]
        mapping = BillMapping(name, digest, inputs, columns, {control: "x_SourceCost"}, currency, keeps="all")
        return Document(mapping, encodings)

    def _name(self) -> str:
        name = self.content.get("name")
        if not isinstance(name, str) or not _TITLE.fullmatch(name):
            self.wrong.append("name: write lower-case letters, digits and hyphens; charges will say it in x_Mapping")
            return ""
        return name

    def _part(self, key: str) -> Mapping[str, Any]:
        part = self.content.get(key)
        if not isinstance(part, dict) or not part:
            self.wrong.append(f"{key}: write a table, see docs/providers/csv.md")
            return {}
        return part

    def _inputs(self) -> Iterator[tuple[str, Input | Gather]]:
        for alias, said in self._part("inputs").items():
            try:
                if not _NAME.fullmatch(alias) or alias.startswith("x_"):
                    raise Wrong("a name is lower-case letters, digits and _, and does not begin with x_")
                yield alias, _input(said)
            except Wrong as wrong:
                self.wrong.append(f"inputs, {alias}: {wrong}")

    def _columns(self, maker: Maker) -> Iterator[tuple[str, Made]]:
        said = self._part("columns")
        for column, expression in said.items():
            try:
                if column not in focus.COLUMNS:
                    raise Wrong(f"FOCUS has no such column{_near(column)}")
                made = maker.make(expression, _kind(column))
                if column in focus.REQUIRED and not made.is_total:
                    raise Wrong(
                        "would be missing in some rows; mark its input `required: true`, or end with a constant in "
                        "`coalesce` or `otherwise`"
                    )
                if column == "ChargeCategory":
                    _check_categories(expression)
                yield column, made
            except Wrong as wrong:
                self.wrong.append(f"columns, {column}: {wrong}")
        if missing := [column for column in focus.REQUIRED if column not in said]:
            self.wrong.append(f"columns: these are required and not there: {', '.join(missing)}")

    def _source_cost(self, made: Mapping[str, Made], inputs: Mapping[str, Input | Gather]) -> str:
        """The input that the independent tally adds up."""
        name = self.content.get("source_cost") or (made["BilledCost"].name if "BilledCost" in made else "")
        if not name and "BilledCost" in made:
            self.wrong.append("source_cost: name the input whose sum must come through, for BilledCost is computed")
        elif name:
            one = inputs.get(name) if isinstance(name, str) else None
            if not isinstance(one, Input) or one.kind != "money":
                self.wrong.append(f"source_cost: {name!r} is no input of kind money")
        return str(name)

    def _encodings(self) -> tuple[str, ...]:
        said = self.content.get("encodings", ["utf-8"])
        if not isinstance(said, list) or not said or any(one not in ENCODINGS for one in said):
            self.wrong.append(f"encodings: write a list of some of {', '.join(ENCODINGS)}, the likeliest first")
            return ()
        return tuple(said)


def _input(said: Any) -> Input | Gather:
    if isinstance(said, str):
        said = {"column": said}
    if not isinstance(said, dict):
        raise Wrong("write the name of a column, or a table")
    if unknown := sorted(set(said) - _INPUT_KEYS):
        raise Wrong(f"{unknown[0]!r} is no property of an input; there are {', '.join(sorted(_INPUT_KEYS))}")
    if "prefix" in said:
        if set(said) != {"prefix"} or not isinstance(said["prefix"], str) or not said["prefix"]:
            raise Wrong("an input by prefix gathers columns as JSON and has nothing but its prefix")
        return Gather({said["prefix"]: ""})
    kind = said.get("kind", "text")
    if kind not in KINDS:
        raise Wrong(f"kind: {kind!r} is none of {', '.join(KINDS)}")
    if kind != "time" and ("formats" in said or "zone" in said):
        raise Wrong("only an input of kind time has formats or a zone")
    return Input(
        names=_texts(said.get("column"), "column", lambda text: bool(text)),
        kind=kind,
        required=_truth(said.get("required", "false")),
        formats=_texts(said["formats"], "formats", _is_pattern) if "formats" in said else (),
        zone=known_zone(said.get("zone", "UTC")),
    )


def _texts(said: Any, what: str, is_good: Callable[[str], bool]) -> tuple[str, ...]:
    listed = said if isinstance(said, list) else [said]
    if not listed or not all(isinstance(one, str) and is_good(one) for one in listed):
        hint = " such as %d/%m/%Y %H:%M, with year, month and day" if what == "formats" else ""
        raise Wrong(f"{what}: write a text, or a list of texts{hint}")
    return tuple(listed)


def _is_pattern(text: str) -> bool:
    said = set(re.findall(r"%(.)", text))
    return bool(_PATTERN.fullmatch(text) and said & {"Y", "y"} and said & {"m", "b", "B"} and "d" in said)


def _truth(said: Any) -> bool:
    if said not in ("true", "false", "yes", "no"):
        raise Wrong("required: write true or false")
    return said in ("true", "yes")


def _kind(column: str) -> Kind:
    if column in focus.JSON_COLUMNS:
        return "json"
    kinds: dict[str, Kind] = {focus.MONEY: "money", focus.TIME: "time"}
    return kinds.get(focus.COLUMNS[column], "text")


def _near(column: str) -> str:
    spelled = {name.casefold(): name for name in focus.COLUMNS}
    near = spelled.get(column.casefold().replace("_", "").replace(" ", ""))
    return f"; did you mean {near}?" if near else ""


def _check_categories(said: Any) -> None:
    """What a mapping itself says of a charge's category must be one of FOCUS's five."""
    if isinstance(said, list):
        for one in said:
            _check_categories(one)
    if not isinstance(said, dict):
        return
    told = [said.get("constant"), *(said.get("when") or {}).values(), said.get("otherwise")]
    for one in told:
        if isinstance(one, str) and one not in CATEGORIES:
            raise Wrong(f"{one!r} is none of {', '.join(CATEGORIES)}")
        _check_categories(one)
    _check_categories(said.get("coalesce"))
