"""The parameters of OpenCost's API, read as strictly as our own: what would change a number is never ignored."""

from apps.api.parameters import AS_OF, Parameter, each_of, one_of, text
from apps.marts.query import METRICS

_TRUE, _FALSE = ("true", "True", "TRUE", "t", "T", "1"), ("false", "False", "FALSE", "f", "F", "0", "")


def flag(value: str) -> bool:
    """A yes or no as OpenCost reads it."""
    if value not in (*_TRUE, *_FALSE):
        raise ValueError("is not one of true, false")
    return value in _TRUE


def only_false(value: str) -> bool:
    """A yes or no of which only no can be answered."""
    if flag(value):
        raise ValueError("can only be false: our books do not hold what it asks for")
    return False


def length(value: str) -> str:
    """A resolution: accepted and of no effect, for nothing here is sampled."""
    if len(value) > 10 or not value.isalnum():
        raise ValueError("is not a length of time such as 1m")
    return value


WINDOW = Parameter(
    "window",
    text,
    "Required. `today`, `yesterday`, `week`, `month`, `lastweek`, `lastmonth`, a length of whole days until today "
    "(`7d`, `24h`, `1w`, `7d offset 1d`), or two of a date, an RFC 3339 moment or Unix seconds with a comma between.",
)
WHOLE_DAYS = Parameter(
    "wholeDays", flag, "Widen a window that begins or ends within a day to whole days; the answer tells its window."
)
_SETS = (
    Parameter(
        "step", text, "The length of a set, in whole days: `1d`, `24h`, `7d`, `week`, `month`. The window if absent."
    ),
    Parameter(
        "accumulate", text, "`true`: one set. `day`, `week`, `month`, `quarter`: one set each. `false`: one per step."
    ),
    Parameter("accumulateBy", text, "The same as `accumulate`."),
)
_BOOKS = (
    Parameter("currency", text, "The currency of the costs. May be left out while the window holds only one."),
    Parameter("metric", one_of(*METRICS), "The cost basis; `effective_cost` by default.", choices=METRICS),
    AS_OF,
)
_FILTER = Parameter(
    "filter", text, 'OpenCost\'s filter language: `namespace:"a","b"+cluster!:"c"`; `+` is and, `|` is or.'
)

LEGACY = {
    "filterClusters": "cluster",
    "filterNodes": "node",
    "filterNamespaces": "namespace",
    "filterControllerKinds": "controllerKind",
    "filterControllers": "controller",
    "filterLabels": "label",
    "filterNamespaceLabels": "namespaceLabel",
    "filterTeams": "team",
    "filterDepartments": "department",
    "filterEnvironments": "environment",
    "filterOwners": "owner",
    "filterProducts": "product",
    "filterPods": "pod",
    "filterContainers": "container",
    "filterServices": "service",
    "filterAnnotations": "annotation",
}
"""Older filter parameter → field."""

ASSET_LEGACY = {
    "filterClusters": "cluster",
    "filterTypes": "assetType",
    "filterNames": "name",
    "filterCategories": "category",
    "filterAccounts": "account",
    "filterProjects": "project",
    "filterProviders": "provider",
    "filterProviderIDs": "providerID",
    "filterServices": "service",
}


def _older(table: dict[str, str]) -> tuple[Parameter, ...]:
    about = "Only these values of {}, comma-separated; a star at the end stands for anything."
    return tuple(Parameter(name, text, about.format(field), is_list=True) for name, field in table.items())


ALLOCATION = (
    WINDOW,
    WHOLE_DAYS,
    Parameter(
        "aggregate",
        text,
        "What to group by, comma-separated, or `all`; `cluster,namespace,controller` by default.",
        is_list=True,
    ),
    *_SETS,
    Parameter("resolution", length, "Accepted; without effect, for nothing here is sampled."),
    Parameter("includeIdle", flag, "Tell idle cost as `__idle__`; false by default."),
    Parameter("idle", flag, "The same as `includeIdle`."),
    Parameter("shareIdle", flag, "Give idle cost to what ran on the same cluster that day, by its cost."),
    Parameter("idleByNode", flag, "Idle cost by node instead of by cluster, for `shareIdle` and `splitIdle`."),
    Parameter("splitIdle", flag, "One idle allocation per cluster (per node with `idleByNode`)."),
    Parameter("external", flag, "Tell cost outside clusters as `externalCost`; true by default."),
    Parameter("shareNamespaces", text, "Namespaces whose cost all other allocations share.", is_list=True),
    Parameter("shareLabels", text, "Labels (`name:value`) whose cost all other allocations share.", is_list=True),
    Parameter(
        "shareSplit", one_of("weighted", "even"), "How it is shared: `weighted` by cost (the default), or `even`.",
        choices=("weighted", "even"),
    ),
    _FILTER,
    *_older(LEGACY),
    *_BOOKS,
    Parameter("includeAggregatedMetadata", flag, "Accepted; properties on which all agree are always told."),
    Parameter("includeProportionalAssetResourceCosts", only_false, "Only `false`."),
    Parameter("includeSharedCostBreakdown", only_false, "Only `false`."),
    Parameter("sharelb", only_false, "Only `false`: load balancers are external cost of their own."),
)  # fmt: skip

ASSET_KEYS = ("type", "cluster", "name", "category", "account", "project", "provider", "providerID", "service")
ASSETS = (
    WINDOW,
    WHOLE_DAYS,
    Parameter("aggregate", each_of(*ASSET_KEYS), f"Group by some of {', '.join(ASSET_KEYS)}.", is_list=True),
    *_SETS,
    _FILTER,
    *_older(ASSET_LEGACY),
    *_BOOKS,
    Parameter("disableAdjustments", flag, "Accepted; without effect, for a bill is adjusted when it is restated."),
)

CLOUD_KEYS = ("invoiceEntityID", "accountID", "provider", "providerID", "category", "service", "regionID")
CLOUD_COSTS = (
    WINDOW,
    WHOLE_DAYS,
    Parameter(
        "aggregate", each_of(*CLOUD_KEYS), f"Group by some of {', '.join(CLOUD_KEYS)}; all by default.", is_list=True
    ),
    *_SETS,
    _FILTER,
    *(each for each in _BOOKS if each.name != "metric"),
)

CONFIGS = (_BOOKS[0],)
