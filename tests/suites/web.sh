#!/usr/bin/env bash
# The browser package in real browsers, against two real authorization servers.
source "$(dirname "$0")/lib.sh"

needs chromium:chromium firefox-esr:firefox-esr
needs_rust target wasm32-unknown-unknown
needs_node wasm
needs_node tests/peers
needs_node tests/web
needs_hallpass
wasm/build

# What tests have measured is told on the way, beside what they found out.
HALLPASS_NUMBERS=$(mktemp)
export HALLPASS_NUMBERS
code=0
# One file after the other: they would only take the processor from each other.
node --test --test-concurrency=1 --test-timeout=180000 tests/web/*.test.mjs tests/web/race.mjs || code=$?
while read -r line; do say "$line"; done <"$HALLPASS_NUMBERS"
rm -f "$HALLPASS_NUMBERS"
exit "$code"
