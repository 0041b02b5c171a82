/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moments in which a stop of a machine that starts would be a signal that nobody listens to, and
 * SIGKILL after its time: before `machina await` listens, and between the moment in which it finds
 * the guest ready and the one in which systemd sees that. systemd's word is what counts in them.
 */
#pragma once

enum unit_phase {
	PHASE_STARTING,
	PHASE_UP,
	PHASE_KILLED, /* it was sent the signal of a stop */
	PHASE_OTHER,
	PHASE_UNKNOWN, /* systemd can't be asked */
};

/*
 * How far a machine's start is. While systemd can't be asked, since it begins anew for instance,
 * that is tried again for a minute.
 *
 * @qemufd: a pidfd whose end is PHASE_OTHER; or -1
 */
enum unit_phase await_guard_look(const char *machine, int qemufd);

/*
 * What comes of a machine's start: looks at its unit until that is not PHASE_STARTING any more,
 * however long another hook of it takes, and whether or not systemd begins anew meanwhile.
 *
 * @qemufd: a pidfd whose end is PHASE_OTHER; or -1
 */
enum unit_phase await_guard_watch(const char *machine, int qemufd);

/*
 * Leave a process behind that looks at the unit until it is active, or QEMU has ended. Where the
 * unit is being stopped by a signal, with no ExecStop= that would ask the guest, it does
 * @shut_down.
 *
 * @qemufd: a pidfd, borrowed
 * @shut_down: does not return
 *
 * Where no process can be made, there is none.
 */
void await_guard_leave(const char *machine, int qemufd, void (*shut_down)(void));
