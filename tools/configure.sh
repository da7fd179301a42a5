#!/bin/sh
# configure.sh BUILD [OPTION…]: have meson configure BUILD, but only when that
# is needed: nothing there yet, another compiler or other options than last
# time, or another set of files.
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
meson=${MESON:-meson}
wish="${CC:-cc} $*"

mkdir -p "$build"
tools/sources.sh all > "$build/.files.new"
if [ ! -f "$build/build.ninja" ] ||
    [ "$wish" != "$(cat "$build/.wish" 2>/dev/null)" ]; then
	rm -rf "$build/meson-private" "$build/meson-info" "$build/build.ninja"
	out=$("$meson" setup "$build" "$@" 2>&1) || {
		echo "$out" >&2
		exit 1
	}
elif ! cmp -s "$build/.files.new" "$build/.files"; then
	out=$("$meson" setup --reconfigure "$build" 2>&1) || {
		echo "$out" >&2
		exit 1
	}
fi
echo "$wish" > "$build/.wish"
mv "$build/.files.new" "$build/.files"
