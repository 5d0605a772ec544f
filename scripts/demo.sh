#!/usr/bin/env bash
# A running site with two months of a simulated company; ends with its address. Safe to repeat: what is there is kept.
# Its last day is yesterday, as of the first time; DEMO_END=2026-11-01 makes one that ends before that day.
set -euo pipefail
cd "$(dirname "$0")/.."

export COSTOPS_HOME=${COSTOPS_HOME:-$PWD/var}
mkdir -p "$COSTOPS_HOME"
COSTOPS_HOME=$(cd "$COSTOPS_HOME" && pwd)
python=$PWD/.venv/bin/python
company=$COSTOPS_HOME/demo
days=${DEMO_DAYS:-62} seed=${DEMO_SEED:-7} scale=${DEMO_SCALE:-1}
log=$COSTOPS_HOME/run.log

fail() {
  echo "make demo stopped: $1" >&2
  exit 1
}

step() { # one line a person reads, then the command
  echo "→ $1"
  shift
  "$@" || fail "'${*:2}' failed (see above). Mend what it says and run 'make demo' again; it goes on where it stopped."
}

manage() { "$python" manage.py "$@"; }

add_source() { # name, then the options of `source add`
  if ! manage source list --format csv | cut -d, -f1 | grep -qx "$1"; then
    step "adding the source $1" manage source add "$@"
  fi
}

# --- the company: its days are Beijing's, which must be known before the first file is read -----------------------------
if [ ! -e "$COSTOPS_HOME/costops.env" ]; then
  printf '%s\n' "COSTOPS_TIME_ZONE=Asia/Shanghai" "COSTOPS_COMPANY=Lantern Learning" >"$COSTOPS_HOME/costops.env"
fi
if ! grep -Eq '^(export )?COSTOPS_TAG_KEYS=' "$COSTOPS_HOME/costops.env"; then
  [ -z "$(tail -c 1 "$COSTOPS_HOME/costops.env")" ] || echo >>"$COSTOPS_HOME/costops.env" # who wrote it ended no line
  echo "COSTOPS_TAG_KEYS=env,project" >>"$COSTOPS_HOME/costops.env"
fi

tell_today='
from django.utils.timezone import now
from apps.calendars.selectors import today
print(today(now()))
'

# --- the data -----------------------------------------------------------------------------------------------------
step "bringing the database up to date" manage migrate --verbosity 0
if [ -e "$company/.complete" ]; then # days that were filled are never replaced by those of another end
  end=$(cat "$company/.complete")
  end=${end:-2026-11-01} # earlier versions kept no end: all companies had this one
  [ "${DEMO_END:-$end}" = "$end" ] ||
    echo "The company in $company ends before $end, and keeps to it: DEMO_END is for a new COSTOPS_HOME." >&2
else
  today=$(manage shell --no-imports -c "$tell_today") || fail "what day it is cannot be told (see above)."
  end=${DEMO_END:-$today}
  [[ ! "$end" =~ ^[0-9-]{10}$ || ! "$end" > "$today" ]] || fail "DEMO_END=$end is after today, $today: bills tell of days that are over."
fi
if [ ! -e "$company/.complete" ] || [ ! -e "$company/initiatives.csv" ] || [ ! -e "$company/budgets.csv" ]; then
  step "simulating a company: $days days before $end (a minute or two)" manage demo --days "$days" --end "$end" \
    --seed "$seed" --scale "$scale" --metrics-days 0 --late-days 7 --to "$company"
  echo "$end" >"$company/.complete"
fi
add_source bill --kind focus --location "$company/billing"
add_source usage --kind usage_files --location "$company/usage"
step "importing teams and rules" manage import_teams "$company/teams.yaml"
step "importing how many students and searches there were" manage drivers import "$company/drivers.csv"
step "importing the timetable of classes" manage plans bring timetable "$company/timetable.csv"
step "importing school terms and promotions" manage calendar import "$company/calendar.csv"
if [ ! -e "$company/.budgeted" ]; then # once: budgets may be changed afterwards
  step "importing budgets" manage budgets import "$company/budgets.csv"
  touch "$company/.budgeted"
fi
if [ "$(wc -l <"$company/invoices.csv")" -gt 1 ]; then # of the months whose bills are complete
  step "importing the provider's invoices" manage invoices import "$company/invoices.csv"
fi
if [ ! -e "$company/.billed" ]; then # a week whose bills come late: first estimated, then billed but for two days
  step "filling: land, normalize, meter, allocate, estimate, publish" \
    manage fill --step land --step normalize --step meter --step allocate --step estimate --step publish
  late=$(find "$company/billing-late" -name '*-late-*' -printf '%f\n' | grep -o 'late-[0-9-]*' | sort -u | head -n -2)
  for day in $late; do cp "$company/billing-late/"*"-$day".csv* "$company/billing/"; done
  touch "$company/.billed"
fi
step "filling with the bills that came late" manage fill
if [ "$(wc -l <"$company/initiatives.csv")" -gt 1 ] && [ ! -e "$company/.acted" ]; then # what engineers did to save
  step "bringing what engineers do to save" manage savings bring "$company/initiatives.csv"
  touch "$company/.acted"
  step "measuring what it saved" manage fill --step verify
fi

# --- the login ----------------------------------------------------------------------------------------------------
login=$COSTOPS_HOME/demo-login
renew='
import os, sys
from django.contrib.auth.models import User
demo = User.objects.filter(username="demo").first() or sys.exit(1)
demo.set_password(os.environ["DJANGO_SUPERUSER_PASSWORD"])
demo.save()
'
if [ ! -e "$login" ]; then
  (umask 077 && "$python" -c 'import secrets; print(secrets.token_urlsafe(12))' >"$login.new")
  DJANGO_SUPERUSER_PASSWORD=$(cat "$login.new")
  export DJANGO_SUPERUSER_PASSWORD
  manage shell --no-imports -c "$renew" || # a run that was killed here left somebody whose password nobody knows
    step "making the login" manage createsuperuser --noinput --verbosity 0 --username demo --email demo@example.com
  unset DJANGO_SUPERUSER_PASSWORD
  mv "$login.new" "$login"
fi

# --- the archive: letters of the last full weeks, written and not mailed --------------------------------------------------
if [ ! -e "$company/.letters" ]; then
  "$python" scripts/fonts.py || { # letters of this company are Chinese too: without a font there is no PDF of them
    scripts/setup.sh fonts && "$python" scripts/fonts.py || echo "No Chinese font came: letters that need one have no PDF." >&2
  }
  for role in finance management; do
    step "subscribing the login to the report of $role" manage reports subscribe demo --role "$role"
    step "writing its letters of six weeks into the archive" manage reports keep --role "$role" --last 6
  done
  step "writing the letters of the last week to every team lead (a minute)" manage reports keep --role lead --last 1
  touch "$company/.letters"
fi

# --- the site -----------------------------------------------------------------------------------------------------
"$python" scripts/run.py --stop >/dev/null || fail "the site that runs for $COSTOPS_HOME does not stop."
if [ -z "${COSTOPS_BIND:-}" ]; then
  port=$("$python" scripts/answers.py --free-port) || fail "no port between 8000 and 8099 is free; set COSTOPS_BIND."
  COSTOPS_BIND=127.0.0.1:$port
fi
export COSTOPS_BIND COSTOPS_SITE_URL=${COSTOPS_SITE_URL:-http://$COSTOPS_BIND}
echo "→ starting web, worker and beat (their output: $log)"
setsid nohup "$python" scripts/run.py >"$log" 2>&1 </dev/null &
if ! "$python" scripts/answers.py "http://$COSTOPS_BIND/login/" 90; then
  tail -n 20 "$log" >&2
  fail "the site does not answer (the end of $log stands above)."
fi

echo
echo "CostOps runs. Log in as demo with the password $(cat "$login"); 'make stop' stops it."
echo "http://$COSTOPS_BIND/"
