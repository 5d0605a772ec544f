"""Names and typed words made harmless for the product that shows them: no command, call, picture or hidden link.

They come from bills, clusters and people; what is around them (our marks, links and lines) is ours. An e-mail is plain
text and a webhook is JSON: there they stay as they are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

BREAK = "\u200b"
"""A space of no width: seen by nobody, but no product reads a mark across it. `plain` has dropped those of others."""

_REFERENCES = re.compile(r"([@#!~%$&^*\[])(?=\S)")
_QUICK = re.compile(r"(?<!\S)/(?=\S)")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#!|~@%$&^])")
_WIKI = re.compile(r"([{}\[\]!|*_^~])")
_BEGINNINGS = re.compile(r"^(\s*)([-+=/])")


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True)
class Markup:
    """How a product is given the words of a title, and of a line of the text."""

    title: Callable[[str], str] = _as_it_is
    line: Callable[[str], str] = _as_it_is


def _broken_behind(marks: str) -> Markup:
    """For rooms that know no escaping."""
    table = str.maketrans({mark: mark + BREAK for mark in marks})
    return Markup(lambda text: text.translate(table), lambda text: text.translate(table))


def _slack(text: str) -> str:
    """What stands between < and > would be links and calls to everybody."""
    return escape(text, quote=False)


def _gitlab_title(text: str) -> str:
    """A title knows people, issues and labels (`@all`, `#1`, `~bug`), but no other Markdown."""
    return _REFERENCES.sub(rf"\1{BREAK}", text)


def _gitlab_line(text: str) -> str:
    """Markdown, and quick actions, which are read before it: `/move` at the beginning of a line."""
    broken = _QUICK.sub(f"/{BREAK}", _gitlab_title(text))
    return _BEGINNINGS.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", broken))


def _jira_line(text: str) -> str:
    """Wiki markup. Two backslashes would be a new line; of `[~name]` Jira looks for the raw text too."""
    escaped = _WIKI.sub(r"\\\1", text.replace("\\", "&#92;")).replace("[", f"[{BREAK}")
    return re.sub(r"^(\s*)([-#])", r"\1\\\2", escaped)


PLAIN = Markup()
SLACK = Markup(_slack, _slack)
TEAMS = _broken_behind("<]{")
"""`<at>`, `[words](address)`, `{{DATE(…)}}`."""
DINGTALK = _broken_behind("<@]")
FEISHU = _broken_behind("<]")
"""`<at user_id="all">`, `[words](address)`."""
WECOM = _broken_behind("<@]")
"""`<@name>`."""
GITLAB = Markup(_gitlab_title, _gitlab_line)
JIRA = Markup(line=_jira_line)
"""The summary of an issue is plain text."""
