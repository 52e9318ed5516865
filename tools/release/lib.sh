# shellcheck shell=bash
# What the scripts of `make release-check` share; to be sourced.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/noroshi-release
mkdir -p "$cache"
PATH=$PATH:/usr/sbin:/sbin

# need PROGRAM PACKAGE...: installs Debian packages where the program is missing, without starting their services.
need() {
	local program=$1 policy=/usr/sbin/policy-rc.d had=
	shift
	! command -v "$program" >/dev/null || return 0
	[ -e "$policy" ] && had=1
	[ -n "$had" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; }
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
	[ -n "$had" ] || rm -f "$policy"
}

# await SECONDS COMMAND...: tries a command until it succeeds.
await() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.2
	done
}
