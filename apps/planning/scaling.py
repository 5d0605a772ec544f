"""Schedules as Kubernetes objects: a CronHPA and a KEDA ScaledObject, each checked against its schema when written."""

from typing import Any

import yaml

from apps.finops.errors import CostOpsError
from apps.planning.drafts import Draft

API = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "ReplicaSet": "apps/v1"}


class BadObject(CostOpsError):
    """A schedule cannot be written as this object; nothing was exported."""


def cron_hpa(draft: Draft) -> str:
    """A CronHorizontalPodAutoscaler of Alibaba Cloud: a job for every change, six fields with the second first."""
    content = draft.content
    listed = [
        {"name": f"set-{number}-to-{replicas}", "schedule": f"0 {cron}", "targetSize": replicas, "runOnce": once}
        for number, (cron, once, replicas) in enumerate(content["cron"], start=1)
    ]
    return _written({
        "apiVersion": "autoscaling.alibabacloud.com/v1beta1", "kind": "CronHorizontalPodAutoscaler",
        "metadata": {"name": f"{content['workload']}-schedule", "namespace": content["namespace"]},
        "spec": {"scaleTargetRef": _target(content), "jobs": listed},
    }, _CRON_HPA)  # fmt: skip


def keda(draft: Draft) -> str:
    """A ScaledObject of KEDA: a cron trigger from every change above the least to the next."""
    content = draft.content
    least = min(replicas for _cron, _once, replicas in content["cron"])
    changes = content["cron"]
    triggers = [
        {"type": "cron", "metadata": {"timezone": content["zone"], "start": cron,
                                      "end": changes[(at + 1) % len(changes)][0], "desiredReplicas": str(replicas)}}
        for at, (cron, _once, replicas) in enumerate(changes)
        if replicas > least and len(changes) > 1
    ]  # fmt: skip
    most = max(replicas for _cron, _once, replicas in changes)
    return _written({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {"name": f"{content['workload']}-schedule", "namespace": content["namespace"]},
        "spec": {"scaleTargetRef": _target(content), "minReplicaCount": least, "maxReplicaCount": most,
                 "triggers": triggers},
    }, _KEDA)  # fmt: skip


def _target(content: Any) -> dict[str, str]:
    kind = content["kind"]
    return {"apiVersion": API.get(kind, "apps/v1"), "kind": kind, "name": content["workload"]}


def _written(told: dict[str, Any], fields: dict[str, Any]) -> str:
    """As YAML, when it is what its schema says."""
    if wrong := list(_wrong(told, fields, "")):
        raise BadObject(f"The schedule cannot be exported: {'; '.join(wrong[:5])}.")
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True)


def _wrong(value: Any, wanted: Any, path: str) -> list[str]:
    """What of a value is not as wanted: a type, a list of one wanted thing, or the fields of an object."""
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            return [f"{path or 'it'} is no object"]
        missing = [f"{path}.{name} is missing" for name in wanted if name not in value]
        odd = [f"{path}.{name} is not known" for name in value if name not in wanted]
        deep = [
            each for name in wanted if name in value for each in _wrong(value[name], wanted[name], f"{path}.{name}")
        ]
        return missing + odd + deep
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [each for at, one in enumerate(value) for each in _wrong(one, wanted[0], f"{path}[{at}]")]
    if wanted == "cron5" or wanted == "cron6":
        fields, ranges = str(value).split(" "), _CRON[-int(wanted[-1]) :]
        if len(fields) != len(ranges):
            return [f"{path} has not {wanted[-1]} fields"]
        fits = all(
            field == "*" or (field.isdecimal() and int(field) in span)
            for field, span in zip(fields, ranges, strict=True)
        )
        return [] if fits else [f"{path}: {value} is no cron entry"]
    if wanted == "count":
        return [] if type(value) is int and value >= 0 else [f"{path} is no number of replicas"]
    return [] if type(value) is wanted else [f"{path} is no {wanted.__name__}"]


_CRON = (range(60), range(60), range(24), range(1, 32), range(1, 13), range(7))
"""Seconds to weekdays; an entry of five fields has no seconds."""
_META = {"name": str, "namespace": str}
_TARGET = {"apiVersion": str, "kind": str, "name": str}
_JOB = {"name": str, "schedule": "cron6", "targetSize": "count", "runOnce": bool}
_CRON_HPA = {
    "apiVersion": str, "kind": str, "metadata": _META, "spec": {"scaleTargetRef": _TARGET, "jobs": [_JOB]},
}  # fmt: skip
_TRIGGER = {"timezone": str, "start": "cron5", "end": "cron5", "desiredReplicas": str}
_KEDA = {
    "apiVersion": str, "kind": str, "metadata": _META,
    "spec": {"scaleTargetRef": _TARGET, "minReplicaCount": "count", "maxReplicaCount": "count",
             "triggers": [{"type": str, "metadata": _TRIGGER}]},
}  # fmt: skip
