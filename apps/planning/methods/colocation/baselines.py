"""Named rules that bound online use a day ahead, and the oracle who knows the day: what ours is measured against."""

from collections.abc import Callable

import numpy as np

from apps.planning.methods.colocation.history import HOURS, History, Matrix

DSP_ITEMS, DSP_LOW, DSP_MARGIN = 3, 1.0, 0.10
"""Crane's defaults: so many frequencies are kept at least, lower amplitudes are noise, a margin is added."""
DSP_DAYS, DSP_MOST = 7, 100


def dsp(history: History, day: int) -> Matrix:
    """Crane's DSP +10 %: the last day of the past week without its noise, and a tenth; each hour's highest."""
    past = history.use[max(0, day - DSP_DAYS) : day]
    samples = past.shape[2]
    line = _filled(past.reshape(-1))
    spectrum = np.fft.fft(line)
    amplitude = np.abs(spectrum) / len(line)
    per_hour = np.arange(len(line)) * samples / len(line)
    ranked = np.sort(amplitude[1 : len(line) // 2])[::-1]
    least = max(ranked[min(DSP_MOST, len(ranked)) - 1], DSP_LOW)
    if len(ranked) >= DSP_ITEMS:
        least = min(least, ranked[DSP_ITEMS - 1])
    spectrum[(amplitude < least) & (per_hour > 1)] = 0
    said = np.maximum(np.fft.ifft(spectrum).real[-HOURS * samples :], 0.01) * (1 + DSP_MARGIN)
    return np.asarray(said.reshape(HOURS, samples).max(axis=1))


def yesterday(history: History, day: int, margin: float = 0.10) -> Matrix:
    """Yesterday's hourly peaks and a tenth."""
    return np.asarray(_known(history.peaks()[:day])[-1] * (1 + margin))


def last_week(history: History, day: int, margin: float = 0.10) -> Matrix:
    """The hourly peaks of the same weekday a week ago (yesterday's before there is one) and a tenth."""
    return np.asarray(_known(history.peaks()[:day])[-7 if day >= 7 else -1] * (1 + margin))


def highest(history: History, day: int) -> Matrix:
    """The highest of the hour on any of the last seven days."""
    return np.asarray(_known(history.peaks()[:day])[-7:].max(axis=0))


def static(history: History, day: int) -> Matrix:
    """One bound for all hours: the highest of the last seven days."""
    return np.full(HOURS, np.nanmax(history.peaks()[max(0, day - 7) : day]))


def oracle(history: History, day: int) -> Matrix:
    """The hour's true peak."""
    return np.asarray(history.peaks()[day])


RULES: dict[str, Callable[[History, int], Matrix]] = {
    "Crane DSP +10 %": dsp,
    "yesterday +10 %": yesterday,
    "last week +10 %": last_week,
    "highest of 7 days": highest,
    "one static bound": static,
}


def _filled(line: Matrix) -> Matrix:
    """Gaps drawn through, as Crane does."""
    seen = np.flatnonzero(~np.isnan(line))
    return np.asarray(np.interp(np.arange(len(line)), seen, line[seen]))


def _known(peaks: Matrix) -> Matrix:
    """An hour nobody saw is taken to have been as high as the highest hour of all."""
    return np.where(np.isnan(peaks), np.nanmax(peaks), peaks)
