"""Which of the two databases is asked what: everything once, and twice what a database may answer in a way of its own.

Without `COSTOPS_TEST_DATABASE` pytest asks SQLite everything it is told to; `scripts/test.sh` asks both.
"""

from collections.abc import Iterable

FIXTURES = {
    "db", "transactional_db", "django_db_setup", "live_server", "installation", "school", "small_backup",
    "database_url",
}  # fmt: skip
"""Whoever takes one of them asks the database, of the test or of an installation of its own."""

ON_SQLITE = (
    "access/test_inference.py", "access/test_matrix.py", "access/test_writes.py::test_whoever_only_looks",
    "allocation/test_cluster_rules.py", "allocation/test_invariants.py", "allocation/test_kubernetes.py",
    "allocation/test_nodes.py", "allocation/test_policies_worlds.py", "allocation/test_providers.py",
    "allocation/test_tags.py",
    "api/test_exports.py", "api/test_grammar.py", "api/test_kubectl_cost.py", "api/test_opencost", "api/test_schema.py",
    "assistants/",
    "backups/test_backups.py::test_a_backup_goes_into_a_bucket", "backups/test_backups.py::test_a_backup_that_is_not",
    "backups/test_backups.py::test_a_damaged_backup", "backups/test_backups.py::test_files_lie_there_once",
    "backups/test_backups.py::test_a_backup_of_an_earlier_version", "backups/test_zones.py",
    "books/test_bases.py", "books/test_changes", "books/test_statuses.py",
    "dashboards/test_accessible.py", "dashboards/test_browser.py", "dashboards/test_canaries.py",
    "dashboards/test_days_that_came.py", "dashboards/test_estimates.py", "dashboards/test_explorer",
    "dashboards/test_first_steps.py", "dashboards/test_forecasts.py", "dashboards/test_heads.py",
    "dashboards/test_narrow_figures.py", "dashboards/test_nothing_charged.py", "dashboards/test_permissions.py",
    "dashboards/test_phone.py", "dashboards/test_printed.py", "dashboards/test_search.py",
    "dashboards/test_setting.py", "dashboards/test_two_currencies.py", "dashboards/test_why.py",
    "estimates/",
    "faults/test_failpoints.py", "faults/test_restarts.py",
    "ingest/providers/", "ingest/test_apart.py", "ingest/test_bills.py", "ingest/test_commitments.py",
    "ingest/test_counted.py", "ingest/test_hostile_files.py", "ingest/test_hostile_providers.py",
    "ingest/test_in_bucket.py", "ingest/test_lateness.py", "ingest/test_places", "ingest/test_quality.py",
    "ingest/test_usage_files.py", "ingest/test_usage_formats.py",
    "insights/test_anomalies.py", "insights/test_efficiency.py", "insights/test_explain", "insights/test_forecast",
    "insights/test_hours.py", "insights/test_idle.py", "insights/test_planned.py", "insights/test_policies_told.py",
    "insights/test_weights.py", "insights/test_why.py",
    "marts/test_ahead.py", "marts/test_answer.py", "marts/test_conversion.py", "marts/test_coverage.py",
    "marts/test_placing.py", "marts/test_shape", "marts/test_tags.py", "marts/test_usage_days.py",
    "monitoring/test_processes.py",
    "pipeline/test_processes.py::test_a_worker_killed_at_work_is_replaced_and_the_fill_completed[embedded]",
    "planning/test_cluster_planners.py", "planning/test_gpu_planner.py", "planning/test_purchase_planner.py",
    "planning/test_timetable.py", "planning/test_timetable_files.py",
    "reports/test_archive.py",
    "test_main_job.py::test_bill_and_prometheus_come_within_half_a_percent",
    "warehouse/test_spark.py",
)  # fmt: skip
"""About files, amounts the engine computes, who may see what, or what a browser, a broker and other programs make of
the same answers. What of it the database remembers is asked of PostgreSQL elsewhere: bills and their quality by
`ingest/test_deliveries.py` and the main job, rules, drafts and whole fills by `allocation/test_trial.py`,
`test_rehearsal.py`, `test_policies.py` and `pipeline`, publications by `marts/test_publish.py`, every page by
`dashboards/test_pages.py`, every address by `api/test_permissions.py` and `access/test_writes.py`. Servers that die
are PostgreSQL always."""

ON_POSTGRES = (
    "pipeline/test_processes.py::test_a_fill_killed_again_and_again",
    "pipeline/test_processes.py::test_a_worker_killed_at_work_is_replaced_and_the_fill_completed[redis]",
    "pipeline/test_processes.py::test_two_beats",
    "test_main_job.py::test_bill_and_usage_files",
)
"""Whole installations of several processes, which have a database server; on SQLite `faults/test_kills.py` kills them,
and the main job's other half goes all the way."""


def is_asked(database: str, place: str, fixtures: Iterable[str]) -> bool:
    """Whether the test at a place (`FOLDER/FILE::NAME`) is one for this database: "sqlite", "postgres"; "" is asked all
    there is."""
    match database:
        case "postgres":
            return not place.startswith(ON_SQLITE) and not FIXTURES.isdisjoint(fixtures)
        case "sqlite":
            return not place.startswith(ON_POSTGRES)
        case _:
            return True
