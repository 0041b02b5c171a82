/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's cloud-init is told: files, and the CD that carries them. */
#include "host/storage/cloud-init.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"

#define HASH "$6$salt$abcdefghijklmnopqrstuvwxyz./"

static void check_made(const struct vm_seed_item *items, size_t n, enum cloud_init_file file,
		const char *expected)
{
	CLEANUP(cloud_init_done) struct cloud_init data = {};
	struct error err = {};
	CHECK_INT(cloud_init_make(items, n, &data, &err), 0);
	CHECK_STR(err.text, "");
	CHECK(data.has[file]);
	CHECK_STR(buf_text(&data.files[file]), expected);
}

TEST(without_anything_to_say_there_are_the_two_files_that_have_to_be)
{
	CLEANUP(cloud_init_done) struct cloud_init data = {};
	struct error err = {};
	const struct vm_seed_item items[] = { { VM_SEED_INSTANCE_ID, "1" },
		{ VM_SEED_HOSTNAME, "web" } };
	CHECK_INT(cloud_init_make(items, 2, &data, &err), 0);
	CHECK_STR(buf_text(&data.files[CLOUD_INIT_META_DATA]),
			"{\n  \"instance-id\": \"1\",\n  \"local-hostname\": \"web\"\n}\n");
	CHECK_STR(buf_text(&data.files[CLOUD_INIT_USER_DATA]), "#cloud-config\n{}\n");
	CHECK(!data.has[CLOUD_INIT_NETWORK_CONFIG] && !data.has[CLOUD_INIT_VENDOR_DATA]);
}

TEST(keys_and_hash_are_read_from_files)
{
	scratch_begin();
	put_file("keys", "# Alice\nssh-rsa AAAA a\r\n\n  \t\n \t# of Bob\nno-pty ssh-ed25519 BBBB "
			 "\xc3\xa4");
	put_file("hash", HASH "\n");
	CLEANUP(freep) char *keys = xstrdup(scratch_path("keys"));
	CLEANUP(freep) char *hash = xstrdup(scratch_path("hash"));
	const struct vm_seed_item items[] = {
		{ VM_SEED_USER, "alice" },
		{ VM_SEED_PASSWORD_FILE, hash },
		{ VM_SEED_KEY, "ssh-rsa \"x\"" },
		{ VM_SEED_KEY_FILE, keys },
	};
	check_made(items, ARRAY_SIZE(items), CLOUD_INIT_USER_DATA,
			"#cloud-config\n"
			"{\n"
			"  \"user\": {\n"
			"    \"name\": \"alice\",\n"
			"    \"passwd\": \"" HASH "\",\n"
			"    \"lock_passwd\": false\n"
			"  },\n"
			"  \"ssh_authorized_keys\": [\"ssh-rsa \\\"x\\\"\", \"ssh-rsa AAAA "
			"a\", \"no-pty ssh-ed25519 BBBB \xc3\xa4\"]\n"
			"}\n");
	scratch_end();
}

TEST(account_is_changed_where_the_config_says_so)
{
	const struct vm_seed_item items[] = {
		{ VM_SEED_SUDO, "ALL=(ALL) ALL" },
		{ VM_SEED_GROUP, "adm" },
		{ VM_SEED_GROUP, "kvm" },
		{ VM_SEED_SHELL, "/bin/zsh" },
	};
	check_made(items, ARRAY_SIZE(items), CLOUD_INIT_USER_DATA,
			"#cloud-config\n"
			"{\n"
			"  \"user\": {\n"
			"    \"sudo\": \"ALL=(ALL) ALL\",\n"
			"    \"shell\": \"/bin/zsh\",\n"
			"    \"groups\": [\"adm\", \"kvm\"]\n"
			"  }\n"
			"}\n");
	const struct vm_seed_item none = { VM_SEED_SUDO, "none" };
	check_made(&none, 1, CLOUD_INIT_USER_DATA,
			"#cloud-config\n"
			"{\n"
			"  \"user\": {\n"
			"    \"sudo\": null\n"
			"  }\n"
			"}\n");
}

TEST(packages_and_commands_keep_their_order)
{
	const struct vm_seed_item items[] = {
		{ VM_SEED_PACKAGE, "b" },
		{ VM_SEED_PACKAGE, "a" },
		{ VM_SEED_UPGRADE, NULL },
		{ VM_SEED_RUN, "echo 'x' \\ >/x" },
		{ VM_SEED_NETWORK, "{\"version\":2}" },
	};
	check_made(items, ARRAY_SIZE(items), CLOUD_INIT_USER_DATA,
			"#cloud-config\n"
			"{\n"
			"  \"package_upgrade\": true,\n"
			"  \"packages\": [\"b\", \"a\"],\n"
			"  \"runcmd\": [\"echo 'x' \\\\ >/x\"]\n"
			"}\n");
	check_made(items, ARRAY_SIZE(items), CLOUD_INIT_NETWORK_CONFIG, "{\"version\":2}\n");
}

TEST(own_files_are_given_as_they_are)
{
	scratch_begin();
	put_file("u", "#!/bin/sh\ntrue\n");
	CLEANUP(freep) char *path = xstrdup(scratch_path("u"));
	static const enum vm_seed_kind kinds[] = { VM_SEED_META_DATA, VM_SEED_USER_DATA,
		VM_SEED_NETWORK_CONFIG, VM_SEED_VENDOR_DATA };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct vm_seed_item item = { kinds[i], path };
		check_made(&item, 1, (enum cloud_init_file)i, "#!/bin/sh\ntrue\n");
	}
	scratch_end();
}

static void check_refused(
		enum vm_seed_kind kind, const char *content, int code, const char *expected)
{
	CLEANUP(cloud_init_done) struct cloud_init data = {};
	struct error err = {};
	if (content)
		put_file("x", content);
	CLEANUP(freep) char *path = xstrdup(scratch_path("x"));
	const struct vm_seed_item item = { kind, path };
	CHECK_INT(cloud_init_make(&item, 1, &data, &err), -code);
	CHECK_STR(without_scratch(err.text), expected);
}

TEST(a_file_that_holds_something_else_is_refused_without_a_word_of_it)
{
#define NO_HASH                                                                                    \
	"cloud-init: \"password-hash-file\": 'DIR/x' does not hold the hash of a password, such "  \
	"as 'openssl passwd -6' prints it"
#define NO_KEYS                                                                                    \
	"cloud-init: \"ssh-authorized-keys\": 'DIR/x' does not hold public keys alone, a line "    \
	"each, as "                                                                                \
	"authorized_keys does"
	static const char *const no_hashes[] = { "", "\n", "secret\n", "$6$a b$c0123456\n",
		"$6$salt", "$6$salt$abcdefgh\n$6$salt$abcdefgh\n", "$secretsecret\n",
		"x:" HASH "\n", "$6$salt$abcde:gh\n" };
	static const char *const no_keys[] = { "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n",
		"ssh-rsa A\nAAAA\n", "ssh-rsa \x1b[2J\n", "ssh-rsa \xff\n" };
	scratch_begin();
	for (size_t i = 0; i < ARRAY_SIZE(no_hashes); i++)
		check_refused(VM_SEED_PASSWORD_FILE, no_hashes[i], EINVAL, NO_HASH);
	for (size_t i = 0; i < ARRAY_SIZE(no_keys); i++)
		check_refused(VM_SEED_KEY_FILE, no_keys[i], EINVAL, NO_KEYS);
	check_refused(VM_SEED_KEY_FILE, "# none\n", EINVAL,
			"cloud-init: \"ssh-authorized-keys\": 'DIR/x' holds no public key");
	if (truncate(scratch_path("x"), CLOUD_INIT_FILE_MAX + 1) < 0)
		TEST_FAIL("cannot make it longer: %m");
	check_refused(VM_SEED_USER_DATA, NULL, EFBIG,
			"cloud-init: \"user-data\": 'DIR/x' is longer than 1048576 bytes");
	unlink(scratch_path("x"));
	check_refused(VM_SEED_USER_DATA, NULL, ENOENT,
			"cloud-init: \"user-data\": 'DIR/x' does not exist");
	make_directory("x");
	check_refused(VM_SEED_USER_DATA, NULL, EINVAL,
			"cloud-init: \"user-data\": 'DIR/x' is a directory, not a file");
	scratch_end();
}

TEST(nobody_can_write_the_cd)
{
	const struct vm_seed_item item = { VM_SEED_HOSTNAME, "web" };
	struct error err = {};
	CLEANUP(closep) int fd = -1;
	char label[6] = "";
	CHECK_INT(cloud_init_open(&item, 1, &fd, &err), 0);
	CHECK_INT(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_INT(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
	CHECK_INT(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_INT(lseek(fd, 0, SEEK_END) % 2048, 0);
	CHECK_INT(pread(fd, label, 6, 16 * 2048 + 40), 6);
	CHECK(!memcmp(label, CLOUD_INIT_LABEL, 6));
}

TEST_MAIN()
