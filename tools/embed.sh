#!/bin/sh
# embed.sh OUTDIR FILE…: write OUTDIR/web_assets.[ch], the files as C arrays.
# Needs only what every Debian has: od, awk, sha256sum.
set -eu
out=$1
shift

cat > "$out/web_assets.h" <<'H'
/* web_assets.h: the files of web/, built in. Made by tools/embed.sh. */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

struct web_asset {
	const char *name;           /* "style.css"; NULL ends the list */
	const char *content_type;
	const unsigned char *data;
	size_t size;
	const char *etag;           /* with its quotes */
};

extern const struct web_asset web_assets[];

#endif
H

type_of() {
	case $1 in
	*.css) echo 'text/css; charset=utf-8' ;;
	*.js) echo 'text/javascript; charset=utf-8' ;;
	*.html) echo 'text/html; charset=utf-8' ;;
	*.svg) echo 'image/svg+xml' ;;
	*.png) echo 'image/png' ;;
	*.ico) echo 'image/x-icon' ;;
	*.woff2) echo 'font/woff2' ;;
	*.json) echo 'application/json' ;;
	*.txt) echo 'text/plain; charset=utf-8' ;;
	*) echo 'application/octet-stream' ;;
	esac
}

{
	echo '/* Made by tools/embed.sh. */'
	echo '#include "web_assets.h"'
	n=0
	for f; do
		echo
		echo "static const unsigned char data_$n[] = {"
		od -An -v -tx1 "$f" |
		    awk '{ printf "\t"; for (i = 1; i <= NF; i++)
			printf "0x%s,", $i; printf "\n" }'
		echo "	0};   /* $(basename "$f") */"
		n=$((n + 1))
	done
	echo
	echo 'const struct web_asset web_assets[] = {'
	n=0
	for f; do
		sum=$(sha256sum < "$f" | cut -c1-16)
		printf '\t{"%s", "%s", data_%d, sizeof(data_%d) - 1, "\\"%s\\""},\n' \
		    "$(basename "$f")" "$(type_of "$f")" $n $n "$sum"
		n=$((n + 1))
	done
	printf '\t{0}\n};\n'
} > "$out/web_assets.c"
