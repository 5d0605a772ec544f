"""From the API's answers to Arrow tables, without a loop over samples."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from apps.ingest.prometheus.client import Series
from apps.ingest.prometheus.errors import PrometheusGarbled
from apps.ingest.prometheus.question import Question

HOUR = pa.timestamp("us", tz="UTC")
_LATEST = 253_402_300_800
"""The year 10000, in seconds."""


def to_table(series: Sequence[Series], question: Question) -> pa.Table:
    """One row per sample: the question's labels, `at` (the moment of evaluation) and `value`.

    Labels that a series does not have are empty text. NaN and infinity mean "missing" and are left out.
    """
    counts = np.fromiter((len(one["values"]) for one in series), dtype=np.int64, count=len(series))
    try:
        samples = list(chain.from_iterable(one["values"] for one in series))
        moments = np.array([sample[0] for sample in samples], dtype=np.float64)
        told = pa.array([sample[1] for sample in samples], pa.string())
        values = told.cast(pa.float64()).to_numpy(zero_copy_only=False)  # Python would take `1_0` and `٣`
        if told.null_count:
            raise ValueError("null")
        if not (np.abs(moments) < _LATEST).all():  # nor where it is no number
            raise ValueError("of a moment there is not")
    except (ValueError, TypeError, LookupError) as error:
        raise PrometheusGarbled(
            f"The answer holds something that is not a number ({error}): {question.fact}"
        ) from error
    is_known = np.isfinite(values)
    rows = pa.array(np.repeat(np.arange(len(series)), counts)[is_known])
    columns: dict[str, Any] = {
        column: pa.array([str(one["metric"].get(label, "")) for one in series], pa.string()).take(rows)
        for label, column in question.columns.items()
    }
    if question.labels_prefix:
        bags = [_bag(one["metric"], question) for one in series]
        columns["labels"] = pa.array(bags, pa.string()).take(rows)
    moments_us = np.rint(moments[is_known] * 1e6).astype(np.int64)
    columns["at"] = pa.array(moments_us).cast(HOUR)
    columns["value"] = pa.array(values[is_known])
    return pa.table(columns)


def _bag(metric: dict[str, str], question: Question) -> str:
    """The object's own labels or annotations as JSON, without the prefix that kube-state-metrics puts before them."""
    prefix, named = question.labels_prefix, question.labels_named
    own = {
        f"{named}{name.removeprefix(prefix)}": str(value) for name, value in metric.items() if name.startswith(prefix)
    }
    return orjson.dumps(own, option=orjson.OPT_SORT_KEYS).decode()
