#!/bin/sh
# The main job on a fresh machine: builds tfo-mcp, fetches the embedded ClickHouse, loads 24 hours of telemetry,
# and shows what a model sees of an incident. No server is installed or needed.
#
# Installs with apt-get where missing: a C compiler (build-essential) and npm. Everything else comes through cargo
# and npm. Arguments go to `tfo-mcp demo`, such as --scale 0.1.
set -eu
cd "$(dirname "$0")/.."
. scripts/need.sh
need_cargo
need cc build-essential
need npm npm
echo "==> cargo build --release (a first build takes some minutes)" >&2
cargo build --release --locked
exec target/release/tfo-mcp demo "$@"
