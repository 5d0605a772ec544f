"""Grades of a measurement: A can be shown to finance, B to engineers, C asks for more days or better controls."""

from apps.learning.effects.panel import Panel, Split
from apps.learning.effects.study import Grade, MethodResult, Placebos

POOR, BAD = 10.0, 25.0
"""Half the interval, in percent of what was expected: beyond it a B, a C."""
ENOUGH, FEW = 20, 6
SHORT_DAYS, SHORT_WINDOWS = 56, 2
DISAGREE = 2.0
MISSING = 0.05

B_REASONS = {
    "wide_interval": "the interval reaches further than 10 % of the expected cost to either side",
    "some_placebos": "fewer than 20 placebos",
    "short_history": "fewer than 56 days, or than two windows, before the start",
    "short_placebos": "placebos in time are shorter, or end sooner after their start, than what is measured",
    "methods_disagree": "the methods differ by more than the interval",
    "missing_days": "the cost of more than 5 % of the days is not known",
    "no_controls": "nothing untouched to compare with",
}
C_REASONS = {
    "very_wide_interval": "the interval reaches further than 25 % of the expected cost to either side",
    "few_placebos": "fewer than six placebos",
}


def grade(reasons: tuple[str, ...]) -> Grade:
    """C for one reason of C or three of B; B for any other; A for none."""
    if any(reason in C_REASONS for reason in reasons) or len(reasons) > 2:
        return "C"
    return "B" if reasons else "A"


def reasons(
    *, panel: Panel, split: Split, methods: tuple[MethodResult, ...], placebos: Placebos, total: float, half: float
) -> tuple[str, ...]:
    """Codes of what keeps a measurement from the best grade."""
    width = 100 * half / max(abs(total), 1e-12)
    count = placebos.in_time + placebos.in_space
    window = len(split.ahead) - panel.gap
    heard = [method.saving for method in methods if method.weight >= 0.1]
    before, known = panel.begin, panel.known[: panel.begin].mean()
    found = {
        "very_wide_interval": width > BAD,
        "wide_interval": POOR < width <= BAD,
        "few_placebos": count < FEW,
        "some_placebos": FEW <= count < ENOUGH,
        "short_history": before < max(SHORT_DAYS, SHORT_WINDOWS * window),
        "short_placebos": placebos.in_time > 0 and placebos.days < len(split.ahead),
        "methods_disagree": max(heard) - min(heard) > DISAGREE * half,
        "missing_days": min(known, split.counted.sum() / window) < 1 - MISSING,
        "no_controls": not panel.controls,
    }
    return tuple(code for code, holds in found.items() if holds)
