#!/usr/bin/env bash
# Lighthouse over every page of a running site, on a phone and on a desk; a table in $COSTOPS_HOME/lighthouse.md.
#
#     scripts/lighthouse.sh                     the demo that `make demo` started
#     scripts/lighthouse.sh ADDRESS NAME        another site; the password is asked for, or taken from LIGHTHOUSE_PASSWORD
#     … --page /explorer/                       that page only
set -euo pipefail
cd "$(dirname "$0")/.."

version=12.8.2
if ! grep -qs "\"version\": \"$version\"" .tools/lighthouse/node_modules/lighthouse/package.json; then
  command -v npm >/dev/null || { echo "Lighthouse is an npm package; npm is not installed." >&2; exit 1; }
  echo "→ bringing Lighthouse $version into .tools"
  mkdir -p .tools/lighthouse
  npm install --prefix .tools/lighthouse --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error "lighthouse@$version"
fi
.venv/bin/python scripts/lighthouse.py "$@"
