"""What a program loads lives as long as it does: the garbage collector need not look at it.

To look through half a million objects takes a quarter of a second, in which a process answers nobody, and while a
program loads a third of the time it takes.
"""

import gc

OFTEN = (10_000, 10, 10)
"""So many objects are made before the youngest are looked at, once or so a page, and so many looks before older ones
are: nearly all end without the collector."""


def begin() -> None:
    """Nothing is garbage until the program is there."""
    gc.disable()


def end() -> None:
    """It is there; what comes now may be garbage."""
    gc.freeze()
    gc.set_threshold(*OFTEN)
    gc.enable()
