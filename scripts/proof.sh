#!/bin/sh
# The proofs of which `.ci/run` plays a part, in whole. Every scenario of the demo with three seeds at three times of the day, and fifty
# quiet days: prints which facts one document about the cause tells, beside what cutting pretty-printed JSON of the same sections keeps.
# Then every way to break a condition about whose rows a statement reads, in every statement.
#
# `TFO_PROOF_ONLY=NAME` plays one scenario and nothing else; `TFO_PROOF_SHOW=1` prints the documents.
set -eu
cd "$(dirname "$0")/.."
TFO_PROOF=full scripts/test.sh --test it scenarios:: -- --nocapture --test-threads 1 "$@"
[ -n "${TFO_PROOF_ONLY:-}" ] || MUTANTS=all scripts/test.sh --test it proof::conditions:: -- --nocapture --test-threads 1
