"""What people call things: kinds of cost, dimensions that do not apply, states."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.finops.tags import NOT_RECORDED

KINDS: dict[str, Promise] = {
    "direct": _("Direct"),
    "shared": _("Shared"),
    "idle": _("Idle"),
    "shared_idle": _("Shared idle"),
    "unallocated": _("Unallocated"),
}

KIND_MEANINGS: dict[str, Promise] = {
    "direct": _("used by one team alone"),
    "shared": _("received: a part of what teams have in common, divided by a policy"),
    "idle": _("paid for, claimed by nobody"),
    "shared_idle": _("received: a part of what nobody claimed, divided by a policy"),
    "unallocated": _("no rule says whose it is"),
}

MISSING: dict[str, Promise] = {
    "team": _("Unallocated"),
    "cluster": _("outside clusters"),
    "namespace": _("no namespace"),
    "workload": _("no workload"),
    "service": _("no service"),
}

OWN_NAMES: dict[str, Promise] = {
    "__cluster__": _("the cluster as a whole"),
    "__overhead__": _("what nodes keep to themselves"),
}
"""Namespaces and workloads that attribution names, for no cluster has them."""

TAG_VALUES: dict[str, Promise] = {"": _("no such tag"), NOT_RECORDED: _("not recorded")}
"""What stands for a tag that is not there, and for one that nobody looked for."""

STATUSES: dict[str, Promise] = {
    "estimated": _("estimated"),
    "provisional": _("provisional"),
    "final": _("final"),
}

STATUS_MEANINGS: dict[str, Promise] = {
    "estimated": _("the bill has not come yet"),
    "provisional": _("a billing period is still open"),
    "final": _("every billing period is closed"),
}
