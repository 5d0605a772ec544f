#!/bin/sh
# As the official image does: a new volume gets a cluster, a user and a database; then the server is started.
set -eu
mkdir -p /run/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  (umask 077 && printf %s "$POSTGRES_PASSWORD" >/tmp/password)
  initdb --encoding=UTF8 --locale=C.UTF-8 --username="$POSTGRES_USER" --pwfile=/tmp/password \
    --auth-local=trust --auth-host=scram-sha-256 "$PGDATA" >/dev/null
  rm /tmp/password
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=" -w start >/dev/null
  createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
fi
exec "$@"
