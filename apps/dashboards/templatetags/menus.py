"""The menu in a template."""

from django import template
from django.template import Context

from apps.dashboards import menu as menus

register = template.Library()


@register.simple_tag(takes_context=True)
def menu(context: Context) -> menus.Menu:
    """The menu, as it is offered to whoever is signed in."""
    request = context["request"]
    here = request.resolver_match.url_name if request.resolver_match else ""
    is_staff = request.user.is_staff
    return menus.menu(here, sees_all=bool(context.get("for_everything")) or is_staff, is_staff=is_staff)
