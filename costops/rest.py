"""How the REST API and its description are set, the same in every installation."""

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "apps.api.openapi.ApiSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "apps.api.scopes.InScope"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.api.throttling.UserThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["apps.api.renderers.JsonRenderer", "apps.api.renderers.CsvRenderer"],
    "DEFAULT_PARSER_CLASSES": [],  # nothing here reads a body
    "EXCEPTION_HANDLER": "apps.api.errors.shape_error",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "ENUM_NAME_OVERRIDES": {
        "AlertState": "apps.api.alerts.ALERT_STATES",
        "DeliveryState": "apps.channels.selectors.STATES",
        "Severity": "apps.finops.notices.SEVERITIES",
        "ProblemSeverity": "apps.api.source_schema.PROBLEM_SEVERITIES",
        "ChannelKind": "apps.channels.kinds.NAMES",
        "AnomalyKind": "apps.api.anomaly_schema.KINDS",
        "AnomalyLevel": "apps.insights.anomalies.selectors.LEVEL_NAMES",
        "AnomalyState": "apps.insights.anomalies.selectors.STATES",
        "RecommendationState": "apps.api.recommendations.RECOMMENDATION_STATES",
        "InitiativeState": "apps.api.savings.STATES",
        "BudgetState": "apps.budgets.standing.STATES",
        "DisputeState": "apps.api.disputes.STATES",
        "ReportDeliveryState": "apps.api.letters.STATES",
        "ReportRole": "apps.api.letters.ROLES",
        "RuleDraftState": "apps.api.rules.STATES",
    },
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "apps.api.openapi.say_once"],
    "TITLE": "CostOps",
    "VERSION": "1",
    "DESCRIPTION": "Cost per team, exact to the last decimal of the bill. Every answer names its publication.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    # Without its list of shapes, which stand with the operations: drawing two hundred of them takes a minute.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "defaultModelsExpandDepth": -1},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
