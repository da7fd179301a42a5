#!/bin/sh
# What the build consists of, for meson.build and the Makefile.
#   sources.sh folders   FOLDER SOURCE… per folder of src; "main": src itself
#   sources.sh unit|fuzz NAME SOURCE LIB,LIB… per unit test or fuzz target
#   sources.sh web|fault|sim|bench    one file a line
#   sources.sh all       everything: a new file means "configure again"
set -eu
cd "$(dirname "$0")/.."
LC_ALL=C
export LC_ALL

# The folders whose libraries some folders need: themselves, their rows of
# deps.txt, and the rows of those.
closure() {
	awk -v want="$*" '
		/^#/ || NF == 0 { next }
		{ f = $1; sub(/:$/, "", f); row[f] = ""
		  for (i = 2; i <= NF; i++) row[f] = row[f] " " $i }
		END {
			n = split(want, todo, " ")
			for (i = 1; i <= n; i++) seen[todo[i]] = 1
			for (i = 1; i <= n; i++) {
				k = split(row[todo[i]], to, " ")
				for (j = 1; j <= k; j++)
					if (!(to[j] in seen)) {
						seen[to[j]] = 1; todo[++n] = to[j]
					}
			}
			for (i = 1; i <= n; i++)
				printf "%s%s", (i > 1 ? "," : ""), todo[i]
		}' tools/deps.txt
}

c_files() {
	[ -d "$1" ] || return 0
	find "$@" -name '*.c' | sort
}

case ${1:-} in
folders)
	for d in src/*/; do
		d=${d%/}
		list=$(c_files "$d" | tr '\n' ' ')
		[ -z "$list" ] || echo "${d#src/} ${list% }"
	done
	list=$(c_files src -maxdepth 1 | grep -v '^src/main\.c$' | tr '\n' ' ')
	[ -z "$list" ] || echo "main ${list% }"
	;;
unit)
	for f in $(c_files tests/unit | grep '/test_[^/]*$'); do
		name=$(basename "$f" .c)
		folder=${name#test_}
		folder=${folder%%_*}
		echo "$name $f $(closure "$folder")"
	done
	;;
web) find web -type f ! -name '.*' ! -name '*.md' | sort ;;
fault) c_files tests/fault ;;
sim) c_files tests/sim ;;
fuzz)
	for f in $(c_files tests/fuzz | grep '/fuzz_[^/]*$'); do
		uses=$(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$f" | sort -u)
		echo "$(basename "$f" .c) $f $(closure $uses)"
	done
	;;
bench) c_files tests/bench | grep '/bench_[^/]*$' || true ;;
all)
	find meson.build meson_options.txt tests/meson.build tools/deps.txt \
	    tools/sources.sh
	find src tests web -name '*.c' -o -path 'web/*' -type f | sort
	;;
*)
	echo "usage: $0 folders|unit|web|fault|sim|fuzz|bench|all" >&2
	exit 2
	;;
esac
