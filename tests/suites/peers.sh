#!/usr/bin/env bash
# hallpass against a real authorization server (npm oidc-provider) and a scripted person.
source "$(dirname "$0")/lib.sh"

needs_node tests/peers
needs_hallpass
cd tests/peers
# Each file and each test in it ends within two minutes, or has failed.
node --test --test-timeout=120000
