"""Metrics of the simulated company."""

from dataclasses import dataclass
from pathlib import Path

from apps.demo.account import DayAccount
from apps.demo.fleet import Fleet
from apps.demo.identity import PodNames, ServerNames
from apps.demo.organisation import Organisation
from apps.demo.volumes import Volumes


@dataclass(frozen=True)
class MetricsDay:
    account: DayAccount
    pods: PodNames
    servers: ServerNames
    fleet: Fleet


def write(folder: Path, days: list[MetricsDay], organisation: Organisation, volumes: Volumes, *, step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
