"""What steps tell that failed, or went on without something: here to be translated; a test keeps both in step."""

from apps.dashboards.told import _

FAILURES = (
    # what stays of a step that went on
    _("%(problem)s What was so before stays."),
    _("%(problem)s What was found before stays."),
    _("%(problem)s What was measured stays."),
    _("%(problem)s Earlier plans stay."),
    _("The planner failed (%(fault)s); the log says where."),
    _("%(fault)s; see the log."),
    _("This one and those after it are measured with the next publication: there are many."),
    _("%(problem)s; there will be one later."),
    _("a forecast needs %(needed)s days of history; there are %(found)s"),
    _("there are no %(days)s days of %(measure)s yet; anomalies will be looked for later."),
    # attribution and estimates
    _(
        "On %(days)s days, the first %(first)s, driver %(driver)s has no quantity above 0 of any team: the cost was "
        "divided in proportion to cost. Upload the days (`manage.py drivers import`)."
    ),
    _(
        "The rule gives charges to the cluster %(cluster)s, of which no node was measured, so nobody carries them. "
        "Known are: %(names)s."
    ),
    _("No charge of these days bears this tag. Keys are spelled as on the bill, upper and lower case apart."),
    _(
        "It has %(count)s values on a day: every question of cost reads as many rows more. Take it out of "
        "COSTOPS_TAG_KEYS unless it is needed."
    ),
    _("%(window)s: charged %(charged)s, allocated %(allocated)s. Please report this with the rules file."),
    _("%(window)s: expected %(expected)s, allocated %(allocated)s. Please report this."),
    _(
        "No bill tells the price of it or of its like: %(days)s days are estimated without it (one of %(count)s "
        "such resources)."
    ),
    _(
        "There is no rate from %(source)s to %(target)s on %(day)s. Import it with `manage.py rates import`, "
        "declare a base currency that both have rates with, or ask without a currency."
    ),
    # settings
    _("COSTOPS_HOLIDAYS: %(text)s is not a country whose holidays are known, such as CN."),
    _("COSTOPS_SEASONS: %(text)s is not a season; write school term:2026-09-01..2027-01-15"),
    _(
        "COSTOPS_RECOMMENDATION_DAYS: %(text)s is not a kind and its days, such as ownership=14; the kinds are "
        "%(choices)s."
    ),
    # where bills are, and the options of sources
    _("%(location)s: %(count)s objects; name a longer prefix."),
    _("%(name)s is gone before it was entered; the next try lands it again."),
    _("An option is written KEY=VALUE, not %(text)s."),
    _("The option %(name)s is given twice."),
    _("Unknown option %(name)s. Known options are %(choices)s."),
    _("%(option)s=%(text)s: say one of %(choices)s."),
    _("%(option)s=%(text)s: say a share between 0 and 1, like 0.8."),
    _("%(option)s=%(text)s: say a whole number of %(unit)s."),
    _("%(option)s=%(text)s: say a whole number from %(least)s to %(most)s."),
    _("%(option)s=%(text)s: say yes or no."),
    _("%(option)s=%(text)s: say a day, like 2026-10-01."),
    _("A location is %(scheme)s://bucket/prefix; credentials are given by --secret KEY=%(how)s"),
    _("The option %(name)s does not belong to %(scheme)s://."),
    _("endpoint_url: write http:// or https:// and a host; credentials are given by --secret."),
    _("token: give the JSON of a service account, such as --secret token=@key.json."),
    _("%(names)s belongs to an object store, and the location is a local path."),
    _("%(location)s needs the library %(library)s, which is not installed: pip install -r requirements/places.txt"),
    _("%(scheme)s:// has no secret %(name)s; there are %(choices)s."),
    _("%(scheme)s:// is not a place that is read; there are %(choices)s and local paths."),
    _("%(key)s: %(path)s is larger than %(most)s bytes."),
    _("%(key)s: %(path)s cannot be read (%(reason)s)."),
    _(
        "%(host)s leads to %(address)s, which is never asked (link-local, metadata or multicast). Give the address "
        "of the server itself."
    ),
    _("Prometheus is pulled; there is nothing to upload."),
    _("Prometheus takes its credentials by token_file, token_env, password_file; see the docs."),
    # secrets
    _("A secret is written KEY=VALUE, KEY=@file or KEY=env:NAME."),
    _("The secret %(name)s is given twice."),
    _("%(name)s: the secret is empty."),
    _("%(name)s: there is no environment variable %(variable)s."),
    _("%(name)s: %(path)s is too long for a secret."),
    _("The secret in %(where)s is empty or not plain text on one line."),
    _("The secret in %(where)s cannot be read (%(reason)s)."),
    # files of bills
    _("The engine cannot read the file: %(reason)s"),
    _("%(name)s: the file is damaged (%(reason)s); fetch it again."),
    _("%(name)s: %(bytes)s bytes of Parquet promise %(rows)s rows; this is not a bill."),
    _("%(name)s: not an answer that can be read (%(reason)s); fetch it again."),
    _("%(name)s: more than %(most)s different keys; at most so many are read."),
    _("Required columns are missing: %(names)s.%(hint)s"),
    _(
        "%(of)s: the overview says %(said)s %(currency)s, the charges add up to %(found)s, %(difference)s; fetch "
        "the month's bill and its overview again."
    ),
    _(
        "%(of)s: the overview says %(said)s %(currency)s, the charges add up to %(found)s, %(difference)s; the "
        "month is still open."
    ),
    _("%(amount)s more"),
    _("%(amount)s less"),
    _("%(text)s is more than %(most)s: docs/data.md says in which unit the column is."),
    _("%(source)s: another worker has kept the ledger of restatements meanwhile."),
    _("This kind needs --option mapping=FILE, a mapping as docs/providers/csv.md tells."),
    _("The mapping file has %(count)s characters; at most %(most)s are read."),
    _("The mapping file is empty, or no table; see docs/providers/csv.md."),
    _("The mapping file is not YAML: %(reason)s"),
    _("The mapping cannot be used:"),
    # the API of Alibaba Cloud
    _("The API refuses: %(code)s %(reason)s."),
    _("The environment variable %(name)s is not set."),
    _("The source kind alibaba_api needs more packages: pip install --require-hashes -r requirements/alibaba.txt."),
    _("Say the first month to pull, like --option since=2026-10."),
    _("granularity is daily or monthly."),
    _("%(month)s: the pages of DescribeInstanceBill have no end."),
    # Prometheus
    _("The server says: %(reason)s"),
    _("The answer holds something that is not a number (%(reason)s): %(query)s"),
    _(
        "Even one hour is too much for: %(query)s (%(reason)s). Raise the server's limit (--query.max-samples, "
        "--query.timeout) or the option timeout_seconds or max_response_mib."
    ),
    _("Option ca_file=%(path)s holds no usable certificate (%(reason)s)."),
    _("%(url)s answered no %(kind)s (%(sample)s) to: %(query)s"),
    _(
        "%(url)s answered something that is not JSON (%(sample)s) to: %(query)s. A login page or a proxy may stand "
        "between; give the address of the API itself."
    ),
    _("%(url)s does not tell its time: %(sample)s"),
    _("%(url)s refuses (status %(status)s: %(reason)s): %(query)s"),
    _("Option %(option)s is empty or has a control character."),
    _("Option %(option)s: a header's value is plain ASCII on one line."),
    _("Option %(option)s: there is no file %(path)s."),
    _("Option %(option)s: %(name)s cannot be set as a header."),
    _("Option %(option)s=%(text)s is not a label name."),
    _("Option %(option)s=%(text)s must not hold quotes or backslashes."),
    _("Option %(option)s=%(text)s: give a number from %(least)s to %(most)s."),
    _("Option %(option)s=%(text)s: say true or false."),
    _("Options of the Prometheus source: %(reason)s."),
    _("The location %(location)s is not a URL: %(reason)s."),
    _("The location %(location)s cannot be used: %(mistake)s."),
    _("it begins with neither http:// nor https://"),
    _("it has no host"),
    _("it holds a user name; use the options user and password_file"),
    _("it has a query or a fragment; give the address up to /api/v1"),
    _("it has a space or a control character"),
    _("port 0 cannot be asked"),
    _("Unknown option %(option)s of a Prometheus source. Known: %(choices)s."),
    _("%(n)s are on no known node."),
    _("%(n)s have no cloud id, so no bill will match."),
    _("%(n)s have shares of GPUs but no label tells of how many cards, so each share counts as a card."),
    # publications, and what is looked for in them
    _("There is no publication yet. Add sources and run `manage.py fill`."),
    _("There is no publication number %(number)s; the newest is %(newest)s."),
    _(
        "Publication %(number)s of %(day)s is not kept any more: of old ones the last of every day stays, later of "
        "every month, and each that something rests on. The next one that can be read is %(next)s."
    ),
    _("Publication%(number)s was not looked through; `manage.py fill --step anomalies` does so with the newest."),
    _("Publication was not looked through; `manage.py fill --step anomalies` does so with the newest."),
    _("There is no anomaly %(number)s in publication %(publication)s; it is over, or not for you to see."),
    _("Nothing was looked for%(whose)s yet; `manage.py fill --step idle` looks in the newest."),
    _("Nothing was looked for yet; `manage.py fill --step idle` looks in the newest."),
    _("There is nothing idle named %(name)s."),
    _("There is no forecast%(whose)s; `manage.py fill --step forecast` makes one of the newest."),
    _("There is no forecast; `manage.py fill --step forecast` makes one of the newest."),
    _(" of publication %(number)s"),
    _(" in publication %(number)s"),
    _("There is no such plan yet; `manage.py fill --step plan` makes those of the newest publication."),
    _("%(planner)s plans nothing named %(name)s."),
    # planners
    _("A saving of %(saving)s of a cost of %(cost)s cannot be."),
    _("Its actions promise %(actions)s together, the plan %(plan)s."),
    _("What %(subject)s saves by place does not add up to %(saving)s."),
    _("Metering ended on %(day)s, more than a week before bills do; look at the sources of usage."),
    _("A node must have cores, and their number must not be negative."),
    _("Demand and spare must be whole weeks of 168 hours, as many of one as of the other."),
    _("Demand, spare cores and limits must be known and not negative."),
    _("Nothing was asked for in these weeks."),
    _("Prices must be known and above zero; only spare cores may cost nothing."),
    _("%(weeks)s whole week(s) are known; a plan needs at least %(needed)s."),
    _("The solver did not finish: %(reason)s"),
    # the lake and its engine
    _("somebody else changed %(file)s at the same time."),
    _("%(file)s is gone before it was committed."),
    _("%(table)s: %(problem)s Nothing was changed here; run the step again."),
    _("Version %(version)s was written by somebody else meanwhile."),
    _(
        "%(url)s writes over objects it is told not to write over (COSTOPS_LAKE_COMMIT=%(commit)s): two writers "
        "could both believe they were first. Nothing was written. On Alibaba Cloud OSS say COSTOPS_LAKE_COMMIT=oss "
        "and leave versioning of the bucket off; other stores must know If-None-Match."
    ),
    _("%(url)s: the object %(name)s is not there."),
    _("%(url)s: there is no such bucket. Make it, or correct COSTOPS_LAKE."),
    _("%(url)s: %(reason)s Look at COSTOPS_LAKE_KEY and COSTOPS_LAKE_SECRET."),
    _("%(url)s: %(reason)s Look at the credentials, the region and the addressing."),
    _("%(url)s: %(about)s: %(reason)s; tried %(tries)s times. Nothing was changed here."),
    _("COSTOPS_LAKE names a bucket, which needs %(library)s: pip install -r requirements/places.txt."),
    _(
        "%(url)s: %(name)s came %(count)s times with another sha256 than its name says; nothing was read from it. "
        "Restore it from a backup, or an earlier version of the object."
    ),
    _("Apache Spark at %(url)s does not take work: %(reason)s. It must be Spark 4.0 with Spark Connect."),
    _("Apache Spark could not do this: %(reason)s"),
    _(
        "Apache Spark does not answer at %(url)s (%(reason)s). Start its Spark Connect server, correct "
        "COSTOPS_ENGINE, or set COSTOPS_ENGINE=duckdb."
    ),
    _(
        "Apache Spark wrote into %(folder)s, and nothing is there. Its executors must see the lake's folder at this "
        "path."
    ),
    _(
        "COSTOPS_ENGINE is an address of Apache Spark, and its client is not installed (%(reason)s). Install "
        "requirements/spark.txt, or set COSTOPS_ENGINE=duckdb."
    ),
    _("%(table)s: a partition without a value, or with an empty one, cannot be written."),
    _("%(table)s: a table of the worker's own engine is unknown to Apache Spark."),
)
