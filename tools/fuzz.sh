#!/bin/sh
# fuzz.sh BUILD SECONDS: every libFuzzer target for so long each, from its
# corpus; new inputs go to BUILD/corpus, findings to BUILD/findings.
set -u
build=$1
seconds=$2
passed=0
failed=0
mkdir -p "$build/findings"
for t in "$build"/tests/fuzz_*; do
	[ -f "$t" ] && [ -x "$t" ] || continue
	name=${t##*/fuzz_}
	mkdir -p "$build/corpus/$name"
	set -- "$build/corpus/$name"
	[ ! -d "tests/fuzz/corpus/$name" ] || set -- "$@" "tests/fuzz/corpus/$name"
	dict=
	[ ! -f "tests/fuzz/$name.dict" ] || dict="-dict=tests/fuzz/$name.dict"
	log="$build/findings/$name.log"
	if "$t" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
	    -artifact_prefix="$build/findings/$name-" $dict "$@" \
	    > "$log" 2>&1; then
		passed=$((passed + 1))
		echo "$name: $(grep -E '^Done' "$log" | tail -1)"
	else
		failed=$((failed + 1))
		tail -40 "$log"
		echo "$name: FAILED, see $log and $build/findings"
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
