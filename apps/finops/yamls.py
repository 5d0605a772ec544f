"""YAML that people write, read as it stands and written as it is read: nothing in it is told once and meant often."""

import re
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.scanner import Scanner

MOST_LEVELS = 100
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character, as "\\ud83d" names it: no text that is kept can hold it."""


class Unread(yaml.MarkedYAMLError):
    """It is YAML, but of the kind that grows while it is read; `line` says where."""

    def __init__(self, what: str, at: Any) -> None:
        super().__init__(problem=what, problem_mark=at)
        self.line = int(at.line) + 1


class Bounded(Scanner, Parser, Composer):
    """What a loader is made of so that a short text stays small: no aliases, and no list in a list without end. And so
    that its words can be kept: escapes name whole characters."""

    _level = 0

    def fetch_more_tokens(self) -> None:
        try:
            super().fetch_more_tokens()
        except (ValueError, OverflowError) as beyond:
            raise Unread("an escape such as \\U00110000 names no character", self.get_mark()) from beyond  # type: ignore[attr-defined]

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        if _HALF.search(node.value):
            raise Unread("an escape such as \\uD800 names half a character", node.start_mark)
        return node

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise Unread(f"aliases are not read; write out what *{event.anchor} stands for", event.start_mark)
        if self._level == MOST_LEVELS:
            raise Unread(f"it is nested too deeply; {MOST_LEVELS} levels are read", event.start_mark)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        return node


class _Loader(Bounded, yaml.SafeLoader):
    pass


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def compose(text: str) -> yaml.Node | None:
    """The parts of a document, each with its line; raises Unread, or another YAMLError where it is no YAML."""
    found: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    return found


def written(document: Any) -> str:
    """A document as text that can be read here: what stands in it twice is written twice."""
    text: str = yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)
    return text
