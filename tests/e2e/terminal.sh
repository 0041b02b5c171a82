# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# terminal.sh - for tests of 'machina run': a terminal that is driven step by step (see "terminal").
#
#	terminal_begin machina run web
#	terminal "expect GUEST-UP"; ok $? "the guest is up"
#	terminal_end
#	is "$answer" "status 0, terminal restored" "it ends well"

export NO_COLOR=1
log=/run/terminal.log

terminal_begin() { # command...
	coproc TERMINAL { exec "${e2e:?}/terminal" "$log" "$@" 2>&1; }
	terminal_pid=$!
}

terminal() { # what the tool is to do; its answer goes to "answer"
	echo "$1" >&"${TERMINAL[1]}"
	read -r answer <&"${TERMINAL[0]}"
	[ "$answer" = ok ] || { [ "${1%% *}" != end ] && diag "$answer"; }
	[ "$answer" = ok ]
}

terminal_end() {
	terminal end
	wait "$terminal_pid"
}

# The process of a machine's QEMU in the foreground.
qemu_of() { pgrep -f "^/usr/bin/qemu-system-x86_64 .*guest=$1,"; }

status_of() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"; } # process, name

left() { # machine
	left_of "$1"
	find /run/user/1000 -mindepth 1 -not -path /run/user/1000/machina 2>/dev/null
	pgrep -a 'swtpm|qemu-sys'
}
