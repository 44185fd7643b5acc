#!/bin/sh
# All tests, on real parts: PostgreSQL, PgBouncer, nginx, SQLite, Prometheus, the embedded ClickHouse, the official MCP conformance suite, the MCP
# Inspector, the Python and TypeScript SDKs of MCP.
#
# Installs with apt-get where missing: a C compiler (build-essential), npm, git, PostgreSQL, PgBouncer, nginx, Prometheus,
# its Alertmanager and python3-venv. The tests fetch
# libchdb, Node 22, both versions of the suite, the Inspector and the TypeScript SDK through npm, and the Python SDK
# through pip, all into target/tfo-test-cache; they start what they need on private ports in temporary folders, and
# end it. What Node runs in tests reaches this machine alone. Arguments go to `cargo test`; after a change of counts,
# `scripts/test.sh conformance:: -- --nocapture` prints them.
set -eu
cd "$(dirname "$0")/.."
. scripts/need.sh
need_cargo
need cc build-essential
need npm npm
need initdb postgresql
need pgbouncer pgbouncer
need nginx nginx
need prometheus prometheus
need prometheus-alertmanager prometheus-alertmanager
need git git
need_python
echo "==> cargo test" >&2
# Slow tests are left out of a plain `cargo test`.
case " $* " in
*" -- "*) exec cargo test --locked "$@" --include-ignored ;;
*) exec cargo test --locked "$@" -- --include-ignored ;;
esac
