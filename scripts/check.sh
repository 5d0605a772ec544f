#!/usr/bin/env bash
# Every machine check, all of them even when one fails; ends by naming those that did.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
check() {
  local name=$1
  shift
  echo "→ $name"
  "$@" || failed+=("$name")
}

check "ruff format" .venv/bin/ruff format --check .
check "ruff" .venv/bin/ruff check .
check "mypy" .venv/bin/mypy
check "import-linter" .venv/bin/lint-imports --no-cache
check "bandit" .venv/bin/bandit --quiet --configfile pyproject.toml --recursive apps costops scripts manage.py
check "deployment" env COSTOPS_HTTPS=on COSTOPS_HOME="$(mktemp -d)" .venv/bin/python manage.py check --deploy --fail-level WARNING
check "djlint" .venv/bin/djlint --lint --check .
check "migrations" .venv/bin/python manage.py makemigrations --check --dry-run
check "architecture" .venv/bin/python -m pytest -q tests/architecture

if [ ${#failed[@]} -gt 0 ]; then
  echo "Checks failed: $(IFS=,; echo "${failed[*]}"). \`make format\` mends layout; the rest is told above." >&2
  exit 1
fi
echo "→ all checks passed"
