"""The sentences of the purchase planner."""

THIN = "%(days)s days of charges are known; a ladder needs %(least)s, so that a week was seen four times."
NO_OFFER = "Nothing in %(currency)s fits an offer of the price table, and no commitment is held: add offers to it."
BUY = (
    "Commit now to %(amount)s an hour (on-demand list price of what it covers) in %(pools)s pools; it costs %(cost)s a "
    "month, used or not."
)
HOLD = "Buy no commitment now: none on sale would pay over its term."
LATER = "If demand stays, %(amount)s an hour more is bought in the %(months)s months after, month by month."
EXISTING = (
    "What is bought already covers %(coverage)s of what can be committed and is used by %(utilisation)s; its unused "
    "part costs %(waste)s a month. Of list prices %(rate)s is saved in all."
)
NONE_HELD = "No commitment is held; of list prices %(rate)s is saved in all."
MIX = "Above commitments, interruptible work on spot and bursts where they are cheapest would save another %(saving)s."
MOVE = "What is left on demand would cost %(saving)s less a month on the generation named in the table."
MEMORY = "Other memory tiers within the limits of each database would save %(saving)s a month by the price table."
RISK = (
    "What is bought now saves %(expected)s a month as expected; 8 of 10 scenarios of every pool lie from %(low)s to "
    "%(high)s. If demand falls by %(fall)s at once it is %(fallen)s."
)
REPLAYED = "Held in the last 30 days it would have saved %(known)s, with %(used)s of it used."
WALKED = (
    "Decided 30 days earlier and replayed on the 30 days since, the same rule would have saved %(walked)s; perfect "
    "foresight would have saved %(best)s."
)
PACE = "No more than %(pace)s of what would pay is bought in a month, so that no single month decides a year."
BREAK_EVEN = "What is above is used in too few hours: a commitment pays from %(least)s of hours on."
HELD = "Commitments held already cover the base of %(families)s."
UNUSED = "%(families)s: nothing was used in the last 30 days, so nothing is bought."
UNSOLD = "No offer of the price table fits %(families)s."
SMALL = "Only the costliest pools are planned one by one; %(families)s are not."
NOT_COUNTED = "Spot, serverless, generations and memory tiers are told beside and not counted in the saving."
SAMPLE = "What your provider really charges: sample values stand in the price table; replace them by your own."
UNPRICED = "What %(names)s cost beside on demand: no list price of their SKU is known."
UNKNOWN_ENDS = "When %(names)s end: the bill does not tell, so they are planned as held on."
UNKNOWN_FUTURE = (
    "What products and prices come: only %(days)s days of demand are known, and a fall is a matter of chance "
    "(%(hazard)s in a month)."
)
UNLISTED = "The list price of %(cost)s a month: what the contract or the bill says stands for it."
UNMETERED = "Which work may be interrupted: no cluster is metered, so nothing is placed on spot."
INTERRUPTIBLE = "Whether jobs bear being interrupted: %(share)s of what they claim is planned so."
NO_NEEDS = (
    "Which memory tier %(count)s in-memory databases (%(cost)s a month) need: import sizes and limits, and their table "
    "is made."
)
NO_TIERS = "Which memory tier is cheaper: the price table has none in %(currency)s."
UNPLACED = "No tier on sale holds %(names)s within latency, throughput and what there is."
TITLE = "Commit to %(amount)s an hour of %(family)s in %(region)s"
EVIDENCE = "Demand is above what is held and bought in %(share)s of the last 30 days; it pays from %(least)s on."

CHECKS = {
    "on sale": "every purchase is on sale",
    "whole steps": "purchases are whole cents an hour",
    "below the highest hour": "nothing is bought beyond the highest hour",
    "re-added saving": "the replayed saving re-adds from the hours",
    "no more than it costs": "the saving is no more than what the hours cost",
    "pays at its margin": "the last unit bought pays in the hours that were",
    "no more than its share": "no more than its share is bought at once",
    "every hour is bought once": "every hour is bought once",
    "commitments are paid whole": "commitments are paid whole, used or not",
    "nothing negative": "nothing is negative",
    "each instance once": "each database has one place",
    "latency": "latency limits are kept",
    "throughput": "throughput limits are kept",
    "capacity": "no tier holds more than there is",
    "re-added cost": "the cost of tiers re-adds",
}
WAYS = {
    "held": "commitments held",
    "commitment": "commitments to buy now",
    "spot_today": "spot as today",
    "spot": "spot for what may be interrupted",
    "serverless": "serverless for bursts",
    "on_demand": "on demand",
    "generation": "another generation for the rest",
}
SENTENCES = (
    THIN, NO_OFFER, BUY, HOLD, LATER, EXISTING, NONE_HELD, MIX, MOVE, MEMORY, RISK, REPLAYED, WALKED, PACE, BREAK_EVEN,
    HELD, UNUSED, UNSOLD, SMALL, NOT_COUNTED, SAMPLE, UNPRICED, UNKNOWN_ENDS, UNKNOWN_FUTURE, UNLISTED, UNMETERED,
    INTERRUPTIBLE, NO_NEEDS, NO_TIERS, UNPLACED, TITLE, EVIDENCE, *CHECKS.values(), *WAYS.values(),
)  # fmt: skip
