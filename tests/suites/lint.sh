#!/usr/bin/env bash
# Compiler, clippy and documentation warnings, each an error.
source "$(dirname "$0")/lib.sh"

needs_rust component clippy
needs_rust target wasm32-unknown-unknown
check "clippy" cargo clippy --workspace --all-targets --locked -- -D warnings
check "clippy of the suite that is not run by default" \
    cargo clippy --locked -p hallpass --test processes -- -D warnings
check "clippy of what a page downloads" \
    cargo clippy --locked -p hallpass-web --target wasm32-unknown-unknown -- -D warnings
RUSTDOCFLAGS="-D warnings" check "documentation" cargo doc --workspace --no-deps --locked
tally
