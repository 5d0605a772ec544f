#!/usr/bin/env bash
# Asks a database of advisories about every pinned package that runs where CostOps does: PyPI's, or a mirror of OSV at $ADVISORIES_URL.
set -uo pipefail
cd "$(dirname "$0")/.."

[ -x .tools/advisories/bin/pip-audit ] && cmp -s requirements/advisories.txt .tools/advisories/installed || {
  .tools/bin/uv venv --quiet --clear --no-config .tools/advisories &&
    .tools/bin/uv pip install --quiet --python .tools/advisories/bin/python --require-hashes -r requirements/advisories.txt &&
    cp requirements/advisories.txt .tools/advisories/installed
} || exit 1

service=(--vulnerability-service pypi)
[ -z "${ADVISORIES_URL:-}" ] || service=(--vulnerability-service osv --osv-url "$ADVISORIES_URL")
asked=(.tools/advisories/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off "${service[@]}")
for name in base alibaba fonts places saml spark telemetry; do
  requirements="requirements/$name.txt"
  echo "→ $requirements"
  "${asked[@]}" -r "$requirements" || {
    echo "$requirements: a known vulnerability (above), or the database could not be asked: it needs the network." >&2
    exit 1
  }
done
