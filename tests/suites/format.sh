#!/usr/bin/env bash
# The layout of the Rust sources.
source "$(dirname "$0")/lib.sh"

needs_rust component rustfmt
check "cargo fmt" cargo fmt --all --check
tally
