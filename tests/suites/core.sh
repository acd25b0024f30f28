#!/usr/bin/env bash
# The machines: unit and documentation tests of hallpass-core.
source "$(dirname "$0")/lib.sh"

cargo test --locked --no-fail-fast -p hallpass-core
