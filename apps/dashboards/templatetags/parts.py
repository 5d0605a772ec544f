"""Parts of a page that hold others."""

import re

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_block_tag(takes_context=True)
def filterbar(context: Context, content: SafeString) -> SafeString:
    """The one bar of filters: within it stand choices. Without a script its button sends it."""
    return render_to_string("dashboards/parts/filter_bar.html", {"request": context["request"], "choices": content})


_CONTROL = re.compile(r"<(?:input|select|textarea)\b")


@register.simple_block_tag(takes_context=True)
def field(
    context: Context, content: SafeString, name: str, title: str, *, about: str = "", kind: str = ""
) -> SafeString:
    """A field of a form: around its control stand its label, what helps and, where the page's `faults` say so of its
    name, why it was refused."""
    told = (context.get("faults") or {}).get(name, "")
    described = [f"{part}-{name}" for part, words in (("fault", told), ("help", about)) if words]
    attributes = format_html(' aria-describedby="{}"', " ".join(described)) if described else ""
    attributes += ' aria-invalid="true"' if told else ""
    control = mark_safe(_CONTROL.sub(lambda found: found[0] + attributes, content, count=1))  # noqa: S308  # a template
    words = {"name": name, "title": title, "control": control, "help": about, "kind": kind, "fault": told}
    return render_to_string("dashboards/parts/field.html", words)
