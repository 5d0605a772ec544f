#!/bin/sh
# As the official image does: its server takes connections from other containers.
set -eu
[ "$1" != redis-server ] || set -- "$@" --protected-mode no
exec "$@"
