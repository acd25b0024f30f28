#!/usr/bin/env bash
# The native shell and the command line: unit, integration and documentation tests of hallpass.
source "$(dirname "$0")/lib.sh"

needs dbus-run-session:dbus-daemon dbus-send:dbus-bin gnome-keyring-daemon:gnome-keyring strace:strace git:git zsh:zsh fish:fish
cargo test --locked --no-fail-fast -p hallpass
