# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# lib.sh - what end-to-end tests share: a throw-away system with this build installed, a guest, TAP.
#
#	# shellcheck source=tests/e2e/lib.sh
#	. "$(dirname "$0")/lib.sh"
#	in_system                       # from here on, inside, as root, with a systemd of its own
#	host_config                     # pools "disks" and "isos", networks "user" and "lan"
#	guest_machine web               # boots the test guest; its console is logged
#	check "it starts" machina start web
#	wait_console web GUEST-UP; ok $? "the guest is up"
#	done_testing
#
# MACHINA_BUILD names the build directory. Nothing that a test does outlives it, so tests clean up
# nothing. Tests do not sleep: wait_until polls for the event, and its limit only ends what hangs. It is long, as
# all limits are: a host that is busy with other things may be ten times as slow, and a test passes there as well.

set -u
e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin

# ------------------------------------------------------------------- TAP --
e2e_count=0 e2e_failed=0

diag() { # text...: lines that explain
	printf '%s\n' "$@" | sed 's/^/# /'
}

ok() { # status, name: 0 has passed
	e2e_count=$((e2e_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $e2e_count - $2"
	else
		e2e_failed=$((e2e_failed + 1))
		local i=1
		while [ "${BASH_SOURCE[i]##*/}" = lib.sh ]; do i=$((i + 1)); done
		diag "at ${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}"
		echo "not ok $e2e_count - $2"
		return 1
	fi
}

is() { # got, expected, name
	[ "$1" = "$2" ] || diag "expected: $2" "     got: $1"
	[ "$1" = "$2" ]; ok $? "$3"
}

like() { # text, extended regular expression, name
	local status
	grep -qE -e "$2" <<<"$1"
	status=$?
	[ $status = 0 ] || diag "expected something like: $2" "got:" "$1"
	ok $status "$3"
}

unlike() { # text, extended regular expression, name
	local status=0
	if grep -qE -e "$2" <<<"$1"; then diag "did not expect: $2" "got:" "$1"; status=1; fi
	ok $status "$3"
}

check() { # name, command...: the command succeeds; its output is shown if not
	local name=$1 output status
	shift
	output=$("$@" 2>&1 </dev/null)
	status=$?
	[ $status = 0 ] || diag "'$*' ended with status $status:" "$output"
	ok $status "$name"
}

check_status() { # status, name, command...
	local expected=$1 name=$2 output status
	shift 2
	output=$("$@" 2>&1 </dev/null)
	status=$?
	[ $status = "$expected" ] || diag "'$*' ended with status $status, not $expected:" "$output"
	[ $status = "$expected" ]; ok $? "$name"
}

check_json() { # argument...: what that command prints with --json is as machina-json(5) says
	local output status
	output=$(machina "$@" --json 2>/dev/null </dev/null | /usr/bin/python3 "$e2e/../jsonpage.py" "$@" 2>&1)
	status=$?
	[ $status = 0 ] || diag "$output"
	ok $status "$* --json: as the page says"
}

skip() { # name, reason
	e2e_count=$((e2e_count + 1))
	echo "ok $e2e_count - $1 # SKIP $2"
}

skip_all() { # reason: the whole test
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() { # the plan; ends the test
	[ ! -d "$e2e_reports" ] || is "$(e2e_reported)" "" "no sanitizer has found anything"
	if [ $e2e_failed -gt 0 ] && [ "${E2E_INSIDE-}" = 1 ]; then
		diag "the end of the journal:" "$(journalctl -b --no-pager -n 120 -o short-precise 2>&1)"
	fi
	echo "1..$e2e_count"
	[ $e2e_failed = 0 ] && [ $e2e_count -gt 0 ]
	exit
}

# --------------------------------------------------------------- waiting --
# A pause is that of a pipe in which nothing comes, since sleep(1) is a process, and longer the longer the command
# took: who waits leaves the processor to what is waited for.
wait_until() { # seconds, command...: until it succeeds
	local now=${EPOCHREALTIME/[.,]/} begun pause nothing
	local end=$((now + $1 * 1000000))
	shift
	exec {nothing}<> <(:)
	while begun=$now; ! "$@" >/dev/null 2>&1 </dev/null; do
		now=${EPOCHREALTIME/[.,]/}
		if [ "$now" -ge $end ]; then
			exec {nothing}>&-
			return 1
		fi
		pause=$((50000 + 3 * (now - begun)))
		[ $pause -le 250000 ] || pause=250000
		printf -v pause '0.%06d' $pause
		read -r -t "$pause" -u "$nothing"
		now=${EPOCHREALTIME/[.,]/}
	done
	exec {nothing}>&-
}

# ------------------------------------------------------------ the system --
# The test goes on in a throw-away system; the arguments are options of with-systemd (-p: the system is
# powered off in the regular way at the end; -t, which has to be the first one: limit in seconds, three times as many
# with sanitizers).
in_system() {
	if [ "${E2E_INSIDE-}" = 1 ]; then
		cp -a "$E2E_CACHE/install/." / || exit 1
		install -d -m 755 /etc/machina/machine.conf.d
		cd /var/tmp || exit 1
		! e2e_sanitized || e2e_begin_reports || exit 1
		return
	fi
	[ "$(id -u)" = 0 ] || skip_all "it boots a throw-away system, which only root may"
	[ -x "${MACHINA_BUILD-}/cmd/machina/machina" ] || { echo "Bail out! MACHINA_BUILD names no build"; exit 1; }
	local tool
	for tool in qemu-system-x86_64 busybox cpio setpriv dbus-daemon; do
		command -v $tool >/dev/null || skip_all "$tool is not installed (tests/install-packages host guest)"
	done
	e2e_prepare || { echo "Bail out! cannot prepare the guest"; exit 1; }
	local limit=1500
	if [ "${1-}" = -t ]; then
		limit=$2
		shift 2
	fi
	! e2e_sanitized || limit=$((3 * limit))
	exec "$e2e/with-systemd" -t $limit "$@" -- env E2E_INSIDE=1 E2E_CACHE="$E2E_CACHE" MACHINA_BUILD="$MACHINA_BUILD" \
		bash "$(readlink -f "$0")"
}

# A build with sanitizers (tests/run --deep) writes what they find here, wherever the program runs: in units as well,
# which get nothing of the test's environment. It ends with the status that it would have without.
e2e_reports=/run/sanitizers
e2e_sanitized() { grep -q __asan_init "$MACHINA_BUILD/cmd/machina/machina"; }
e2e_begin_reports() {
	install -d -m 1777 $e2e_reports || return
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$e2e_reports/asan:exitcode=0"
	export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$e2e_reports/asan:halt_on_error=0"
	systemctl set-environment "ASAN_OPTIONS=$ASAN_OPTIONS" "UBSAN_OPTIONS=$UBSAN_OPTIONS"
}
# Leaks can't be looked for in a process that is traced (kill-at), which is all that its report says.
e2e_reported() {
	find $e2e_reports -type f -size +0 -exec grep -ZL 'LeakSanitizer has encountered a fatal error' {} + | xargs -0r tail -n +1
}

# What test guests boot: "guest", which is the quickest; "share-guest" knows virtio-fs; "full-guest" has all
# drivers of a PC; "stop-guest" has next to none. A test chooses before in_system.
guest=guest
e2e_full_kernel() {
	local kernel
	for kernel in /boot/vmlinuz-*; do
		case $kernel in *cloud*) ;; *) echo "$kernel";; esac
	done | sort -V | tail -n 1
}

e2e_make_guest() { # name, options of make-test-guest
	local dir=$E2E_CACHE/$1
	[ ! -s "$dir/initrd" ] || [ "$e2e/make-test-guest" -nt "$dir/initrd" ] || return 0
	"$e2e/make-test-guest" -u "${@:2}" "$dir" >/dev/null || return 1
	rm -f "$E2E_CACHE/accel"
}

# Once for all tests of a build: the guest, the accelerator that works, the installed files.
e2e_prepare() {
	E2E_CACHE=$MACHINA_BUILD/e2e
	mkdir -p "$E2E_CACHE" || return 1
	local lock
	exec {lock}>"$E2E_CACHE/lock"
	flock "$lock" || return 1
	e2e_make_guest guest || return 1
	case $guest in
	share-guest) e2e_make_guest "$guest" -m virtiofs || return 1;;
	stop-guest) e2e_make_guest "$guest" -q || return 1;;
	full-guest) e2e_make_guest "$guest" -k "$(e2e_full_kernel)" -m xhci_pci -m usb_storage -m sd_mod || return 1;;
	esac
	[ -s "$E2E_CACHE/accel" ] || e2e_probe_accel >"$E2E_CACHE/accel"
	if [ ! -e "$E2E_CACHE/installed" ] || [ "$MACHINA_BUILD/cmd/machina/machina" -nt "$E2E_CACHE/installed" ]; then
		rm -rf "$E2E_CACHE/install"
		DESTDIR=$E2E_CACHE/install meson install -C "$MACHINA_BUILD" --no-rebuild --quiet >&2 || return 1
		touch -r "$MACHINA_BUILD/cmd/machina/machina" "$E2E_CACHE/installed"
	fi
	exec {lock}>&-
}

# kvm where it runs a guest: that /dev/kvm is there says little.
e2e_probe_accel() {
	if [ -w /dev/kvm ] && timeout 20 qemu-system-x86_64 -accel kvm -cpu host -m 128 -nodefaults -display none \
		-serial stdio -no-reboot -kernel "$E2E_CACHE/guest/kernel" -initrd "$E2E_CACHE/guest/initrd" \
		-append "console=ttyS0 quiet guest.poweroff" </dev/null 2>/dev/null | grep -q GUEST-UP; then
		echo kvm
	else
		echo tcg
	fi
}

accel() { cat "$E2E_CACHE/accel"; }
# For a QEMU that goes into a guest: its emulated processor, if that is a module. Debian 12 has it so.
e2e_tcg() { find /usr/lib/x86_64-linux-gnu/qemu -name accel-tcg-x86_64.so; }

# --------------------------------------------------------------- configs --
# The host's config; from standard input with "-".
host_config() {
	if [ "${1-}" = - ]; then
		cat >/etc/machina/machina.conf.json
		return
	fi
	mkdir -p /var/lib/vm
	cat >/etc/machina/machina.conf.json <<-'EOT'
	{
		"storage": {
			"disks": { "path": "/var/lib/vm", "pattern": "${machine-name}-${volume}.raw", "type": "raw" },
			"blocks": { "path": "/var/lib/vm", "pattern": "${machine-name}-${volume}.raw", "type": "raw-block" },
			"isos": { "path": "/var/lib/vm", "pattern": "${volume}.iso", "type": "iso-scsi", "readonly": true },
			"tpms": { "path": "/var/lib/vm", "pattern": "${machine-name}-${volume}", "type": "tpm-data" }
		},
		"network": {
			"user": { "mode": "user" },
			"lan": { "device": "br0" }
		}
	}
	EOT
}

machine_config() { # name: from standard input
	cat >"/etc/machina/machine.conf.d/$1.conf.json"
}

# Measured once for all tests of a build: a saved machine is not resumed with another kernel's command line.
e2e_tsc_khz() {
	local file=${E2E_CACHE:-${MACHINA_BUILD-}/e2e}/tsc-khz
	if [ ! -s "$file" ]; then
		mkdir -p "${file%/*}" && "${MACHINA_BUILD-}/tests/e2e/tsc-khz" >"$file.$$" || return 1
		# Whoever comes first is right.
		ln "$file.$$" "$file" 2>/dev/null
		rm -f "$file.$$"
	fi
	cat "$file"
}

# A guest that measures its clock while the host is busy may get one that runs many times too fast.
e2e_clock="tsc=reliable tsc_early_khz=$(e2e_tsc_khz)" || { echo "Bail out! MACHINA_BUILD names no build"; exit 1; }
# What this leaves out is much of the time that a kernel takes to begin under TCG.
e2e_quick="quiet cryptomgr.notests mitigations=off nokaslr $e2e_clock no_timer_check lsm= psi=0"
# There "rep movsb" goes byte by byte, and each patch of the kernel's code is translated anew.
e2e_quick+=" clearcpuid=erms noreplace-smp initcall_blacklist=init_kprobe_trace"
e2e_quick+=",crypto_kdf108_init,cubictcp_register,slab_sysfs_init,load_system_certificate_list"
# Types for BPF, tracing, integrity.
e2e_quick+=",bpf_rstat_kfunc_init,bpf_key_sig_kfuncs_init,kfunc_init,bpf_tcp_ca_kfunc_init,bpf_prog_test_run_init"
e2e_quick+=",init_blk_tracer,tracer_init_tracefs,event_trace_init,trace_eval_init,trace_eval_sync"
e2e_quick+=",ftrace_check_for_weak_functions,ftrace_check_sync,init_ima,init_evm,init_encrypted,digsig_init"
e2e_quick+=",blake2s_mod_init"
# What the guests of lib.sh do without; "keyboard=1" leaves them the keyboard.
e2e_without=cmos_init,dquot_init,hugetlb_init,init_acpi_pm_clocksource,ledtrig_disk_init,ksm_init,vga_arb_device_init
e2e_without+=,btf_module_init
keyboard=0

# A machine that boots the test guest: name, more of the kernel's command line (see make-test-guest), and
# JSON that is merged over the rest.
guest_machine() {
	local without=$e2e_without
	[ $keyboard = 1 ] || without+=,i8042_init
	/usr/bin/python3 - "$E2E_CACHE/$guest" "$(accel)" "$e2e_quick initcall_blacklist=$without ${2-}" "${3-{\}}" <<-'EOT' |
	import json, sys

	def merge(a, b):
	    for key, value in b.items():
	        a[key] = merge(a[key], value) if isinstance(value, dict) and isinstance(a.get(key), dict) else value
	    return a

	guest, accel, words, more = sys.argv[1:]
	config = {"attrs": {
	    "machine": {"accel": accel},
	    "cpu": {"model": "host" if accel == "kvm" else "max"},
	    "memory": {"ram": 128},
	    "boot": {"kernel": f"{guest}/kernel", "initrd": f"{guest}/initrd",
	             "cmdline": f"console=ttyS0 {words}".strip()},
	    "serial": {"enabled": True},
	}}
	merge(config, json.loads(more))
	# The firmware would wait for a key for some seconds.
	config["qemu-args"] = ["-boot", "menu=off", *config.get("qemu-args", [])]
	print(json.dumps(config, indent=2))
	EOT
		machine_config "$1"
}

# A machine that starts at once and boots nothing: QEMU waits for "cont", and stop tells it to quit.
bare_machine() { # name, JSON as above
	/usr/bin/python3 -c '
import json, sys
config = json.loads(sys.argv[1])
attrs = config.setdefault("attrs", {})
attrs.setdefault("machine", {}).setdefault("accel", "tcg")
attrs.setdefault("memory", {"ram": 16})
config["qemu-args"] = ["-S"] + config.get("qemu-args", [])
print(json.dumps(config, indent=2))' "${2-{\}}" | machine_config "$1"
}

disk() { # file, size, first line of its content: a sparse image
	mkdir -p "$(dirname "$1")" && truncate -s "$2" "$1" || return
	[ -z "${3-}" ] || echo "$3" | dd of="$1" conv=notrunc status=none
}

bridge() { # name
	ip link add "$1" type bridge && ip link set "$1" up
}

# -------------------------------------------------------------- machines --
unit() { echo "machina-qemu-$1.service"; }

unit_property() { systemctl show -P "$2" "$(unit "$1")"; } # machine, property

unit_is() { [ "$(unit_property "$1" "$2")" = "$3" ]; } # machine, property, value

console() { cat "/run/machina/$1/console.log"; } # machine

console_has() { [[ $(<"/run/machina/$1/console.log") == *"$2"* ]]; } # machine, text

wait_console() { wait_until 900 console_has "$1" "$2"; } # machine, text

# The log goes with the run directory; one more name for it stays.
hold_console() { ln -f "/run/machina/$1/console.log" "/run/$1.held-console"; } # machine

held_console() { cat "/run/$1.held-console"; } # machine

wait_unit() { wait_until 900 unit_is "$1" "$2" "$3"; } # machine, property, value

qmp() { # machine, command, arguments as JSON: the value that it returns
	"$e2e/qmp" "/run/machina/$1/qmp/command.1.qmp.socket" "${@:2}"
}

main_pid() { unit_property "$1" MainPID; } # machine

monotonic() { unit_property "$1" "$2Monotonic"; } # machine, time stamp: microseconds

# Settings of the test for one machine ("web"), or for all ("").
drop_in() { # machine: from standard input
	local dir=/etc/systemd/system/machina-qemu-$1
	# Of two files with one name systemd reads only that of the machine.
	if [ -n "$1" ]; then dir+=.service.d/51-test.conf; else dir+=.service.d/50-test.conf; fi
	mkdir -p "${dir%/*}" && cat >>"$dir" && systemctl daemon-reload
}

# What the journal has of a machine's unit, in this system. Journald reads what others have written when it gets round
# to it, so that a unit may have ended before its last words are there.
journal() { # machine
	journalctl --sync
	journalctl -b -u "$(unit "$1")" --no-pager -o cat "${@:2}"
}

# How long a command takes goes to "elapsed", in milliseconds; its output and status to "output" and "status".
# shellcheck disable=SC2034 # for the caller
timed() { # command...
	local begin=${EPOCHREALTIME/[.,]/}
	output=$("$@" 2>&1 </dev/null)
	status=$?
	elapsed=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
	return $status
}

at_most() { # number, limit, name
	local limit=$2
	! e2e_sanitized || limit=$((3 * limit))
	[ "$1" -le "$limit" ] || diag "$1 is more than $limit"
	[ "$1" -le "$limit" ]; ok $? "$3 ($1 ms)"
}

# What a machine may leave behind: nothing of this is there. Prints what is.
left_of() { # machine
	local name=$1 user
	find /run/machina /run/machina-qemu -mindepth 1 \( -path "/run/machina*/$name" -o -path "/run/machina*/$name/*" \
		-o -name ".$name.*" -o -name "..$name.*" \) 2>/dev/null
	ip -o link show 2>/dev/null | grep -F "machina:$name/"
	pgrep -a -f "qemu-system-x86_64.* -name (guest=)?${name}[ ,]"
	[ "$(unit_property "$name" NFileDescriptorStore)" = 0 ] || echo "descriptors in the store"
	systemctl list-units --all --plain --no-legend "machina-virtiofsd-$name@*" | grep -v ' inactive '
	for user in machina "machina-tpm"; do
		[ -z "$(ps -o pid= -u "$user-$name" 2>/dev/null)" ] || echo "a process of $user-$name"
	done
}

# What systemd has to say about units of ours that it would not say if they were right.
systemd_warnings() {
	journalctl -b --no-pager -o cat _PID=1 | grep -E 'machina' |
		grep -E -i 'unknown|ignoring|invalid|failed to parse|too long|not supported|deprecated|cannot store|refusing'
}
