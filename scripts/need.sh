# Sourced by the other scripts: `need COMMAND PACKAGE...` installs Debian packages when a command is missing.
# It says what it does, uses apt-get only, and fails with the line to run by hand where it may not install.

need() {
    command=$1
    shift
    if command -v "$command" >/dev/null 2>&1 || [ -x "/usr/sbin/$command" ] || ls /usr/lib/postgresql/*/bin/"$command" >/dev/null 2>&1; then
        return 0
    fi
    install_packages "$command" "$@"
}

# Python with what makes virtual environments, which Debian packages apart.
need_python() {
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || install_packages python3-venv python3 python3-venv
}

# install_packages WHAT PACKAGE...: what is missing, and the packages that bring it.
install_packages() {
    command=$1
    shift
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "error: \`$command\` is missing and this machine has no apt-get; install the equivalent of: $*" >&2
        exit 2
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        command -v sudo >/dev/null 2>&1 || { echo "error: run as root: apt-get install -y $*" >&2; exit 2; }
    fi
    echo "==> \`$command\` is missing: apt-get install $*" >&2
    [ -n "${apt_updated:-}" ] || { $as_root apt-get update -qq >&2; apt_updated=1; }
    # Debian's postgresql package would start a server of its own; the tests start private ones.
    case " $* " in
    *" postgresql "*)
        $as_root mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] ||
            echo 'create_main_cluster = false' | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
        ;;
    *" nginx "* | *" prometheus "* | *" prometheus-alertmanager "*)
        # So would these: they are masked where systemd would start them.
        for service in "$@"; do
            [ ! -d /run/systemd/system ] || [ -e "/etc/systemd/system/$service.service" ] ||
                $as_root ln -s /dev/null "/etc/systemd/system/$service.service"
        done
        ;;
    esac
    # And nothing is started by what stands in for systemd.
    policy=
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        $as_root chmod 755 "$policy"
    fi
    installed=0
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 || installed=$?
    [ -z "$policy" ] || $as_root rm -f "$policy"
    return "$installed"
}

need_cargo() {
    command -v cargo >/dev/null 2>&1 && return 0
    [ -x "$HOME/.cargo/bin/cargo" ] && { PATH="$HOME/.cargo/bin:$PATH"; return 0; }
    echo "error: no Rust toolchain; install Rust 1.95 or newer with rustup, then run this again" >&2
    exit 2
}
