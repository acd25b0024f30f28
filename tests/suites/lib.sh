# Shared by the suites, which source it: where things are, what a suite may need, how commands are counted.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$root/target}
cd "$root"

# Descriptor 3 is the stdout of tests/run, beside the suite's own log; a suite that was started by hand has no such thing.
{ true >&3; } 2>/dev/null || exec 3>/dev/null
say() {
    echo "== $*"
    echo "           $*" >&3
}

# needs TOOL:PACKAGE… installs the Debian packages of the tools that are not there.
needs() {
    local pair missing=()
    for pair; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "missing: install the Debian packages ${missing[*]}"
        return 1
    fi
    say "installing ${missing[*]}"
    mkdir -p "$target/test-logs"
    if [ ! -e "$target/test-logs/.apt-updated" ]; then
        apt-get update
        touch "$target/test-logs/.apt-updated"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=900 install -y --no-install-recommends "${missing[@]}"
}

# needs_rust target NAME… or needs_rust component NAME…
needs_rust() {
    local kind=$1 name installed
    shift
    installed=$(rustup "$kind" list --installed)
    for name; do
        ! grep -q "^$name" <<<"$installed" || continue
        say "installing the Rust $kind $name"
        rustup "$kind" add "$name"
    done
}

# needs_node [FOLDER] makes sure of Node 20 and of the npm packages that the folder's package-lock.json names.
needs_node() {
    local version
    version=$(node --version 2>/dev/null || echo none)
    if ! [[ $version =~ ^v([0-9]+) ]] || [ "${BASH_REMATCH[1]}" -lt 20 ]; then
        say "missing: Node 20 or later (found: $version)"
        return 1
    fi
    [ -f "${1-}/package-lock.json" ] || return 0
    # npm ci deletes what is there and starts again, so it runs only for a lock file that it has not installed yet.
    ! cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock" || return 0
    say "installing the npm packages of $1"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund && cp package-lock.json node_modules/.installed-lock)
}

# The command line program that the suites with real peers drive. HALLPASS_BIN names another build of it.
needs_hallpass() {
    if [ -z "${HALLPASS_BIN-}" ]; then
        cargo build --locked -p hallpass
        HALLPASS_BIN=$target/debug/hallpass
    fi
    HALLPASS_BIN=$(realpath "$HALLPASS_BIN")
    export HALLPASS_BIN
}

# check WHAT COMMAND… counts one command; tally prints the count and is a suite's last word.
checks_passed=0 checks_failed=0
check() {
    local what=$1
    shift
    echo "== $what: $*"
    if "$@"; then
        checks_passed=$((checks_passed + 1))
    else
        checks_failed=$((checks_failed + 1))
        echo "== FAILED: $what"
    fi
}
tally() {
    echo "$checks_passed passed, $checks_failed failed"
    [ "$checks_failed" -eq 0 ]
}
