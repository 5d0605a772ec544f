"""How others tell who is idle, as they publish it: what our findings are compared with."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from apps.learning.idle.activity import Activity, Flags, Matrix

Rule = Callable[[Activity], Flags]
DAY_KB = 86_400
MB_KB = 1_024


def aws_compute_optimizer(activity: Activity) -> Flags:
    """AWS Compute Optimizer, idle EC2 instances: peak CPU below 5 %, network below 5 MB a day, over 14 days.

    https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html
    """
    part = _last(activity, 14)
    return _highest(part, "cpu_peak", below=5) & (_mean(part, "network") * DAY_KB < 5 * MB_KB)


def aws_trusted_advisor(activity: Activity) -> Flags:
    """AWS Trusted Advisor, low utilisation: CPU 10 % or less and network 5 MB or less on at least 4 of 14 days.

    https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html
    """
    part = _last(activity, 14)
    quiet = (_by_day(part, "cpu_mean") <= 10) & (_by_day(part, "network") * DAY_KB <= 5 * MB_KB)
    return np.asarray(quiet.sum(axis=0) >= 4)


def gcp_idle_vm(activity: Activity) -> Flags:
    """Google Cloud's idle VM recommender: CPU below 0.03 vCPU for 97 % of 14 days, received below 2,000 and sent below
    1,000 bytes a second for 95 %; below 3,000 together where only the sum is known.

    https://cloud.google.com/compute/docs/instances/viewing-and-applying-idle-vm-recommendations
    """
    part = _last(activity, 14)
    cpu = _part_below(part, "cpu_mean", 3.0) if "cores" not in part.signals else _share_below(_vcpus(part), 0.03)
    received, sent = _part_below(part, "received", 2.0), _part_below(part, "sent", 1.0)
    network = _part_below(part, "network", 3.0) if "sent" not in part.signals else np.minimum(received, sent)
    return np.asarray((cpu >= 0.97) & (network >= 0.95))


def azure_advisor(activity: Activity) -> Flags:
    """Azure Advisor, shut down: the 95th percentile of the highest CPU below 3 % in 7 days, average CPU at most 2 % in
    the last 3 days, outbound network below 2 % (of 1 Gbit/s here, as sizes differ).

    https://learn.microsoft.com/azure/advisor/advisor-cost-recommendations
    """
    week, days = _last(activity, 7), _last(activity, 3)
    sent = "sent" if "sent" in activity.signals else "network"
    quiet = (_part_below(week, "cpu_peak", 3.0) >= 0.95) & (_part_below(days, "cpu_mean", 2.0, or_at=True) >= 1)
    return np.asarray(quiet & _highest(week, sent, below=0.02 * 125_000))


def optscale(activity: Activity) -> Flags:
    """OptScale, abandoned instances: average CPU at most 5 % and network at most 1,000 bytes a second over 7 days.

    https://github.com/hystax/optscale, bumiworker/modules/recommendations/abandoned_instances.py
    """
    part = _last(activity, 7)
    return np.asarray((_mean(part, "cpu_mean") <= 5) & (_mean(part, "network") <= 1.0))


def kubecost_abandoned(activity: Activity) -> Flags:
    """Kubecost, abandoned workloads: less than 500 bytes a second in, and as little out, over the default 2 days.

    https://docs.kubecost.com/using-kubecost/navigating-the-kubecost-ui/savings/abandoned-workloads
    """
    part = _last(activity, 2)
    if "sent" not in part.signals:
        return np.asarray(_mean(part, "network") < 1.0)
    return np.asarray((_mean(part, "received") < 0.5) & (_mean(part, "sent") < 0.5))


def cloudaware(activity: Activity) -> Flags:
    """Cloudaware, idle instance: over 14 days average CPU below 5 %, highest below 15 %, in and out below 100 MB each.

    https://ce.prod.cloudaware.com/ce/ca/aws/ec2/instance-idle/description
    """
    part = _last(activity, 14)
    most = 100 * MB_KB / (14 * DAY_KB)
    sums = [_mean(part, name) < most for name in ("received", "sent")]
    network = np.logical_and(*sums) if "sent" in part.signals else _mean(part, "network") < 2 * most
    return np.asarray((_mean(part, "cpu_mean") < 5) & _highest(part, "cpu_peak", below=15) & network)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.__name__: rule
        for rule in (
            aws_compute_optimizer,
            aws_trusted_advisor,
            gcp_idle_vm,
            azure_advisor,
            optscale,
            kubecost_abandoned,
            cloudaware,
        )
    }
)
"""Name -> who is idle by it at the end of the activity. A signal that is not known is taken as not under its limit."""


def _last(activity: Activity, days: int) -> Activity:
    return activity.since(max(0, len(activity.hours) - 24 * days))


def _signal(activity: Activity, name: str) -> Matrix:
    return activity.signals.get(name, np.full(activity.shape, np.nan))


def _mean(activity: Activity, name: str) -> Matrix:
    values = _signal(activity, name)
    known = (~np.isnan(values)).sum(axis=0)
    return np.where(known > 0, np.nansum(values, axis=0) / np.maximum(known, 1), np.nan)


def _by_day(activity: Activity, name: str) -> Matrix:
    """Days × subjects of means."""
    values = _signal(activity, name)
    days = len(values) // 24
    by_day = values[len(values) - 24 * days :].reshape(days, 24, values.shape[1])
    known = (~np.isnan(by_day)).sum(axis=1)
    return np.where(known > 0, np.nansum(by_day, axis=1) / np.maximum(known, 1), np.nan)


def _highest(activity: Activity, name: str, *, below: float) -> Flags:
    """Where the signal is known and always below."""
    values = _signal(activity, name)
    return np.asarray(~(values >= below).any(axis=0) & ~np.isnan(values).all(axis=0))


def _part_below(activity: Activity, name: str, limit: float, *, or_at: bool = False) -> Matrix:
    return _share_below(_signal(activity, name), np.nextafter(limit, np.inf) if or_at else limit)


def _share_below(values: Matrix, limit: float) -> Matrix:
    """The share of the known hours below the limit; 0 where none is known."""
    known = (~np.isnan(values)).sum(axis=0)
    return np.asarray((values < limit).sum(axis=0) / np.maximum(known, 1))


def _vcpus(activity: Activity) -> Matrix:
    return _signal(activity, "cpu_mean") / 100 * _signal(activity, "cores")
