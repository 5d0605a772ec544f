"""Hours of the week, in local time."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.learning.idle.activity import Hours

WEEK = 168


def hours_of_week(hours: Hours, timezone: str) -> NDArray[np.int64]:
    """0 is Monday's first hour in local time, 167 Sunday's last."""
    local = pd.DatetimeIndex(hours.astype("datetime64[ns]"), tz="UTC").tz_convert(timezone)
    return np.asarray(24 * local.day_of_week + local.hour, dtype=np.int64)
