# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# libvirt.sh - what the benchmarks against libvirt share: one machine for both programs, libvirt's daemons.
#
#	. "$(dirname "$0")/libvirt.sh"
#	with_libvirt        # from here on, in a throw-away system: libvirtd runs, both know the machine "peer"
#
# The packages are installed on the host, but only those that start nothing there: libvirt-daemon-system,
# which has the units, would enable its daemons. So the units are written here. They, the daemons and all
# that these write are of the throw-away system and go with it.

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/e2e/lib.sh
. "$bench/../e2e/lib.sh"

with_libvirt() {
	if [ "${E2E_INSIDE-}" != 1 ]; then
		[ "$(id -u)" = 0 ] || skip_all "it boots a throw-away system, which only root may"
		"$bench/../install-packages" host guest bench >&2 || skip_all "libvirt cannot be installed"
	fi
	in_system -t 1800
	peer_host && peer_machine && peer_libvirt || exit 1
}

# What both use: a disk and a bridge.
peer_host() {
	disk /var/lib/vm/peer.raw 64M || return
	bridge br0 || skip_all "this kernel makes no bridges"
}

peer_machine() {
	systemd-sysusers machina.conf 2>/dev/null || return
	cp -r "$bench/peer/machina.conf.json" "$bench/peer/machine.conf.d" /etc/machina/ || return
	machina generate peer >/dev/null && systemctl daemon-reload
}

peer_libvirt() {
	libvirt_start || return
	# For its sockets and logs.
	install -d -o libvirt-qemu /run/peer && virsh -q define "$bench/peer/domain.xml" >&2
}

# libvirt as it is after its installation, whatever this host has made of it.
libvirt_start() {
	export LIBVIRT_DEFAULT_URI=qemu:///system
	rm -rf /etc/libvirt /var/lib/libvirt /var/cache/libvirt
	install -d -m 700 /etc/libvirt && cp -r /usr/share/libvirt/nwfilter /etc/libvirt/ || return
	# The machine does without it. Where it is there and does not work for the daemon's user, libvirt asks
	# QEMU anew for all that it can do, before each start: seconds that no working host spends.
	rm -f /dev/kvm
	systemd-sysusers --inline 'u libvirt-qemu - "Libvirt Qemu"' 2>/dev/null || return
	peer_units && systemctl daemon-reload && systemctl start libvirtd.service
}

# As Debian's, without what has no part in starting a machine.
peer_units() {
	local dir=/run/systemd/system
	cat >$dir/virtlogd.socket <<-EOT
	[Socket]
	ListenStream=/run/libvirt/virtlogd-sock
	SocketMode=0600
	EOT
	cat >$dir/virtlogd.service <<-EOT
	[Service]
	ExecStart=/usr/sbin/virtlogd
	EOT
	cat >$dir/libvirtd.service <<-EOT
	[Unit]
	Requires=virtlogd.socket dbus.socket
	After=virtlogd.socket dbus.socket
	[Service]
	Type=notify
	ExecStart=/usr/sbin/libvirtd
	KillMode=process
	LimitNOFILE=8192
	LimitMEMLOCK=64M
	EOT
}
