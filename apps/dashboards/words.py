"""What people call things: kinds of cost, dimensions that do not apply, states."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.finops.tables import NOT_NAMED
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

PROVIDERS: dict[str, Promise] = {NOT_NAMED: _("no provider named"), NOT_RECORDED: _("provider not recorded")}
"""What stands for the provider of a bill that names none, and of cost that was attributed before it was told."""

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

STEPS: dict[str, tuple[Promise, Promise]] = {
    "land": (_("Land"), _("copies new and changed files of a source, byte by byte")),
    "normalize": (_("Read bills"), _("reads landed bills into charges")),
    "meter": (_("Measure"), _("reads usage files, or pulls usage from an API, day by day")),
    "allocate": (_("Allocate"), _("divides the charges of changed days between teams")),
    "estimate": (_("Estimate"), _("estimates the days whose bill has not come")),
    "publish": (_("Publish"), _("rebuilds changed months and pins a publication")),
    "forecast": (_("Forecast"), _("forecasts days, and where month and quarter land")),
    "budgets": (_("Look ahead"), _("looks ahead for budgets that no forecast tells of")),
    "anomalies": (_("Anomalies"), _("looks for what departs from its usual")),
    "idle": (_("Idle"), _("finds what is paid for and not used")),
    "plan": (_("Plan"), _("plans how the same work could cost less")),
    "recommend": (_("Recommend"), _("makes findings into recommendations with owners")),
    "verify": (_("Verify"), _("measures what was saved")),
    "alert": (_("Alert"), _("tells people what asks for attention")),
}
"""The steps in their order: what each is called, and what it does."""


def step_title(step: str) -> str:
    """A step as people say it; one of a newer version by its name."""
    return str(STEPS[step][0]) if step in STEPS else step
