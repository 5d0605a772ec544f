"""Columns that tables of several planners have."""

from django.utils.translation import gettext_lazy

from apps.planning.drafts import Column

NAMESPACE = Column("namespace", gettext_lazy("Namespace"))
WORKLOAD = Column("workload", gettext_lazy("Workload"))
TEAM = Column("team", gettext_lazy("Team"), "team")
SAVING = Column("saving_per_month", gettext_lazy("Saves a month"), "money")
