"""Why cost changed: exact parts, the segments behind them, since when, in a sentence."""
