#!/usr/bin/env bash
# The suite on SQLite, then on PostgreSQL what a database server may answer otherwise (tests/databases.py). Arguments go
# to pytest.
set -uo pipefail
cd "$(dirname "$0")/.."

processes=${TEST_PROCESSES:-2}
unset PYTHONDONTWRITEBYTECODE # every process a test starts would compile the whole of CostOps again
# Files go to the workers in the order of tests/conftest.py, the longest first; xdist's own order is that of the most tests.
pytest=(.venv/bin/python -m pytest -n "$processes" --dist loadfile --no-loadscope-reorder "$@")

COSTOPS_FONTS=$PWD/.tools/fonts COSTOPS_HOME=$(mktemp -d) .venv/bin/python scripts/fonts.py

echo "→ the suite, on SQLite"
COSTOPS_TEST_DATABASE=sqlite "${pytest[@]}"
on_sqlite=$?

echo "→ what PostgreSQL may answer otherwise"
COSTOPS_TEST_DATABASE=postgres "${pytest[@]}"
on_postgres=$?

if [ $on_sqlite -ne 0 ] || [ $on_postgres -ne 0 ]; then
  echo "Tests failed (pytest's exit status: SQLite $on_sqlite, PostgreSQL $on_postgres). One again: .venv/bin/python -m pytest PATH -k NAME" >&2
  exit 1
fi
echo "→ tests passed on SQLite and on PostgreSQL"
