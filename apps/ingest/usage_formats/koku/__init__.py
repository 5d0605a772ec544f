"""Reports of the koku-metrics-operator (OpenShift cost management): one archive, or single CSV files.

What a file is, its columns tell. Pods carry the capacity of their node and its id at the cloud; storage, labels and
GPUs stand in files of their own. A report of node labels or GPUs adds to rows of the pod report, so it counts only in
one archive with it.
"""

from collections.abc import Sequence
from datetime import timedelta

from apps.ingest.unpack import Member
from apps.ingest.usage_formats.base import HOUR, BadUsage, Converted, UsageFormat, converter
from apps.ingest.usage_formats.koku.reports import PODS, REPORTS, Facts, Report
from apps.ingest.usage_formats.sheets import columns_of, lines, refuse_missing
from apps.ingest.usage_formats.sums import Sums

MOST_DAYS = 366
"""From the first hour to the last: those between them that nobody reported are told one by one."""


def convert(members: Sequence[Member], cluster: str) -> Converted:
    """Rows of the usage tables from the reports of one archive."""
    if not cluster:
        raise BadUsage("cluster", members[0].name, "The report names no cluster; add the source with --cluster.")
    facts = Facts(cluster)
    files: dict[str, str] = {}
    for member in members:
        columns = columns_of(member)
        report = _report(member, columns)
        files.setdefault(report.column, member.name)
        for line in lines(member, columns):
            report.take(line, facts)
    for report in REPORTS:
        if report.adds_to_pods and report.column in files and PODS not in files:
            said = "There is no pod report beside it, to whose rows it adds; send the archive whole, as it was packed."
            raise BadUsage("no_pod_report", files[report.column], said)
    facts.tell_nodes()
    _cover(facts.sums, cluster, members[0].name)
    return Converted(facts.sums.tables())


def _report(member: Member, columns: Sequence[str]) -> Report:
    report = next((one for one in REPORTS if one.column in columns), None)
    if report is None:
        said = f"No report of the operator has these columns: {', '.join(columns)[:300]}."
        raise BadUsage("unknown_report", f"{member.name}, line 1", said)
    refuse_missing(member, columns, ("interval_start", *report.needs))
    return report


def _cover(sums: Sums, cluster: str, name: str) -> None:
    """One sample an hour: it was reported, or it lies between hours that were and was not."""
    seen = {key[0] for table in ("workload_hours", "node_hours") for key in sums.quantities[table]}
    hour, last = min(seen, default=None), max(seen, default=None)
    if hour and last and last - hour > timedelta(days=MOST_DAYS):
        said = f"Its hours are more than {MOST_DAYS} days apart; send reports of less time at once."
        raise BadUsage("window", name, said)
    while hour and last and hour <= last:
        sums.coverage[hour, cluster] = hour in seen
        hour += HOUR


FORMAT = UsageFormat("koku", "OpenShift cost operator", converter(convert))
