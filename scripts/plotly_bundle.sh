#!/usr/bin/env bash
# Makes static/vendor/plotly/plotly-costops.min.js again: the part of plotly.js that figures use (scripts/plotly/bundle.js).
# Needs Node.js 18 or later and npm; nothing else of CostOps does.
set -euo pipefail
cd "$(dirname "$0")/.."

PLOTLY=4.1.1
ESBUILD=0.28.1
vendor="$PWD/static/vendor/plotly"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cp scripts/plotly/* "$work"
cd "$work"
echo '{"private": true}' >package.json
npm install --ignore-scripts --no-audit --no-fund --silent "plotly.js@$PLOTLY" "esbuild@$ESBUILD"
node build.mjs "$vendor"
echo "$(wc -c <"$vendor/plotly-costops.min.js") bytes, $(gzip -9c "$vendor/plotly-costops.min.js" | wc -c) compressed"
