/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines that were saved: memory and devices in files, until the next start resumes from them.
 *
 * Where. Below /var/lib/machina/saved a machine has one directory (root, 0700: guest memory holds
 * secrets), whose name is its state. Names that begin with a dot are no machine's. Only rename(2)
 * followed by fsync(2) of the parent goes from one state to another, so that a kill or power cut
 * finds the machine in exactly one:
 *
 *	(none)		SAVED_NONE: an ordinary start boots
 *	.NAME.saving	SAVED_UNFINISHED: worth nothing; QEMU still has the guest
 *	NAME		SAVED_WHOLE: the guest is in these files, and nowhere runs on
 *	.NAME.resuming	SAVED_RESUMING: the guest was let run on from them, or was about to be
 *	.NAME.lock	whoever moves a machine between these states, or lets a guest run that was
 *			being saved, holds it
 *
 * In it: "memory", QEMU's migration stream, and "saved.json" (host/machine/saved-meta.h): what the
 * machine was started with, which QEMU, and a stamp of each disk, since memory and disks belong
 * together.
 *
 * Saving (host/machine/save.h), through a connection to QEMU's monitor, under the lock:
 *
 *	1  refuse what QEMU can't save, what was plugged in since the start, too little space. CDs
 *	   that were changed, and connections that were taken away, are written down in 5
 *	2  .NAME.saving with a saved.json that tells whether the guest ran
 *	3  stop		4  migrate to "memory", wait until completed (QEMU has flushed the disks and
 *			let go of them)
 *	5  fsync of the disks (their times must be on disk as they are stamped) and of "memory";
 *	   stamps; saved.json whole, fsync
 *	6  rename to NAME, fsync of the parent, and of those above it, where this may be the first
 *	   machine that is saved: from here on the guest is saved
 *	7  look once more that the guest stands still; else back to .NAME.saving and fail
 *	8  quit; the unit becomes inactive with success. Its teardown knows nothing of all this
 *
 * What fails in 1 to 7: the migration is canceled, the guest runs on if it ran, .NAME.saving goes.
 * Killed, what is left, and who cleans up:
 *
 *	in 1 to 2	the guest runs; a .NAME.saving is removed by the next save or start
 *	in 3 to 5	the guest stands still in QEMU ("paused", then "postmigrate"). Another save
 *			does it all again; "machina resume" and the ladder of a stop let it run on:
 *			save_let_run() first cancels what is left of the migration
 *	in 6 to 8	NAME is there and QEMU in "postmigrate": the guest must not run on here.
 *			Another save, a stop and a start make QEMU quit; "resume" first makes it
 *			.NAME.saving again, durably, and only then lets the guest run
 *	power cut	before 6 the guest is lost as in any power cut; after it, it is saved
 *	QEMU dies	as before: in 1 to 5 it took the guest with it, after 6 the guest is saved.
 *			ExecStopPost= removes .NAME.saving, as nobody may start the machine for long
 *
 * A person at another monitor who lets the guest run on during 3 to 5 ends the save (event RESUME).
 * One who does it after 6 makes memory and disks differ: the stamps show it, and a stop that finds
 * the guest running throws NAME away first.
 *
 * Resuming (host/machine/restore.h), by the hooks of the unit, whoever started it:
 *
 *	1  prepare: NAME is there. The arguments must be the unit's own, and the disks those of the
 *	   stamps, else the start is refused, and says that "machina start --discard-saved" boots
 *	   instead. Else "-incoming defer" and the machine type that the guest has go into the
 *	   unit's environment file, which lives for one start (host/prepare/environment.h)
 *	2  await: QEMU waits for the guest. It must not be older than that of the save. CD drives
 *	   get what was in them, connections that were taken away are so again. The stream
 *	   is read, with "late-block-activate": QEMU touches no disk before "cont" (but at once
 *	   where the guest was paused, and stays so)
 *	3  "resumed-in" gets the number of this boot of the host; rename to .NAME.resuming, fsync
 *	   of the parent
 *	4  cont, if the guest ran
 *	5  when systemd says that the unit is active: .NAME.resuming goes. A child of await does it:
 *	   before that, the end of await would take QEMU along, and the guest would be nowhere.
 *	   That child may be killed, or come too late to see it. So ExecStop=, which systemd runs
 *	   only after an await that ended well, and what await becomes when the unit is stopped
 *	   before it is active, begin with the same. So does ExecStopPost=, which is all that is
 *	   run after a crash, if the unit was active
 *
 * "machina start --discard-saved" boots instead: NAME becomes .NAME.resuming as the last thing
 * that prepare does, and await removes it when QEMU answers. So a start that gets less far, since
 * what it requires fails or a disk is missing, has lost nothing; one whose QEMU fails is as in 3
 * to 5. The command holds .NAME.discard below /run/machina locked meanwhile: a kill of it takes
 * that back. With the rename prepare removes that file: the command may wait for others for long,
 * and what is saved of the machine by then was not meant.
 *
 * Killed, or QEMU fails:
 *
 *	in 1 to 2	the unit fails, NAME stays. systemd's next try does the same: no start boots
 *			while NAME is there. A stream that QEMU can't read is refused until the
 *			limit of starts. Nobody lets a QEMU run that has not read its guest
 *	in 3 to 5	the unit fails, .NAME.resuming stays. The next start looks at the disks.
 *			Those that the guest may write are all files, and as they were: it has not
 *			run, or nothing came of it, and it is resumed again. One has changed: the
 *			guest ran, memory is out of date, and the start boots, as after a power cut.
 *			With a volume that is a block device, after a boot of the host (what was
 *			written may have come to the disk before the time of it) or where there
 *			was no room for "resumed-in", or with files here that can't be read, there
 *			is no telling: the start is refused. So it is with a disk that is another
 *			one, or cannot be read, or a CD that was written to: until that is right
 *	after 5		nothing is left: a crash is a crash. Where the child of 5 was killed, and
 *			the host then loses its power, it is as in 3 to 5
 *
 * Stamps. An image file: size, time of the last change in nanoseconds, and a digest of its first
 * 64 KiB, where qcow2 keeps its tables' places. Not device or inode number: numbers of devices
 * change with a boot, and a faithful copy is the same disk. A block device has no such time: size
 * and a digest of its first 2 MiB (partition table, first superblock), of 256 blocks of 4 KiB
 * spread evenly and of the last 64 KiB. A change that spares all these is not seen, as with every
 * sample.
 *
 * A TPM. QEMU fetches all of its state from swtpm into the stream, and hands it back when it reads
 * that, in place of what swtpm has: a TPM that got other keys meanwhile would lose them. So the
 * file of swtpm has a stamp as a disk that the guest writes has, of all its content and without a
 * time: it is written anew, with what is in it, by every start that reads the stream.
 *
 * Times. The limits of a start and a stop are pushed on (EXTEND_TIMEOUT_USEC in sd_notify(3)) while
 * bytes move, those of "memory" on their way to the disk included. A guest that could not be saved
 * has all of its own time to shut down then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/os/lock.h"
#include "model/plan.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

#define SAVED_MEMORY "memory"
#define SAVED_META "saved.json"
/* Of what was resumed alone: in which boot of the host. */
#define SAVED_RESUMED_IN "resumed-in"

enum saved_state { SAVED_NONE, SAVED_UNFINISHED, SAVED_WHOLE, SAVED_RESUMING };

/* A machine as it was, or will be, started. All borrowed. */
struct saved_machine {
	const char *dir; /* of all saved states: "/var/lib/machina/saved" */
	const struct plan *plan;
	const struct strv *argv; /* QEMU's, as the unit has them */
	const char *tpm_data;	 /* of the plan of its TPM's unit; NULL: it has no TPM */
};

/* In which state is it? Up to three looks at the file system; for everyone. Where NAME is there,
 * nothing else counts. */
enum saved_state saved_look(const char *dir, const char *machine);

/* The one state that most ask about, in one look: is it SAVED_WHOLE? */
bool saved_is_whole(const char *dir, const char *machine);

/*
 * Why its QEMU would answer nobody else now: somebody saves or resumes it, who has its monitor
 * until that is over. NULL: nobody does, or this user may not see it (root alone opens the lock).
 * One look where nobody does.
 */
const char *saved_occupied(const char *dir, const char *machine);

/* All whose next start begins with what was saved, SAVED_WHOLE and SAVED_RESUMING, in byte order,
 * in one look. */
MUST_CHECK int saved_list(const char *dir, struct strv *ret_machines, struct error *err);

/* Its directory in that state; not for SAVED_NONE. The caller frees it. */
char *saved_path(const char *dir, const char *machine, enum saved_state state);

/*
 * Keep others away from the machine's saved state. @dir is made if it is missing.
 *
 * Errors: EBUSY with a text that names the process that saves, resumes or discards it.
 */
MUST_CHECK int saved_lock(const char *dir, const char *machine, uint64_t wait_usec,
		struct lock *ret, struct error *err);

/* From one state to another that is not taken, durably. Under the lock. */
MUST_CHECK int saved_move(const char *dir, const char *machine, enum saved_state from,
		enum saved_state to, struct error *err);

/*
 * When its QEMU has ended: SAVED_UNFINISHED is worth nothing then, and goes. Takes the lock; what
 * somebody holds who does not give it up soon is left. 0: done, or there was none.
 */
MUST_CHECK int saved_drop_unfinished(const char *dir, const char *machine, struct error *err);

/*
 * Throw away whatever there is, under the lock: durably out of the way first, then removed. 1:
 * there was nothing.
 */
MUST_CHECK int saved_discard(const char *dir, const char *machine, struct error *err);
