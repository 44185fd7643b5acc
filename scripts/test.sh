#!/bin/sh
# All tests, on real parts: PostgreSQL, SQLite, the embedded ClickHouse, the MCP Inspector.
#
# Installs with apt-get where missing: a C compiler (build-essential), npm and PostgreSQL. The tests fetch libchdb,
# Node 22 and the Inspector through npm into target/tfo-test-cache, start what they need on private ports in
# temporary folders, and end it. Arguments go to `cargo test`.
set -eu
cd "$(dirname "$0")/.."
. scripts/need.sh
need_cargo
need cc build-essential
need npm npm
need initdb postgresql
echo "==> cargo test" >&2
exec cargo test --locked "$@"
