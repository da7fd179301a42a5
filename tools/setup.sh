#!/bin/sh
# setup.sh build|test|lint|bench [COMPILER]: install the Debian packages for
# that, or say nothing when all are there. Services that come with a package (nginx, sshd,
# the exporter) are neither started nor left enabled: tests start their own
# copies on free ports.
set -eu

build='build-essential pkg-config meson ninja-build libuv1-dev
libcurl4-openssl-dev libc-ares-dev libssl-dev libmicrohttpd-dev libjansson-dev
libyaml-dev libsqlite3-dev libsystemd-dev zlib1g-dev ca-certificates tzdata'
test="$build libcmocka-dev python3 python3-pytest python3-aiosmtpd clang libclang-rt-14-dev
nginx-light|nginx dnsmasq-base openssh-server openssl curl procps iproute2
strace libfaketime util-linux"
lint="$build clang-tidy clang-format cppcheck"
bench="$test prometheus-blackbox-exporter monitoring-plugins-basic wrk fping
libcap2-bin"
units='nginx.service ssh.service ssh.socket prometheus-blackbox-exporter.service'

case ${1:-} in
build) want=$build ;;
test) want=$test ;;
lint) want=$lint ;;
bench) want=$bench ;;
*) echo "usage: $0 build|test|lint|bench [COMPILER]" >&2; exit 2 ;;
esac
[ "${2:-}" != clang ] || want="$want clang"

there() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

command -v dpkg-query >/dev/null 2>&1 || {
	echo "setup: this is not Debian; please install the equivalents of:"
	echo "$want" | tr '\n' ' '
	echo
	exit 0
}

missing=
for p in $want; do
	first=${p%%|*}
	found=no
	for alt in $(echo "$p" | tr '|' ' '); do
		! there "$alt" || found=yes
	done
	[ $found = yes ] || missing="$missing $first"
done
[ -n "$missing" ] || exit 0

echo "setup: installing for '$1':$missing"
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "setup: run this as root: apt-get install$missing" >&2
		exit 1
	}
	echo "setup: sudo may ask for your password"
	sudo='sudo'
fi

# Keep what is not wanted as a service from starting, now and at boot. Only
# units that are not there yet: a web server of yours is left alone.
masked=
if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then
	for u in $units; do
		systemctl cat "$u" >/dev/null 2>&1 || masked="$masked $u"
	done
fi
unmask() {
	[ -z "$masked" ] || $sudo systemctl unmask --runtime $masked >/dev/null 2>&1 || true
}
trap unmask EXIT
trap 'exit 130' INT TERM
[ -z "$masked" ] || $sudo systemctl mask --runtime $masked >/dev/null 2>&1 || true

install() {
	$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y \
	    --no-install-recommends $missing
}
log=$(mktemp)
if ! install >"$log" 2>&1; then
	# Old package lists, most likely.
	if ! { $sudo apt-get update && install; } >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		echo "setup: apt-get could not install:$missing" >&2
		exit 1
	fi
fi
rm -f "$log"
unmask
for u in $masked; do
	! systemctl cat "$u" >/dev/null 2>&1 ||
	    $sudo systemctl disable "$u" >/dev/null 2>&1 || true
done
masked=
