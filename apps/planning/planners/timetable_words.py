"""The sentences of the timetable planner."""

SAY = "In the coming week %(classes)s classes: between %(least)s and %(most)s replicas, %(changes)s changes."
SAY_PATTERN = (
    "In the coming week between %(least)s and %(most)s replicas by the week's own pattern, %(changes)s changes."
)
SAY_LATE = (
    "In the week from %(first)s on, which is over, %(classes)s classes: between %(least)s and %(most)s replicas, "
    "%(changes)s changes."
)
SAY_PATTERN_LATE = (
    "In the week from %(first)s on, which is over, between %(least)s and %(most)s replicas by the week's own pattern, "
    "%(changes)s changes."
)
EARLY = "Replicas are there %(minutes)s minutes before a class begins, so that images are pulled and caches warm."
LEARNED = (
    "What a class needs is learned from %(days)s days by %(model)s; without the timetable the same is off %(times)s "
    "times as far."
)
RISK = (
    "Replayed on the last %(days)s days, decided from the days before them, use was above the planned replicas in "
    "%(short)s of the hours."
)
USED = "Of the planned cores %(used)s would have been used, of those that ran %(before)s were."
PEAKS = (
    "An hour counts as much higher as its highest five minutes stand out of it more than usual: a class of fifty "
    "minutes is not told too small."
)
SHARES = (
    "No peaks within the hour are metered: an hour with a class in part of it is raised to what the class itself used, "
    "by the share of the hour that it took."
)
MEANS = "Demand is of hourly means; what is higher within an hour has the share of each replica that stays free."
UNCOVERED = "In two weeks %(count)s classes are not covered: the most of %(most)s replicas is reached."
UNLEARNED = "%(count)s classes have no replicas of their own: too few past classes are known. Bring those too."
CONFLICT_MOST = "The autoscaler allows %(most)s replicas at most, and the plan needs %(needs)s: raise its bound."
CONFLICT_LEAST = (
    "The autoscaler keeps %(least)s replicas at least, and the plan needs fewer in %(hours)s hours: lower its bound."
)
BIND_REST = "Replicas never fall below %(least)s."
BOUNDS_MOVE = (
    "cronhpa.yaml names the autoscaler %(scaler)s and moves its bounds: where load asks for more than the plan, more "
    "run, and its upper bound is raised where the plan needs more."
)
TAKES_OVER = (
    "keda.yaml takes the autoscaler %(scaler)s over, for KEDA refuses a workload that has one: what it scaled by until "
    "now ends, unless you add it as triggers."
)
UNNAMED = (
    "There is neither cronhpa.yaml nor keda.yaml: an autoscaler scales this workload, the files have to name it, and "
    "its name is not metered (column autoscaler of autoscaler_hours)."
)
OWNED = (
    "There is neither cronhpa.yaml nor keda.yaml: KEDA scales this workload already (%(scaler)s), refuses a second "
    "ScaledObject and sets back what CronHPA sets. Add the steps as cron triggers to the ScaledObject there is."
)
FLAT = (
    "There is no keda.yaml: the schedule never changes, and KEDA refuses an object without a trigger. Set %(least)s "
    "replicas instead."
)
DATED = (
    "The files hold until %(until)s: what both of these weeks have comes every week, %(count)s changes come once, on "
    "their date. Cron knows no year: remove the dated triggers of keda.yaml afterwards, or they come again a year "
    "later."
)
WEEKLY = "The files hold until %(until)s and repeat every week: export them again when the timetable changes."
LATE = "Bills end on %(day)s, long ago: the plan is of the two weeks behind that day, and its files are out of date."
UNKNOWN_STUDENTS = "How many students really come; a class nobody entered has no replicas of its own."
UNKNOWN_FUTURE = "Whether the coming week is like the last ones."
UNKNOWN_NODES = "Whole nodes: what is freed counts on nodes that come and go, which follow by whole nodes only."
TOO_LITTLE = "There is no schedule: %(why)s."
TITLE = "Schedule the replicas of %(workload)s"
CHECKS = {
    "every class is covered": "every class has its replicas, or is told uncovered",
    "no minute is left out or told twice": "no minute is left out or told twice",
    "replicas stay within their bounds": "replicas stay within their bounds",
    "the file says the same as the plan": "the files say the same as the plan, minute by minute",
    "the cost adds up": "replica-minutes add up",
    "money": "no more is saved than ran on nodes that come and go",
}
