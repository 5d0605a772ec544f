"""The tags of what the simulated company pays for: whose it is, in which environment, for which project."""

import json

from apps.demo.organisation import TEAM_NAMES, TEAMS

PROJECTS = {
    "live": "classroom",
    "search": "homework",
    "ai": "speech",
    "data": "lakehouse",
    "hardware": "devices",
    "growth": "campaigns",
    "platform": "foundation",
    "corporate": "office",
}
"""Department → the project its resources are tagged with."""
CLUSTERS = {"online": "classroom", "gpu": "speech", "offline": "lakehouse"}
"""Cluster → the project its servers are tagged with."""
PRODUCTION = "prod"
OWNER_KEYS = ("team", "team", "team", "owner", "team", "Team", "项目组", "team", "team", "owner", "team")
UNTAGGED_EVERY = 12


def tags(**pairs: str) -> str:
    return json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))


def of_resource(team: int, serial: int, env: str) -> str:
    """What a resource of this team carries; "" when somebody forgot."""
    if serial % UNTAGGED_EVERY == UNTAGGED_EVERY - 1:
        return ""
    key = OWNER_KEYS[serial % len(OWNER_KEYS)]
    owner = TEAMS[team].title if key == "项目组" else TEAM_NAMES[team]
    return tags(**{key: owner}, env=env, project=PROJECTS[TEAMS[team].department])
