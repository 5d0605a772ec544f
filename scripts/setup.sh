#!/usr/bin/env bash
# Makes .venv hold the pinned requirements, `base` to run or `dev` to check and test, or only brings uv (`tools`). Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

wanted=${1:-dev}
requirements=requirements/$wanted.txt
[ -f "$requirements" ] || { echo "No such set of requirements: $wanted (base, dev or tools)." >&2; exit 1; }

exec 9>.setup.lock
flock 9 # two `make` at once take turns

python=
for candidate in "${PYTHON:-}" python3.11 python3 /usr/bin/python3; do
  if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    python=$(command -v "$candidate")
    break
  fi
done
if [ -z "$python" ]; then
  echo "Python 3.11 is needed and was not found. On Debian 12: apt-get install python3; elsewhere: PYTHON=/path/to/python3.11 make" >&2
  exit 1
fi

bring_uv() {
  if [ ! -x .tools/bin/uv ] || ! cmp -s requirements/tools.txt .tools/installed-tools; then
    echo "→ bringing uv, the installer, into .tools"
    # A venv without ensurepip is what Debian makes when python3-venv is missing.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
      apt_install python3-venv
    fi
    "$python" -m venv --clear .tools
    .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
    cp requirements/tools.txt .tools/installed-tools
  fi
  uv=.tools/bin/uv
}

is_installed() {
  [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && cmp -s "requirements/$1.txt" ".venv/installed-$1"
}

if [ "$wanted" = tools ]; then
  bring_uv
  exit 0
fi
if is_installed "$wanted" || { [ "$wanted" = base ] && is_installed dev; }; then
  exit 0 # nothing changed since last time
fi

bring_uv
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
  echo "→ making .venv with $("$python" --version)"
  "$uv" venv --quiet --clear --no-config --python "$python" .venv
fi
echo "→ installing $(grep -c '==' "$requirements") pinned packages ($wanted); the first time takes a minute or two"
rm -f ".venv/installed-$wanted"
if ! "$uv" pip install --python .venv/bin/python --compile-bytecode --require-hashes -r "$requirements"; then
  echo "The packages could not be installed (see above). Check that this machine reaches its package index, then run it again." >&2
  exit 1
fi
cp "$requirements" ".venv/installed-$wanted"
echo "→ .venv is ready"
