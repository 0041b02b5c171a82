/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program that serves a shared directory (virtiofsd) gets: the directory, and a user
 * namespace to be root in.
 *
 * The program has to be root, to act for the guest's root; but root of a namespace in which there
 * is no other user than the share's. Whatever the guest asks it for, it can do nothing that this
 * user could not, and what it makes is this user's.
 */
#pragma once

#include <stdbool.h>

#include "host/os/account.h"
#include "model/vm.h"
#include "util/cleanup.h"
#include "util/error.h"

struct share_tree {
	const char *path;  /* absolute */
	const char *share; /* names, for messages */
	const char *user;
	bool writable;
};

/*
 * The directory, and all that is mounted below it, as a mount of its own that exists as long as
 * the descriptor (open_tree(2)): set-user-ID bits and device nodes have no effect in it, and it is
 * read-only unless it is writable. What is mounted or unmounted later changes nothing in it.
 * Directories above it do not matter; links are followed as host/os/follow.h says.
 *
 * @user: of the share; may be root only where this process is not
 * @ret_fd: O_PATH
 *
 * Errors: ENOENT, ENOTDIR and others: there is no such directory; EACCES: the user may not read or
 * write there; EPERM: the user is root.
 */
MUST_CHECK int share_open(const struct share_tree *tree, const struct account *user, int *ret_fd,
		struct error *err);

/*
 * A user namespace (user_namespaces(7)) that @user owns and may enter; its user 0 and group 0 are
 * @user's, and it has no others. Needs root.
 *
 * Errors: ENOSPC: the host allows no (more) user namespaces.
 */
MUST_CHECK int share_make_users(const struct account *user, int *ret_fd, struct error *err);

/*
 * For the process that becomes the program: be root of @users, and have @tree at VM_SHARE_PLACE in
 * file systems of its own, which the program then cannot change. By a descriptor it could not be
 * named: a mount that is nowhere has the path "/", and virtiofsd in Rust looks for the path.
 *
 * @users, @tree: of the functions above; each can be entered once
 */
MUST_CHECK int share_enter(int users, int tree, struct error *err);
