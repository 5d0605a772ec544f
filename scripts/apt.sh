# Sourced by the setup scripts: installs Debian packages, or says which ones a person must install.

apt_install() {
  echo "→ installing Debian packages: $*"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "Cannot install packages without root. Ask an administrator to run:" >&2
      echo "    apt-get update && apt-get install --no-install-recommends $*" >&2
      return 1
    fi
    as_root=(sudo -n)
  fi
  if ! command -v apt-get >/dev/null; then
    echo "This is not a Debian system. Install what these Debian packages hold, then try again: $*" >&2
    return 1
  fi
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    echo "apt-get could not install: $* (its last lines stand above)." >&2
    return 1
  fi
  rm -f "$log"
}
