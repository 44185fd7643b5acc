#!/bin/sh
# Plays every scenario of the demo with three seeds at three times of the day, and fifty quiet days, and prints which facts one document
# about the cause tells, beside what cutting pretty-printed JSON of the same sections keeps.
#
# `TFO_PROOF_ONLY=NAME` plays one scenario; `TFO_PROOF_SHOW=1` prints the documents. `.ci/run` plays one seed of each as part of the
# tests.
set -eu
cd "$(dirname "$0")/.."
TFO_PROOF=full exec scripts/test.sh --test it scenarios:: -- --nocapture --test-threads 1 "$@"
