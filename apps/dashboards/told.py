"""What is said of problems while data are read, each with what was found inside: here to be translated.

A message is written where the problem is found, in English; a test keeps this list and the code in step.
"""


def _(text: str) -> str:
    """Marks what people read, to be translated where it is shown."""
    return text


TOLD = (
    _("The row has %(count)s values, the header %(columns)s; the file may be cut off or joined."),
    _("The header is repeated: two files were joined; deliver them apart."),
    _("A required value is missing."),
    _("Byte 0x%(byte)s at offset %(offset)s is not UTF-8; export the file as UTF-8."),
    _("%(text)s is not an amount; write plain digits with a decimal point, like -1234.50."),
    _("%(text)s is not a date and time of the years %(years)s; write 2026-10-01T13:00:00Z."),
    _('%(text)s is not a JSON object; write {"key": "value"}.'),
    _("%(text)s is not known here; the mapping knows %(known)s."),
    _("%(text)s is a word we do not know here; report it."),
    _("The file is %(encoding)s; export it as UTF-8."),
    _("The name of a column (%(odd)s) is not UTF-8; export the file as UTF-8."),
    _("%(count)s columns; at most %(most)s are read."),
    _("Column %(column)s has no name."),
    _("The name of column %(column)s holds a NUL; the file is damaged, fetch it again."),
    _("Columns of the same name: %(names)s; keep one."),
    _("The header is not CSV (%(reason)s); write one line of column names."),
    _("Columns are separated by %(separator)s; export with commas."),
    _("%(where)s: not a JSON object; write one object a line."),
    _("%(where)s: not a line of JSON (%(reason)s); the file may be cut off."),
    _("Columns that are not FOCUS are kept in x_Other: %(names)s."),
    _("The file has %(rows)s rows, its manifest says %(expected)s; fetch it again."),
    _("The engine cannot read the file, and no value of it is to blame; please report this."),
    _("The file ends without a line break; it may be cut off."),
    _("The file ends inside a value, without a line break: fetch it again."),
    _("Stored as binary floating point, read by their shortest decimal text: %(names)s; export decimals."),
    _("%(name)s, column %(column)s: values of type %(kind)s are not read; export text, decimals or timestamps."),
    _("%(name)s: the Parquet file cannot be read (%(reason)s); export it again."),
    _("%(rows)s rows had amounts of more than twelve decimals; rounded half-even, see x_Rounded."),
    _("Written and counted differ (%(written)s rows written, %(counted)s counted); nothing is published."),
    _("The file holds a header and no charges."),
    _("Missing columns: %(names)s. Names are written exactly so, not %(near)s."),
    _("Missing columns: %(names)s. %(table)s has %(expected)s."),
    _("Missing columns: %(names)s."),
    _("%(location)s: there is no such file or folder; mount it, or correct the location."),
    _("%(location)s: cannot be read (%(reason)s); check its permissions."),
    _("%(location)s: there is no such bucket; correct the location."),
    _("The object was left alone: %(odd)s. Give it another name."),
    _("The file was left alone: %(odd)s. Give it another name."),
    _("Cannot be copied: %(reason)s. What was found with it waits for it."),
    _("Cannot be copied: %(reason)s."),
    _("Cannot be read: %(reason)s."),
    _("%(name)s: the file is empty (0 bytes) after unpacking; export it again."),
    _("%(name)s: the file is empty (0 bytes); export it again."),
    _("%(name)s: the archive holds %(count)s files; at most %(most)s are read."),
    _("%(name)s: the archive holds two files of the same name."),
    _("%(name)s: holds another %(kind)s archive; pack the bill once only."),
    _("%(name)s: %(member)s is a link or no plain file; pack the bill files themselves."),
    _("%(name)s: the tar archive is cut off, damaged or joined with another; pack the files again, in one archive."),
    _("%(name)s: the zip archive is damaged or joined with another; deliver each by itself."),
    _("%(name)s: the gzip data are damaged (%(reason)s); fetch the file again."),
    _("%(name)s: the tar archive is damaged (%(reason)s); fetch the file again."),
    _("%(name)s: the zip archive is damaged (%(reason)s); fetch the file again."),
    _("%(name)s: the zip archive names a file outside itself (%(member)s)."),
    _("%(name)s: %(member)s is encrypted; deliver it without a password."),
    _("%(name)s: %(member)s is a symbolic link, not a file."),
    _("%(name)s: %(member)s is neither CSV nor Parquet; put only bill files into the zip."),
    _("%(name)s: the archive holds no CSV or Parquet file."),
    _("%(name)s: %(packed)s bytes unpack to more than %(limit)s; this is not a bill."),
    _(
        "Reading the file takes more memory than it may: COSTOPS_READ_MEMORY_GIB is %(gib)s, COSTOPS_MEMORY_LIMIT "
        "%(limit)s. Split it, or raise them; then bring it anew, or set an option of its source."
    ),
    _(
        "Reading the file takes longer than %(minutes)s minutes. Split it, or raise COSTOPS_READ_MINUTES; "
        "then bring it anew, or set an option of its source."
    ),
    _(
        "The process that reads the file dies (%(how)s): the file is damaged, made to do so, or takes more than "
        "%(gib)s GiB of memory. Export it again, or raise COSTOPS_READ_MEMORY_GIB and set an option of its source."
    ),
    _("The file ends without a line break, it may be cut off: write it again, with a line break at the end."),
    _("A value is missing or cannot be meant; docs/data.md says what the column holds."),
    _("%(text)s is not the start of an hour in UTC; write 2026-10-01T13:00:00Z."),
    _("These rows come more than once; usage is added up, so each may come only once."),
    _("Name the file or its folder after its table: %(tables)s."),
    _("Unknown columns: %(names)s. %(table)s has %(expected)s."),
    _("%(text)s is not a JSON object of labels."),
    _("%(text)s is not a quantity; write digits, like 1.5."),
    _("%(text)s is not a whole number."),
    _("%(name)s: the Parquet file cannot be read (%(reason)s); write it again."),
    _("No report of the operator has these columns: %(names)s."),
    _("The report names no cluster; add the source with --cluster."),
    _("There is no pod report beside it, to whose rows it adds; send the archive whole, as it was packed."),
    _("%(text)s is not a quantity; send the report again."),
    _("%(text)s is not the start of an hour like '2026-10-01 13:00:00 +0000 UTC'."),
    _("Its hours are more than %(days)s days apart; send reports of less time at once."),
    _("No cluster is named; add the source with --cluster."),
    _("More than %(most)s MiB of JSON; export fewer days at once."),
    _("%(text)s is not a quantity; export the window again."),
    _("The file is not JSON (%(reason)s); it may be cut off, export it again."),
    _("The JSON has no `data` with sets of allocations or assets by name."),
    _("%(text)s is neither a day nor a quantity; export again."),
    _("%(text)s is not an instant; export the window again."),
    _("A window must last from a moment to %(days)s days; export by hour or by day."),
    _("A window must begin at a whole hour; export by hour or by day."),
    _("Not an allocation nor an asset."),
    _("Not a volume."),
    _("What it tells of an hour adds up to more than there can be; export it again."),
    _("%(count)s values for %(columns)s columns; export it again."),
    _("The name is none that Alibaba Cloud gives; it is not read. Deliver it at a location of its own."),
    _("Split bills repeat the cost of their instances and are not read."),
    _(
        "%(period)s: the %(have)s of savings plans waits for their %(want)s; with one of them, what was "
        "used or what was not would be missing."
    ),
    _("%(period)s: not read, because %(other)s tells the same month."),
    _(
        "%(period)s: no amortised cost lies beside this bill, but beside others of the account; what was "
        "paid in advance counts whole in this month, and again as it is amortised. Deliver that month's as "
        "well."
    ),
    _("%(missing)s of %(count)s listed files are not there yet, %(first)s among them; it waits."),
    _(
        "%(newer)s is newer than its manifest, so it is being replaced; it waits for the new manifest. "
        "Copy the manifest last when you copy by hand."
    ),
    _(
        "Account %(account)s has %(count)s exports here that bill %(month)s; point the source at one of "
        "them, or, if they are parts of one bill, add a source for each."
    ),
    _(
        "%(count)s files lie in the layout of an AWS export without a manifest; they wait for it. Copy the "
        "manifests too, or the files into a folder without that layout."
    ),
    _("Exports of %(kind)s hold no cost and are left alone."),
    _(
        "Actual and amortised cost lie side by side, and no manifest or folder of dates says of which "
        "month; the file is left alone. Keep the folders and manifests of the exports, or only one of the "
        "two."
    ),
    _("The manifest names no days (runInfo.startDate, endDate)."),
    _("The FOCUS export says the same as the exports of actual and amortised cost; those are left alone."),
    _("The run is not complete: %(wrong)s; what was delivered before keeps counting."),
    _("The manifest is not a JSON object; deliver it again."),
    _("The manifest is not JSON (%(reason)s); deliver it again."),
    _(
        "Not read: %(other)s tells the same cost in more detail. Deliver bills of other kinds at a "
        "location of their own."
    ),
    _(
        "These are days of %(theirs)s, which begin on the day before in %(ours)s: what they cost stands one day early. "
        "Set COSTOPS_TIME_ZONE to %(zone)s before the first fill."
    ),
    _(
        "The run over %(months)s tells months that another tells as well, %(other)s; of every month one counts, with "
        "most days, else that of the month alone. Export every month by itself."
    ),
    _(
        "Not read: %(other)s may tell the same cost, for the two paths do not name the same month and account. Name "
        "them alike in both, as 202610, or deliver the two at locations of their own."
    ),
    _("The overview cannot be read (%(reason)s)."),
    _("The new issue is much smaller: %(lost)s."),
    _(
        "%(days)s: told anew, and other days of %(window)s are not. Say whether it replaces %(others)s, or adds "
        "charges to it."
    ),
    _(
        "%(days)s: told by %(others)s as well, of which this leaves something out. Say whether it adds charges to it, "
        "or replaces it with what is left out."
    ),
    _(
        "%(days)s: told by %(others)s as well. Accepted, both count; if it is %(window)s anew, reject it and delete "
        "the earlier files where they lie."
    ),
    _("%(window)s: %(rows)s charges, %(cost)s instead of %(rows_before)s charges, %(cost_before)s"),
    _("About %(count)s charges repeat others, by a sample of the resources."),
    _("%(count)s charges repeat others."),
    _("%(count)s charges."),
    _("%(count)s days: %(days)s."),
    _("%(tag)s: %(now)s of the cost instead of %(before)s in %(month)s."),
    _("Nothing of %(day)s has come, %(hours)s h after its end; usually there after %(due)s h."),
    _("Nothing of %(day)s has come, %(hours)s h after its end; due after %(due)s h."),
    _("The file is gone."),
    _("The bytes are no longer those that were written."),
    _("The file cannot be read."),
    _("Restore it from a backup, or touch the file where it came from: it is copied and read again."),
    _("Restore it from a backup. What was computed can be computed again: manage.py fill --step allocate."),
    _(
        "%(hours)s node-hours (%(cores)s core-hours) have no charge: no ResourceId in the bill equals "
        "%(provider)s. Check that the bill covers this account and period."
    ),
    _("In %(hours)s hours workloads claimed more than the node has (claims scaled to %(worst)s at worst)."),
    _("%(count)s hours were not observed and have no usage; the first begins %(first)s, the last ends %(last)s."),
    _("The server has no %(metric)s in this window, so %(meaning)s."),
    _(
        "The server has no scrapes of kube-state-metrics or kubelets in this window. Check the options "
        "state_job, usage_job and selector, and how long the server keeps its data."
    ),
    _(
        "The server has no more what it told of %(count)s hours; the first begins %(first)s, the last ends %(last)s. "
        "What was kept of them stays. Check whether it lost its data, and whether it, the tenant and the options of "
        "the source are those of before. To take what it has now: %(command)s."
    ),
    _(
        "Series carry no cluster label and the source names no cluster. Give the source a cluster, or the "
        "option cluster_label."
    ),
    _(
        "%(url)s failed %(attempts)s times, last with: %(reason)s. Query: %(query)s. Check that the server "
        "is up and that the location is right, then fill again."
    ),
    _("%(url)s refuses access (%(status)s); check the token or the user."),
    _("There is no Prometheus API under %(url)s/api/v1 (404). Give the address up to /api/v1."),
    _(
        "Set aside: %(attempts)s workers died while working on it, the last was %(worker)s. Look for lack "
        "of memory; `manage.py fill` tries again."
    ),
    _("Publication %(number)s holds no allocated cost; run `manage.py fill`. What was found before stays."),
    _("It looks like %(other)s, which is another team: people would take one for the other; rename one of them."),
    _("an effect needs %(needed)s days with a known cost before the start; there are %(found)s"),
    _("an effect needs %(needed)s days with a known cost after the start and the transition; there are %(found)s"),
    _(
        "an effect needs %(needed)s days with a known cost before the start to tell what %(measured)s days could show; "
        "there are %(found)s"
    ),
    _("nothing was spent before the start, so nothing could be saved"),
    _("no day before its start is published"),
    _("%(rows)s. Run `manage.py fill --step allocate` for these days; nothing was published."),
    _("Somebody else published at the same time; nothing was published. Run it again."),
    _("Another worker has taken over meanwhile; what this one did does not count."),
    _("Publication %(number)s holds no allocated cost; run `manage.py fill`."),
    _("%(url)s redirects to %(to)s; give the final address as the location."),
    _("The API does not answer: %(reason)s"),
    _("%(rate)s, %(file)s line %(line)s, version %(version)s of %(by)s, %(moment)s UTC"),
    _("crossed over %(base)s: %(legs)s"),
    _("%(n)s: %(names)s."),
)
