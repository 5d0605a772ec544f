"""Everything the simulated company pays for besides its clusters: storage, network, databases, logs, support."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from apps.demo.names import codes
from apps.demo.organisation import TEAM_INDEX, TEAMS
from apps.demo.tagging import PRODUCTION, of_resource
from apps.demo.timetable import Booleans, Ints

Rhythm = Literal["flat", "busy", "grows"]

NOBODY = len(TEAMS)
SPLITS: dict[str, dict[str, int]] = {
    "Log Service": {"platform-observe": 25, "data-tracking": 35, "live-core": 25, "search-engine": 15},
    "Support Plan": {"platform-container": 40, "platform-database": 35, "corp-it": 25},
}
"""Service → how a rule splits it between teams, in percent."""
DEVICE_ACCOUNT = ("lantern-devices", "device-cloud")
"""A sub-account that belongs to one team as a whole, tagged or not."""
OVERSEAS_REGION = ("ap-southeast-1", "growth-channel")


@dataclass(frozen=True)
class Product:
    """A service of the provider: how many resources at scale 1, a day's quantity of each, and the price in 10^-4 CNY.

    `quantity` is (least, most) thousandths of `unit` per resource and day.
    """

    service: str
    category: str
    subcategory: str
    resource_type: str
    prefix: str
    resources: int
    quantity: tuple[int, int]
    unit: str
    price: int
    rhythm: Rhythm = "flat"
    departments: tuple[str, ...] = ()


PRODUCTS = (
    Product(
        "Object Storage Service",
        "Storage",
        "Object Storage",
        "Bucket",
        "oss-",
        60,
        (2_000_000, 40_000_000),
        "GB-Days",
        40,
        "grows",
    ),
    Product(
        "Content Delivery Network",
        "Networking",
        "Content Delivery",
        "Domain",
        "cdn-",
        30,
        (100_000, 1_100_000),
        "GB",
        2000,
        "busy",
    ),
    Product(
        "Elastic IP Address",
        "Networking",
        "Network Connectivity",
        "EIP",
        "eip-2ze",
        120,
        (24_000, 24_000),
        "Hours",
        200,
    ),
    Product(
        "Internet Data Transfer",
        "Networking",
        "Network Connectivity",
        "Bandwidth",
        "cbwp-2ze",
        12,
        (30_000, 200_000),
        "GB",
        8000,
        "busy",
    ),
    Product(
        "Server Load Balancer",
        "Networking",
        "Application Networking",
        "LoadBalancer",
        "lb-2ze",
        70,
        (24_000, 24_000),
        "Hours",
        8000,
    ),
    Product(
        "NAT Gateway", "Networking", "Network Connectivity", "NatGateway", "ngw-2ze", 6, (24_000, 24_000), "Hours", 3000
    ),
    Product(
        "ApsaraDB RDS", "Databases", "Relational Databases", "Instance", "rm-2ze", 60, (24_000, 96_000), "Hours", 13611
    ),
    Product("ApsaraDB for Redis", "Databases", "Caching", "Instance", "r-2ze", 45, (24_000, 48_000), "Hours", 19444),
    Product(
        "Message Queue for Apache Kafka",
        "Integration",
        "Messaging",
        "Instance",
        "alikafka-",
        4,
        (24_000, 24_000),
        "Hours",
        136111,
    ),
    Product("Elasticsearch", "Analytics", "Search", "Instance", "es-cn-", 5, (24_000, 24_000), "Hours", 187500),
    Product(
        "Log Service",
        "Management and Governance",
        "Observability",
        "Project",
        "sls-",
        12,
        (80_000, 350_000),
        "GB",
        3500,
        "busy",
    ),
    Product(
        "Elastic Compute Service",
        "Compute",
        "Virtual Machines",
        "Instance",
        "i-2ze",
        26,
        (24_000, 24_000),
        "Hours",
        37333,
    ),
    Product(
        "Snapshot Service", "Storage", "Backup Storage", "Snapshot", "s-2ze", 40, (800_000, 12_000_000), "GB-Days", 4
    ),
)


@dataclass(frozen=True)
class Traffic:
    """What is billed beside a resource when it is used: (least, most) thousandths of a GB a day, the price of a GB in
    10^-4 CNY."""

    quantity: tuple[int, int]
    price: int


TRAFFIC = {"eip-2ze": Traffic((1_000, 30_000), 8000), "lb-2ze": Traffic((5_000, 120_000), 500)}
UNUSED_EVERY = {"eip-2ze": 6, "lb-2ze": 6, "i-2ze": 3}
"""Of these products every so many-th resource is used by nobody: no traffic, or a stopped server that still costs."""


@dataclass(frozen=True)
class Resources:
    """A table of billed resources, one row each. `tags` is "" for an untagged one; by the rules, `owner` pays."""

    product: Ints
    ids: list[str]
    quantity: Ints
    tags: list[str]
    sub_account: list[str]
    region: list[str]
    owner: Ints  # a team, NOBODY, or SPLIT
    is_unused: Booleans
    traffic: Ints  # thousandths of a GB on an ordinary day


SPLIT = -1
SUB_ACCOUNTS = ("lantern-prod", "lantern-data", "lantern-rd", DEVICE_ACCOUNT[0])
ENVIRONMENTS = {"lantern-rd": "test"}
"""Sub-account → the environment of its resources; that of all others is production."""
HOME_REGION = "cn-beijing"


def list_resources(*, seed: int, scale: float) -> Resources:
    """All resources of all products, for the whole window."""
    rng = np.random.default_rng([seed, 5])
    rows: list[tuple[int, int, str, str, str, int]] = []
    for index, product in enumerate(PRODUCTS):
        low, high = product.quantity
        for _ in range(max(1, round(product.resources * scale))):
            serial = len(rows)
            team = int(rng.integers(len(TEAMS)))
            account = SUB_ACCOUNTS[int(rng.choice(4, p=[0.6, 0.2, 0.15, 0.05]))]
            region = OVERSEAS_REGION[0] if product.prefix == "cdn-" and serial % 9 == 0 else HOME_REGION
            tags = of_resource(team, serial, ENVIRONMENTS.get(account, PRODUCTION))
            owner = _owner(product, team, account, region, is_tagged=bool(tags))
            rows.append((index, int(rng.integers(low // 10, high // 10 + 1)) * 10, tags, account, region, owner))
    product_column = np.array([row[0] for row in rows], dtype=np.int64)
    suffix = codes(15, np.arange(len(rows), dtype=np.int64), seed, 11)
    is_unused = _unused(product_column)
    return Resources(
        product=product_column,
        ids=[PRODUCTS[row[0]].prefix + code for row, code in zip(rows, suffix, strict=True)],
        quantity=np.array([row[1] for row in rows], dtype=np.int64),
        tags=[row[2] for row in rows],
        sub_account=[row[3] for row in rows],
        region=[row[4] for row in rows],
        owner=np.array([row[5] for row in rows], dtype=np.int64),
        is_unused=is_unused,
        traffic=_traffic(product_column, is_unused, seed),
    )


def _unused(product: Ints) -> Booleans:
    """Every so many-th resource of a product, but never its first."""
    number = np.arange(len(product)) - np.searchsorted(product, product)
    every = np.array([UNUSED_EVERY.get(one.prefix, 0) for one in PRODUCTS])[product]
    unused: Booleans = (every > 0) & (number % np.maximum(every, 1) == every - 1)
    return unused


def _traffic(product: Ints, is_unused: Booleans, seed: int) -> Ints:
    rng = np.random.default_rng([seed, 16])
    none = Traffic((0, 0), 0)
    bounds = np.array([TRAFFIC.get(one.prefix, none).quantity for one in PRODUCTS])[product]
    return np.where(is_unused, 0, rng.integers(bounds[:, 0] // 10, bounds[:, 1] // 10 + 1) * 10)


def _owner(product: Product, team: int, account: str, region: str, *, is_tagged: bool) -> int:
    """Who pays, in the order of the rules: the account, the tag, the service, the region."""
    if account == DEVICE_ACCOUNT[0]:
        return TEAM_INDEX[DEVICE_ACCOUNT[1]]
    if is_tagged:
        return team
    if product.service in SPLITS:
        return SPLIT
    return TEAM_INDEX[OVERSEAS_REGION[1]] if region == OVERSEAS_REGION[0] else NOBODY


def day_quantities(resources: Resources, day: date, *, seed: int, end: date, busy: float) -> Ints:
    """What each resource consumed on a day, in thousandths of its unit; `busy` is the day's traffic, 1.0 = ordinary."""
    rng = np.random.default_rng([seed, 6, day.toordinal()])
    noise = rng.lognormal(0.0, 0.05, len(resources.quantity))
    age = (end - day).days
    factors = {"flat": 1.0, "busy": busy, "grows": 0.9997**age}
    factor = np.array([factors[p.rhythm] for p in PRODUCTS])[resources.product]
    steady = np.array([p.rhythm == "flat" for p in PRODUCTS])[resources.product]
    varied = np.rint(resources.quantity * factor * noise / 10).astype(np.int64) * 10
    return np.where(steady, resources.quantity, varied)
