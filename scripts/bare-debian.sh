#!/bin/sh
# Both commands of the README on a bare Debian: debootstrap's minbase in a folder, which is what the official image holds.
#
#   scripts/bare-debian.sh [demo|test|both]    both unless given
#
# Wants root, and debootstrap and git, which it installs. The committed files are copied into the folder, not those that you
# are about to commit. Of this machine only the Rust toolchain is lent, and where packages come from: sources and settings of
# apt, pip, npm and cargo, and certificates. SUITE (that of this machine) and FOLDER (a temporary one, removed at the end) may be set.
set -eu
cd "$(dirname "$0")/.."
. scripts/need.sh
need_cargo
what=${1:-both}
case $what in demo | test | both) ;; *) echo "usage: scripts/bare-debian.sh [demo|test|both]" >&2; exit 2 ;; esac
[ "$(id -u)" = 0 ] || { echo "error: a folder becomes a root only for root; run it with sudo" >&2; exit 2; }
# Mounts of a namespace of its own end with it.
[ -n "${IN_NAMESPACE:-}" ] || exec env IN_NAMESPACE=1 unshare --mount --propagation private "$0" "$what"
need debootstrap debootstrap
need git git

suite=${SUITE:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
if [ -z "${FOLDER:-}" ]; then
    FOLDER=$(mktemp -d)
    trap 'umount -R "$FOLDER/proc" "$FOLDER/dev" "$FOLDER/toolchain" 2>/dev/null; rm -rf --one-file-system "$FOLDER"' EXIT
fi
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' | head -1)
# Other users than root must be able to enter the root folder.
chmod 755 "$FOLDER"
echo "==> debootstrap $suite" >&2
[ -e "$FOLDER/etc/debian_version" ] || debootstrap --variant=minbase --include=ca-certificates "$suite" "$FOLDER" "$mirror" >&2

# lend PATH...: a file or folder of this machine at the same place.
lend() {
    for path in "$@"; do
        [ -e "$path" ] || continue
        mkdir -p "$FOLDER$(dirname "$path")"
        cp -aT "$path" "$FOLDER$path"
    done
}
lend /etc/resolv.conf /etc/hosts /etc/apt/apt.conf.d /etc/ssl/certs /usr/local/share/ca-certificates \
    /etc/pip.conf /etc/npmrc /root/.npmrc /root/.config/pip /root/.pip "${CARGO_HOME:-/root/.cargo}/config.toml"
mkdir -p "$FOLDER/toolchain" "$FOLDER/tfo-mcp" "$FOLDER/dev/shm"
mount --bind "$(rustc --print sysroot)" "$FOLDER/toolchain"
mount --rbind /dev "$FOLDER/dev"
mount -t proc proc "$FOLDER/proc"
git archive HEAD | tar -x -C "$FOLDER/tfo-mcp"

# Where packages come from may also stand in the environment.
names='^(https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|PIP_[A-Z_]*|npm_config_[a-z_]*|NPM_CONFIG_[A-Z_]*|CARGO_[A-Z_]*|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)='
env | grep -E "$names" | grep -vE '^CARGO_(HOME|TARGET)' >"$FOLDER/environment" || true
inside() {
    echo "==> $1 on a bare Debian" >&2
    # shellcheck disable=SC2016
    chroot "$FOLDER" /usr/bin/env -i HOME=/root TERM=dumb PATH=/toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        /bin/sh -euc 'set -a; while IFS= read -r line; do export "$line"; done </environment; cd /tfo-mcp; exec "$0"' "$1"
}
started=$(date +%s)
[ "$what" = test ] || inside scripts/demo.sh
[ "$what" = demo ] || inside scripts/test.sh
echo "==> done after $(($(date +%s) - started)) s" >&2
