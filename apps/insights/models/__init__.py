"""What was found in the published cost, and what people decided about it."""

from apps.insights.models.anomalies import Anomaly, AnomalyFeedback, AnomalyRun
from apps.insights.models.forecasts import Forecast, ForecastRun
from apps.insights.models.idle import IdleExclusion, IdleFinding, IdleRun
from apps.insights.models.planned import PlannedChange
from apps.insights.models.worklist import WorklistDecision

__all__ = [
    "Anomaly",
    "AnomalyFeedback",
    "AnomalyRun",
    "Forecast",
    "ForecastRun",
    "IdleExclusion",
    "IdleFinding",
    "IdleRun",
    "PlannedChange",
    "WorklistDecision",
]
