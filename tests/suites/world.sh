#!/usr/bin/env bash
# The simulated world: scenarios, exploration, wire snapshots.
source "$(dirname "$0")/lib.sh"

cargo test --locked --no-fail-fast -p hallpass-tests
