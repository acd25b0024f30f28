#!/usr/bin/env bash
# One session, many real processes: started at once, killed at every system call, stopped, interrupted.
source "$(dirname "$0")/lib.sh"

needs python3:python3 strace:strace unshare:util-linux setpriv:util-linux
# The keyring's part belongs to the suite of that name.
cargo test --locked --no-fail-fast -p hallpass --test processes -- --skip keyring::
