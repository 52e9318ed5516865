# Foreign programs that receive what sinks send, so that tests read what really arrives. Functions that the scripts share; to be sourced.
#
#   <name>/install            fetches what start needs; does nothing the second time
#   <name>/start PORT [DIR]   returns once 127.0.0.1:PORT answers; DIR holds log, pid and what was received
#   <name>/stop  PORT [DIR]   ends exactly the process that start began
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
name=$(basename "$here")
home=${COUNTERPARTS_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/noroshi-counterparts}
PATH=$PATH:/usr/sbin:/sbin

die() { echo "$name: $*" >&2; exit 1; }

# place reads PORT and DIR into port and dir.
place() {
	[ $# -ge 1 ] || die "usage: PORT [DIR]"
	port=$1
	dir=${2:-$home/run/$name-$port}
}

# born prints the kernel's start time of process $1: a pid used again has another one.
born() { awk '{sub(/.*\) /, ""); print $20}' "/proc/$1/stat" 2>/dev/null; }

running() {
	[ -s "$dir/pid" ] || return 1
	read -r pid born <"$dir/pid"
	[ -n "$born" ] && [ "$(born "$pid")" = "$born" ]
}

# spawn runs a command in the background, in a session of its own.
spawn() {
	mkdir -p "$dir"
	! running || die "already running on $port"
	setsid "$@" >"$dir/log" 2>&1 </dev/null &
	echo "$! $(born $!)" >"$dir/pid"
}

# await tries a command until it succeeds; it gives up when the process ends or after 90 s.
await() {
	for _ in $(seq 450); do
		"$@" >/dev/null 2>&1 && return 0
		running || { tail -n 20 "$dir/log" >&2; die "ended while starting"; }
		sleep 0.2
	done
	die "not ready after 90 s, see $dir/log"
}

answers() { curl -fsS -o /dev/null --noproxy '*' --max-time 2 "$@"; }
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

# halt ends the process: TERM, and KILL after 15 s.
halt() {
	if running; then
		kill -TERM "$pid"
		for _ in $(seq 75); do running || break; sleep 0.2; done
		! running || kill -KILL "$pid"
	fi
	rm -f "$dir/pid"
}

# certs makes a test CA with a server and a client certificate in $home/certs.
# Test keys only: never to be trusted by anything else.
certs() {
	local c=$home/certs
	[ ! -s "$c/client.crt" ] || return 0
	mkdir -p "$c"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=noroshi test CA" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$c/ca.key" -out "$c/ca.crt" 2>/dev/null
	local who
	for who in server client; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$who.noroshi.test" \
			-keyout "$c/$who.key" -out "$c/$who.csr" 2>/dev/null
		openssl x509 -req -in "$c/$who.csr" -CA "$c/ca.crt" -CAkey "$c/ca.key" -CAcreateserial -days 3650 -out "$c/$who.crt" \
			-extfile <(printf 'subjectAltName=DNS:%s.noroshi.test,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=%sAuth\n' "$who" "$who") 2>/dev/null
	done
}

# apt installs Debian packages that are missing, without starting their services.
apt() {
	dpkg -s "$@" >/dev/null 2>&1 && return 0
	local policy=/usr/sbin/policy-rc.d had=
	[ -e "$policy" ] && had=1
	[ -n "$had" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; }
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
	[ -n "$had" ] || rm -f "$policy"
}
