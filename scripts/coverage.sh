#!/bin/sh
# How many lines of src the tests run: the unit tests, the integration tests (tests/it), both together.
#
# The aims are 85, 70 and 80 of a hundred. Unit tests stand beside pure code alone (ARCHITECTURE.md, code map), so that their aim is of the
# modules that are pure; what they run of all lines is printed as well. Installs cargo-tarpaulin where it is missing (about four minutes),
# and what scripts/test.sh installs. Builds everything once more with counters, in target/coverage. The integration tests are those of the
# inner loop; with `--all` those that are marked slow run as well (about an hour).
set -eu
cd "$(dirname "$0")/.."
. scripts/need.sh
need_cargo
need cc build-essential
need initdb postgresql
need_python
if ! command -v cargo-tarpaulin >/dev/null 2>&1; then
    echo "==> cargo install cargo-tarpaulin" >&2
    cargo install cargo-tarpaulin --version '^0.37' --locked --debug --quiet
fi
slow=
[ "${1:-}" != --all ] || slow=--ignored

# measure NAME WHICH...: lines that these tests run, into target/coverage/NAME.
measure() {
    name=$1
    shift
    echo "==> $name tests, with counters" >&2
    cargo tarpaulin --engine llvm --follow-exec --no-fail-fast --locked --skip-clean --target-dir target/coverage/build \
        --include-files 'src/*' --timeout 3600 --out Json --output-dir "target/coverage/$name" "$@" >"target/coverage/$name.log" 2>&1 ||
        { failed=1; echo "==> not all passed; what ran counts all the same:" >&2; grep -h ' FAILED$' "target/coverage/$name.log" >&2; }
}
failed=0
mkdir -p target/coverage
rm -f target/coverage/*/tarpaulin-report.json
measure unit --lib
measure integration --test it $slow
# Build scripts write theirs where they run.
rm -f build_rs_cov.profraw

python3 - <<'EOF'
import json

def lines(name):
    with open(f"target/coverage/{name}/tarpaulin-report.json") as report:
        files = json.load(report)["files"]
    return {
        ("/".join(file["path"]), trace["line"]): trace["stats"].get("Line", 0) > 0
        for file in files for trace in file["traces"]
    }

unit, integration = lines("unit"), lines("integration")
both = {line: unit.get(line, False) or integration.get(line, False) for line in {**unit, **integration}}

PURE = ("arithmetic", "masking", "sql", "template", "written")

def is_pure(path):
    module = path.rsplit("/src/", 1)[-1].split("/")[0]
    return module.removesuffix(".rs") in PURE

pure = {line: run for line, run in unit.items() if is_pure(line[0])}
for name, found, aim in [("unit, pure", pure, "aim 85"), ("integration", integration, "aim 70"), ("overall", both, "aim 80"),
                         ("unit, of all", unit, "no aim")]:
    run = sum(found.values())
    print(f"{name:<12} {run:>6} of {len(found):>6} lines  {100 * run / max(len(found), 1):5.1f} %  ({aim})")
EOF
exit "$failed"
