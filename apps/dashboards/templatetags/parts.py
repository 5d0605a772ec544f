"""Parts of a page that hold others."""

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag(takes_context=True)
def filterbar(context: Context, content: SafeString) -> SafeString:
    """The one bar of filters: within it stand choices. Without a script its button sends it."""
    return render_to_string("dashboards/parts/filter_bar.html", {"request": context["request"], "choices": content})
