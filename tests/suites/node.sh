#!/usr/bin/env bash
# The Node package: its own test script.
source "$(dirname "$0")/lib.sh"

needs_node node-binding
node-binding/test
