"""The simulated company: everything it leaves behind, written to a folder, day by day."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from apps.demo import classes, incidents, initiatives, openmetrics, papers, peaks, plans, truth, usage
from apps.demo import fleet as fleets
from apps.demo.account import keep_account
from apps.demo.bill_files import BillFiles
from apps.demo.compute_bill import server_rows, serverless_rows
from apps.demo.event_bill import correction, event_rows, is_corrected
from apps.demo.focus_rows import Period, period_of
from apps.demo.identity import name_pods, name_servers
from apps.demo.organisation import found
from apps.demo.service_bill import Owed, commitment_rows, disk_rows, service_rows, traffic_rows
from apps.demo.services import day_quantities, list_resources
from apps.demo.simulation import Simulator
from apps.demo.teams_file import write_teams
from apps.demo.timetable import PROFILE_NAMES, BusinessDay, business_day, load_by_hour, next_month
from apps.demo.volumes import make_volumes
from apps.demo.waste import Waste

LARGE_SCALE = 2
ORDINARY_BUSY = 0.35
PARTS = ("billing", "billing-late", "usage", "openmetrics")


@dataclass(frozen=True)
class Plan:
    """What to simulate: `days` business days before `end`, the last `late_days` of them billed late, and where to
    write."""

    folder: Path
    zone: ZoneInfo
    end: date
    days: int
    seed: int
    scale: float
    metrics_days: int
    scrape_seconds: int = 300
    compress: bool = False
    late_days: int = 0

    @property
    def start(self) -> date:
        return self.end - timedelta(days=self.days)


class Company:
    """The company of a plan: its organisation, its servers, its bill."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.days = tuple(business_day(plan.start + timedelta(days=i), plan.zone) for i in range(plan.days))
        self.organisation = found(seed=plan.seed, scale=plan.scale, start=plan.start, end=plan.end)
        self.fleet = fleets.build(self.organisation, seed=plan.seed, scale=plan.scale)
        self.simulator = Simulator(self.organisation, self.fleet, seed=plan.seed, days=self.days)
        self.volumes = make_volumes(
            self.organisation, self.fleet, seed=plan.seed, scale=plan.scale, start=plan.start, end=plan.end
        )
        self.resources = list_resources(seed=plan.seed, scale=plan.scale)

    def write(self, progress: Callable[[str], None]) -> None:
        """Write all files, reporting each finished part; whatever an earlier run left in the folder is replaced."""
        for part in PARTS:
            shutil.rmtree(self.plan.folder / part, ignore_errors=True)
        self.plan.folder.mkdir(parents=True, exist_ok=True)
        write_teams(self.organisation, self.plan.folder / "teams.yaml")
        collected, waste = truth.Truth(), Waste(self.organisation, self.fleet)
        metrics: list[openmetrics.MetricsDay] = []
        with BillFiles(
            self.plan.folder / "billing",
            compress=self.plan.compress or self.plan.scale > LARGE_SCALE,
            late_folder=self.plan.folder / "billing-late",
            late_from=self.plan.end - timedelta(days=self.plan.late_days),
        ) as bill:
            for number, day in enumerate(self.days):
                wanted = number >= len(self.days) - self.plan.metrics_days
                seen = self._write_day(day, bill, collected, waste, keep=wanted)
                if seen:
                    metrics.append(seen)
                progress(str(day.day))
        collected.write(self.plan.folder / "truth.parquet")
        waste.write(self.plan.folder / "waste.csv", self.volumes, self.resources, self.plan.start)
        bill.invoices.write(self.plan.folder / "invoices.csv")
        incidents.write(self.plan.folder / "incidents.csv", self.resources, end=self.plan.end, days=self.plan.days)
        initiatives.write(
            self.plan.folder / "initiatives.csv", self.organisation, end=self.plan.end, days=self.plan.days
        )
        papers.write_drivers(self.plan.folder / "drivers.csv", self.days, seed=self.plan.seed, scale=self.plan.scale)
        plans.write_budgets(
            self.plan.folder / "budgets.csv", collected.daily(), start=self.plan.start, end=self.plan.end
        )
        plans.write_calendar(self.plan.folder / "calendar.csv", start=self.plan.start, end=self.plan.end)
        classes.write(self.plan.folder / "timetable.csv", self.organisation, start=self.plan.start, end=self.plan.end)
        if metrics:
            openmetrics.write(
                self.plan.folder / "openmetrics",
                metrics,
                self.organisation,
                self.volumes,
                step=self.plan.scrape_seconds,
            )
        progress("openmetrics")

    def _write_day(
        self, day: BusinessDay, bill: BillFiles, collected: truth.Truth, waste: Waste, *, keep: bool
    ) -> openmetrics.MetricsDay | None:
        plan, organisation, fleet = self.plan, self.organisation, self.fleet
        account = keep_account(self.simulator.run(day), organisation, fleet, seed=plan.seed)
        pods = name_pods(account.run, organisation, fleet, seed=plan.seed)
        servers = name_servers(account.run.servers, seed=plan.seed)
        highest = peaks.peaks_of(account, organisation, seed=plan.seed)
        waste.see(day.day, account.run.servers, servers)
        period = period_of(day.day, plan.zone)
        bill.begin(day.day)
        bill.add(period, *server_rows(account, servers, fleet, period), serverless_rows(account, pods, period))
        bill.add(period, disk_rows(self.volumes, day, period))
        owed = self._owed(day, period)
        bill.add(period, *(part.table for part in owed))
        late = self._correction(day, bill)
        collected.add(
            day.day,
            truth.merged(
                truth.cluster_costs(account, organisation),
                truth.volume_costs(self.volumes, organisation, day),
                truth.charge_costs([*owed, *late]),
            ),
        )
        tables = {
            "workload_hours": usage.workload_hours(account, organisation, pods, servers),
            "node_hours": usage.node_hours(account, fleet, servers),
            "volume_hours": usage.volume_hours(self.volumes, organisation, day),
            "coverage_hours": usage.coverage_hours(day),
            "label_hours": usage.label_hours(organisation, day),
            "workload_peaks": peaks.workload_peaks(account, organisation, pods, servers, highest),
            "autoscaler_hours": peaks.autoscaler_hours(organisation, day),
        }
        usage.write_day(plan.folder / "usage", day, tables)
        return openmetrics.MetricsDay(account, pods, servers, fleet, highest) if keep else None

    def _owed(self, day: BusinessDay, period: Period) -> list[Owed]:
        plan = self.plan
        rng = np.random.default_rng([plan.seed, 8, day.day.toordinal()])
        live = load_by_hour(day.hour_list(), plan.end, seed=plan.seed)[PROFILE_NAMES.index("live")]
        busy = float(live.mean()) / ORDINARY_BUSY
        quantity = day_quantities(self.resources, day.day, seed=plan.seed, end=plan.end, busy=busy)
        if plan.days >= incidents.FEWEST_DAYS:
            quantity = incidents.disturbed(quantity, self.resources, day.day, end=plan.end)
        return [
            service_rows(self.resources, quantity, day, period),
            traffic_rows(self.resources, day, period, busy=busy),
            *commitment_rows(self.fleet, day, period, purchase_hours=self._purchase_hours(day)),
            *event_rows(self.resources, day, period, scale=plan.scale, rng=rng),
        ]

    def _purchase_hours(self, day: BusinessDay) -> int:
        """On a month's first day here: the hours of the month that lie in the window; otherwise 0."""
        month = [other for other in self.days if other.day.replace(day=1) == day.day.replace(day=1)]
        return sum(other.hours for other in month) if month[0] == day else 0

    def _correction(self, day: BusinessDay, bill: BillFiles) -> list[Owed]:
        """The correction of a day, booked in the next month's bill, when that month is in the window too."""
        later = next_month(day.day)
        if not is_corrected(day.day) or later >= self.plan.end:
            return []
        booked = period_of(later, self.plan.zone)
        part = correction(self.resources, day, booked, scale=self.plan.scale)
        bill.add(booked, part.table)
        return [part]
