#!/usr/bin/env bash
# The image and docker-compose.yml on a real engine (podman), from Debian packages and PyPI alone; images and volumes lie in
# var/containers and are taken away by hand. Needs root: containers of an ordinary user have no networks here.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

[ "$(id -u)" -eq 0 ] || { echo "Run it as root: sudo make containers" >&2; exit 1; }
missing=()
for pair in podman:podman runc:runc debootstrap:debootstrap catatonit:catatonit iptables:iptables; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
for one in netavark aardvark-dns; do [ -x "/usr/lib/podman/$one" ] || missing+=("$one"); done
[ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"

cmp -s requirements/containers.txt .tools/containers/installed || {
  .tools/bin/uv venv --quiet --clear --no-config .tools/containers
  .tools/bin/uv pip install --quiet --python .tools/containers/bin/python --require-hashes -r requirements/containers.txt
  cp requirements/containers.txt .tools/containers/installed
}

here=$PWD/var/containers
mkdir -p "$here"
export CONTAINERS_STORAGE_CONF=$here/storage.conf CONTAINERS_CONF=$here/containers.conf CONTAINERS_REGISTRIES_CONF=$here/registries.conf
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$here/storage" "$here/run" >"$CONTAINERS_STORAGE_CONF"
printf 'unqualified-search-registries = ["docker.io"]\n' >"$CONTAINERS_REGISTRIES_CONF"
cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=9000:9000", "nproc=9000:9000"]
[network]
network_backend = "netavark"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF

image() { podman image exists "$1"; }
standin() { # stage, name of the image it stands for
  image "$2" || {
    echo "→ making $2 of Debian packages"
    podman build --quiet --format docker --target "$1" --tag "$2" deploy/containers >/dev/null 2>"$here/build.log" ||
      { cat "$here/build.log" >&2; exit 1; }
  }
}
if ! image localhost/costops-debian; then
  echo "→ bringing a Debian"
  rm -rf "$here/debian"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,python3-venv bookworm "$here/debian" >"$here/build.log" ||
    { tail "$here/build.log" >&2; exit 1; }
  # Whoever stands between this machine and the index of packages is known to it, and must be to the containers.
  cp /etc/ssl/certs/ca-certificates.crt "$here/debian/etc/ssl/certs/"
  tar -C "$here/debian" -c . | podman import --quiet - localhost/costops-debian >/dev/null
  rm -rf "$here/debian"
fi
standin python docker.io/library/python:3.11-slim-bookworm
standin postgres docker.io/library/postgres:15-bookworm
standin redis docker.io/library/redis:7-bookworm
standin prometheus docker.io/prom/prometheus:v2.53.4

echo "→ building the image (minutes)"
podman build --quiet --format docker --build-arg EXTRAS="${EXTRAS:-}" --tag docker.io/library/costops:local . >/dev/null 2>"$here/build.log" ||
  { cat "$here/build.log" >&2; exit 1; }
exec .tools/containers/bin/python scripts/containers.py
