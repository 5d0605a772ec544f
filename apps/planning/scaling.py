"""Schedules as Kubernetes objects: a CronHPA and a KEDA ScaledObject, each held against its schema when written."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from apps.finops.errors import CostOpsError
from apps.planning.drafts import Draft

SCHEMAS = Path(__file__).parent / "schemas"
API = {
    "Deployment": "apps/v1", "StatefulSet": "apps/v1", "ReplicaSet": "apps/v1",
    "Rollout": "argoproj.io/v1alpha1", "CloneSet": "apps.kruise.io/v1alpha1",
}  # fmt: skip
"""Kinds that have replicas to set (the scale subresource) → their API; bare pods, jobs and agents have none."""
UNNAMED, OWNED = "unnamed", "owned"
_KEDAS_OWN = "keda-hpa-"
_LONGEST_NAME = 63
"""KEDA writes the name of a ScaledObject into a label."""


class BadObject(CostOpsError):
    """A schedule cannot be written as this object; nothing was exported."""


def conflict(content: Mapping[str, Any]) -> str:
    """Why whatever scales the workload already lets no file be written: `unnamed`, `owned` by KEDA, or ''."""
    if content["most"] is not None and not content["scaler"]:
        return UNNAMED
    return OWNED if content["scaler"].startswith(_KEDAS_OWN) else ""


def cron_hpa(draft: Draft) -> str:
    """A CronHorizontalPodAutoscaler of Alibaba Cloud: a job for every change, six fields with the second first.

    Where an autoscaler scales the workload, it is the target: CronHPA then moves its bounds, instead of replicas that
    the autoscaler would set back.
    """
    content = _content(draft)
    target = _target(content)
    if content["scaler"]:
        target = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "name": content["scaler"]}
    listed = [
        {"name": f"set-{number}-to-{replicas}", "schedule": f"0 {cron}", "targetSize": replicas, "runOnce": once}
        for number, (cron, once, replicas) in enumerate(content["jobs"], start=1)
    ]
    notes = [f"Holds until {content['until']}. Hours are those of {content['zone']}: the controller's clock has to be."]
    if any(once for _cron, once, _replicas in content["jobs"]):
        notes.append("Entries with runOnce are of one date: leave out those that are past when you apply this.")
    return _written("cronhorizontalpodautoscaler", notes, {
        "apiVersion": "autoscaling.alibabacloud.com/v1beta1", "kind": "CronHorizontalPodAutoscaler",
        "metadata": _metadata(content), "spec": {"scaleTargetRef": target, "jobs": listed},
    })  # fmt: skip


def keda(draft: Draft) -> str:
    """A ScaledObject of KEDA: a cron trigger from every change above the least to the next.

    KEDA refuses a workload that has an autoscaler: the object takes it over, by its name.
    """
    content = _content(draft)
    if not content["triggers"]:
        raise BadObject(
            f"The schedule never changes, and KEDA refuses an object without a trigger: set {content['lowest']} "
            "replicas instead."
        )
    notes = [f"Holds until {content['until']}."]
    listed = []
    for start, end, is_dated, replicas in content["triggers"]:
        told = {"timezone": content["zone"], "start": start, "end": end, "desiredReplicas": f"{replicas}"}
        listed.append({"type": "cron", "metadata": told})
        if is_dated:
            notes.append(f"Remove the trigger that starts at {start!r} when it is over, or it comes again in a year.")
    metadata = _metadata(content)
    spec: dict[str, Any] = {"scaleTargetRef": _target(content)}
    if content["scaler"]:
        notes.append(f"Takes over {_line(content['scaler'])}: add what that scaled by as triggers, or it ends.")
        metadata["annotations"] = {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
        spec["advanced"] = {"horizontalPodAutoscalerConfig": {"name": content["scaler"]}}
    most = max(content["highest"], content["most"] or 0)
    spec |= {"minReplicaCount": content["lowest"], "maxReplicaCount": most, "triggers": listed}
    return _written("scaledobject", notes, {
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata, "spec": spec,
    })  # fmt: skip


def _content(draft: Draft) -> Mapping[str, Any]:
    """What a file is written of, if one can be."""
    content = draft.content
    if "jobs" not in content:
        raise BadObject("The plan has no schedule to write, or was made by an earlier release; the next fill plans it.")
    if found := conflict(content):
        why = {
            UNNAMED: "an autoscaler scales the workload, and its name is not metered (autoscaler of autoscaler_hours)",
            OWNED: f"KEDA scales the workload already ({content['scaler']}): add the steps to its ScaledObject",
        }
        raise BadObject(f"The schedule cannot be exported: {why[found]}.")
    return content


def _metadata(content: Mapping[str, Any]) -> dict[str, Any]:
    name = content["workload"][: _LONGEST_NAME - len("-schedule")].rstrip("-.")
    return {"name": f"{name}-schedule", "namespace": content["namespace"]}


def _target(content: Mapping[str, Any]) -> dict[str, Any]:
    kind = content["kind"]
    if kind not in API:
        raise BadObject(f"A {kind} has no replicas to set; there are {', '.join(API)}.")
    return {"apiVersion": API[kind], "kind": kind, "name": content["workload"]}


def _line(text: str) -> str:
    """A text from outside on one line of a comment."""
    return " ".join(text.split())


def _written(schema: str, notes: list[str], told: dict[str, Any]) -> str:
    """As YAML after its notes, when it is what its schema says."""
    wrong = sorted(_validator(schema).iter_errors(told), key=lambda error: error.json_path)
    if wrong:
        said = "; ".join(f"{error.json_path.removeprefix('$.')}: {error.message[:200]}" for error in wrong[:5])
        raise BadObject(f"The schedule cannot be exported: {said}.")
    return "".join(f"# {note}\n" for note in notes) + yaml.safe_dump(told, sort_keys=False, allow_unicode=True)


@lru_cache
def _validator(schema: str) -> Any:
    """The validator of a schema of our own folder; none of them refers to another."""
    return Draft202012Validator(json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8")))
