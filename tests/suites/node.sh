#!/usr/bin/env bash
# The Node package: its own test script.
source "$(dirname "$0")/lib.sh"

needs flock:util-linux setpriv:util-linux
needs_node node-binding
needs_node tests/peers
needs_hallpass
node-binding/test
