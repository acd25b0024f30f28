#!/usr/bin/env bash
# hallpass against a real gnome-keyring: unlocked, locked, absent, slow, killed at every call.
source "$(dirname "$0")/lib.sh"

needs dbus-daemon:dbus-daemon dbus-send:dbus-bin gnome-keyring-daemon:gnome-keyring secret-tool:libsecret-tools \
    age:age expect:expect
needs_hallpass
cargo test --locked --no-fail-fast -p hallpass --test processes -- keyring::
tests/keyring/test
