#!/bin/sh
# tidy.sh BUILD: clang-tidy over src with .clang-tidy's checks, two at a time;
# slow. FILES="src/a.c …" for some only.
set -u
build=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
files=${FILES:-$(find src -name '*.c' | sort)}
# clang-tidy reports on standard output; its statistics are of no use.
echo "$files" | tr ' ' '\n' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet > "$out" 2>/dev/null
grep -E '(warning|error):' "$out" | sort -u
n=$(grep -cE '(warning|error):' "$out")
echo "tidy: $n findings"
[ "$n" -eq 0 ]
