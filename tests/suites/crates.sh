#!/usr/bin/env bash
# How many other crates a build of Hallpass runs (those that run only at build time are not counted).
source "$(dirname "$0")/lib.sh"

at_most() {
    local limit=$1 package=$2 names count
    names=$(cargo tree --locked -p "$package" -e normal,no-proc-macro --prefix none --format '{p}' |
        awk -v own="$package" '$1 != own { print $1 "-" $2 }' | sort -u) || return
    count=$(wc -w <<<"$names")
    echo "$package: $count of at most $limit crates:" $names
    [ "$count" -le "$limit" ]
}

check "hallpass-core" at_most 22 hallpass-core
check "hallpass" at_most 85 hallpass
tally
