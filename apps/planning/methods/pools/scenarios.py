"""Weeks that may come: those that passed, and others put together of their days."""

import numpy as np

from apps.planning.methods.pools.problem import WEEK, Floats

DAY = 24


def scenarios(demand: Floats, spare: Floats, *, count: int, seed: int) -> tuple[Floats, Floats]:
    """`count` weeks of demand and of spare cores: the last ones as they were, then bootstrapped ones.

    A bootstrapped week is the usual week times the deviations of days drawn from any week (blocks of 24 hours, each
    of its own weekday), at the level of one drawn among the last two. A block brings its own spare cores along, so
    that busy hours stay together. The spare cores of a scenario are of weeks that happened: none are made up.
    """
    weeks = len(demand)
    first = max(0, weeks - count)
    told, beside = [demand[first:]], [spare[first:]]
    missing = count - (weeks - first)
    if missing > 0:
        drawn = np.random.default_rng(seed)
        days, spares = (part.reshape(weeks, WEEK // DAY, DAY) for part in (demand, spare))
        means = demand.mean(axis=1)
        level = np.divide(means, means[-1], out=np.ones(weeks), where=means[-1] > 0)
        of = drawn.integers(0, weeks, size=(missing, WEEK // DAY))
        target = drawn.integers(max(0, weeks - 2), weeks, size=missing)
        number = np.arange(WEEK // DAY)
        scale = np.divide(level[target][:, None], level[of], out=np.ones(of.shape), where=level[of] > 0)
        told.append((days[of, number] * scale[:, :, None]).reshape(missing, WEEK))
        beside.append(spares[of, number].reshape(missing, WEEK))
    return np.concatenate(told), np.concatenate(beside)
