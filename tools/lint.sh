#!/bin/sh
# lint.sh: the rules that a machine can check, in seconds. Prints FILE:LINE:
# what is wrong, and fails. Function sizes are clang-tidy's: make tidy.
cd "$(dirname "$0")/.." || exit 2
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

find src tests -name '*.[ch]' | sort > "$tmp/files"

# Who includes whom. Files directly in src are the folder "main", all of tests
# is "tests".
xargs grep -nE '^#include "' < "$tmp/files" /dev/null |
awk '
	FILENAME ~ /deps.txt$/ {
		if ($0 ~ /^#/ || NF == 0) next
		f = $1; sub(/:$/, "", f); known[f] = ok[f, f] = 1
		for (i = 2; i <= NF; i++) ok[f, $i] = 1
		next
	}
	{
		split($0, part, ":"); file = part[1]; n = split(file, p, "/")
		from = p[1] == "tests" ? "tests" : n == 2 ? "main" : p[2]
		to = $0; sub(/^[^"]*"/, "", to); sub(/".*/, "", to)
		if (to !~ /\//) {
			# A header made by the build, or one directly in src.
			if (to != "web_assets.h" && from != "main" &&
			    from != "tests")
				bad("includes \"" to "\" of main")
			next
		}
		sub(/\/.*/, "", to)
		if (to == "tests") {
			if (from != "tests") bad("includes a test")
		} else if (!(from in known))
			bad("folder is not in tools/deps.txt: " from)
		else if (!((from, to) in ok))
			bad(from " must not include " to)
	}
	function bad(what) { print part[1] ":" part[2] ": " what }
' tools/deps.txt - > "$tmp/out"

# One pass over every line. Comments are not looked into for the bans; a line
# that needs what is banned says why: /* lint: the condition's own clock */.
xargs awk -v soft="${LINT_SOFT:-}" '
	FNR == 1 { ends(); lines = 0; comment = 0; path = FILENAME }
	{ lines = FNR }
	/[ \t]$/ { bad("blanks at the end of the line") }
	{
		wide = $0; col = 0
		n = split(wide, piece, "\t")
		for (i = 1; i <= n; i++) {
			# Bytes that only continue a character take no column.
			gsub(/[\200-\277]/, "", piece[i])
			col += length(piece[i])
			if (i < n) col += 8 - col % 8
		}
		if (col > 100) bad("longer than 100 columns: " col)
		else if (col > 80 && soft != "") bad("longer than 80 columns")
	}
	{
		code = $0
		excused = code ~ /\/\* lint: [^*]+\*\//
		if (comment) {
			if (!match(code, /\*\//)) next
			code = substr(code, RSTART + 2); comment = 0
		}
		gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
		gsub(/\/\*([^*]|\*[^\/])*\*\//, "", code)
		sub(/\/\/.*/, "", code)
		if (match(code, /\/\*/)) { code = substr(code, 1, RSTART - 1); comment = 1 }
		if (excused) code = ""
	}
	code ~ /(^|[^A-Za-z0-9_])(strcpy|strcat|stpcpy|sprintf|vsprintf|strtol|strtoll|sscanf|atoi|atol|atoll|atof|alloca|gets|strtok|strncpy|strncat)[ \t]*\(/ {
		bad("banned function: " code)
	}
	path ~ /^src\// && code ~ /(^|[^A-Za-z0-9_])strtoul?l?[ \t]*\(/ {
		bad("banned function, str_u64 reads numbers: " code)
	}
	path ~ /^src\// && path !~ /^src\/world\// &&
	code ~ /(^|[^A-Za-z0-9_.>])(clock_gettime|gettimeofday|time|random|srandom|rand|srand|getrandom|getentropy|RAND_bytes)[ \t]*\(/ {
		bad("clock and randomness come from world: " code)
	}
	path != "src/base/attr.h" && path !~ /^src\/base\/mem\.h$/ &&
	code ~ /__attribute__/ { bad("attributes are named in base/attr.h") }
	code ~ /(^|[^A-Za-z0-9_])typedef[ \t]+(struct|union|enum)[ \t]/ && code !~ /\(/ {
		bad("no typedef of a struct, union or enum")
	}
	END { ends() }
	function bad(what) { print FILENAME ":" FNR ": " what }
	function ends() {
		if (path == "") return
		# A header of tests may hold a whole rig.
		top = path ~ /^tests\// ? 600 : 150
		if (path ~ /\.h$/ && lines > top)
			print path ":" lines ": header longer than " top " lines"
		if (path ~ /\.c$/ && lines > 900)
			print path ":" lines ": file longer than 900 lines"
		else if (path ~ /\.c$/ && lines > 600 && soft != "")
			print path ":" lines ": file longer than 600 lines"
	}
' < "$tmp/files" >> "$tmp/out"

# Scripts at least parse.
for s in tools/*.sh tests/*/*.sh .ci/run; do
	[ -f "$s" ] || continue
	sh -n "$s" 2>> "$tmp/out" || echo "$s: does not parse" >> "$tmp/out"
done

if [ -n "${LINT_CPPCHECK:-}" ] && command -v cppcheck > /dev/null; then
	cppcheck -q --std=c11 --language=c -Isrc --inline-suppr \
	    --enable=warning,portability --suppress=missingInclude \
	    --suppress=nullPointerArithmetic -D__STDC_VERSION__=201710L \
	    --template='{file}:{line}: {id}: {message}' src 2>> "$tmp/out"
fi

sed 's/[ \t]*$//' "$tmp/out" | head -200
if [ -s "$tmp/out" ]; then
	echo "lint: $(wc -l < "$tmp/out") findings in $(wc -l < "$tmp/files") files"
	exit 1
fi
echo "lint: $(wc -l < "$tmp/files") files, nothing found"
