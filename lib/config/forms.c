/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms that strings of the config files may have. */
#include "config/forms.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "config/cloud-init.h"
#include "util/cleanup.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/unicode.h"

const char *const form_switch_names[] = { "false", "true", NULL };

static bool ascii_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters and digits first, then also those of @others. */
static bool name_of(const char *text, const char *others, size_t max)
{
	if (!ascii_alnum(text[0]))
		return false;
	size_t n = 1;
	for (; text[n]; n++)
		if (!ascii_alnum(text[n]) && !strchr(others, text[n]))
			return false;
	return n <= max;
}

/* Control characters but the tab, and what systemd refuses in a unit. */
static bool has_control(const char *text)
{
	size_t left = strlen(text), len;
	for (; left; text += len, left -= len) {
		len = 1;
		if (*text >= 0x20 && *text < 0x7f)
			continue;
		uint32_t c = unicode_decode(text, left, &len);
		if ((c < 0x20 && c != '\t') || c == 0x7f || unicode_noncharacter(c))
			return true;
	}
	return false;
}

bool machine_name_valid(const char *name)
{
	return name_of(name, "_.-", MACHINE_NAME_MAX) && !strstr(name, "..");
}

bool form_machine_name(const char *text, const char **ret_expected)
{
	*ret_expected = "a letter or digit, then up to 62 letters, digits, '_', '-' or '.', "
			"without '..'";
	return machine_name_valid(text);
}

bool form_own_name(const char *text, const char **ret_expected)
{
	return form_machine_name(text, ret_expected) || !text[0];
}

bool form_uuid(const char *text, const char **ret_expected)
{
	uint8_t uuid[16];
	*ret_expected = "a UUID such as \"8b18191a-234f-45ce-b43c-b46e28cd2f70\"";
	return parse_uuid(text, uuid) == 0;
}

/* @form: 'x' for a hexadecimal digit, '-' for that or a colon, and what stands for itself */
static bool matches(const char *text, const char *form)
{
	for (; *form; text++, form++) {
		bool is_colon = *form == '-' && *text == ':';
		if (*form == 'x' ? hex_digit(*text) < 0 : *text != *form && !is_colon)
			return false;
	}
	return !*text;
}

/* QEMU's own reader takes '-' between the bytes as well (net_parse_macaddr in net/net.c). */
bool form_mac(const char *text, const char **ret_expected)
{
	*ret_expected = "a MAC address such as \"52:54:00:12:34:56\"";
	return !text[0] || matches(text, "xx-xx-xx-xx-xx-xx");
}

bool form_absolute_path(const char *text, const char **ret_expected)
{
	*ret_expected = "an absolute path";
	return !text[0] || (text[0] == '/' && !has_control(text));
}

bool form_emulator(const char *text, const char **ret_expected)
{
	bool valid = form_program(text, ret_expected);
	*ret_expected = "the absolute path of an emulator, without quotes and backslashes, or its "
			"name in /usr/bin";
	return valid;
}

bool form_program(const char *text, const char **ret_expected)
{
	*ret_expected = "the absolute path of a program, without quotes and backslashes, or its "
			"name";
	/* What systemd takes for a program (lib/unit/unitfile.h, unitfile_exec()). */
	if (text[0] == '/')
		return !has_control(text) && !strpbrk(text, "\"'\\") &&
		       text[strlen(text) - 1] != '/';
	return !text[0] || name_of(text, "_.-+", 255);
}

bool form_machine_type(const char *text, const char **ret_expected)
{
	*ret_expected = "a q35 machine type such as \"pc-q35-7.2\" (see 'qemu-system-x86_64 "
			"-machine help')";
	return !text[0] || (name_of(text, "_.-", 64) && strstr(text, "q35"));
}

bool form_cpu_model(const char *text, const char **ret_expected)
{
	*ret_expected = "a CPU model such as \"host\" or \"EPYC-v4\" (see 'qemu-system-x86_64 -cpu "
			"help')";
	return !text[0] || name_of(text, "_.-", 64);
}

bool form_interface(const char *text, const char **ret_expected)
{
	*ret_expected = "the name of a network interface: 1 to 15 bytes without '/' or space";
	size_t len = strlen(text);
	if (len > 15 || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '/' || text[i] == ':' || isspace((unsigned char)text[i]))
			return false;
	return !has_control(text);
}

bool form_script(const char *text, const char **ret_expected)
{
	*ret_expected = "the absolute path of a script, or \"no\"";
	return !text[0] || !strcmp(text, "no") || (text[0] == '/' && !has_control(text));
}

bool form_pci_address(const char *text, const char **ret_expected)
{
	*ret_expected = "a PCI address such as \"0000:c1:00.0\"";
	return !text[0] || (matches(text, "xxxx:xx:xx.x") && text[11] <= '7');
}

bool form_pci_id(const char *text, const char **ret_expected)
{
	*ret_expected = "four hexadecimal digits such as \"10de\"";
	return !text[0] || matches(text, "xxxx");
}

bool form_usb_id(const char *text, const char **ret_expected)
{
	*ret_expected = "vendor and product, each four hexadecimal digits, such as \"046d:c52b\"";
	return !text[0] || matches(text, "xxxx:xxxx");
}

/* A number from 1, without leading zeros; what follows it, or NULL. */
static const char *port_number(const char *text)
{
	size_t n = strspn(text, "0123456789");
	return n && n <= 3 && text[0] != '0' ? text + n : NULL;
}

/* The kernel's names (drivers/usb/core/usb.c, usb_alloc_dev()): six hubs at most. */
bool form_usb_port(const char *text, const char **ret_expected)
{
	*ret_expected = "a bus and a port such as \"1-2\", behind hubs \"1-2.3\"";
	if (!text[0])
		return true;
	const char *at = port_number(text);
	for (int i = 0; at && i < 6; i++) {
		if (*at != (i ? '.' : '-'))
			return false;
		at = port_number(at + 1);
		if (at && !*at)
			return true;
	}
	return false;
}

/* The family of an IP address; 0: it is none. */
static int family_of(const char *text)
{
	unsigned char address[16];
	return inet_pton(AF_INET, text, address) == 1	 ? AF_INET
	       : inet_pton(AF_INET6, text, address) == 1 ? AF_INET6
							 : 0;
}

bool form_ip(const char *text, const char **ret_expected)
{
	*ret_expected = "an IP address such as \"127.0.0.1\"";
	return !text[0] || family_of(text);
}

bool form_interface_address(const char *text, const char **ret_expected)
{
	CLEANUP(freep) char *address = xstrdup(text);
	char *length = address;
	int bits;
	strsep(&length, "/");
	*ret_expected = "an IP address with the length of its prefix, such as \"10.77.0.1/24\"";
	int family = family_of(address);
	return family && length && parse_int(length, 1, family == AF_INET ? 32 : 128, &bits) == 0;
}

bool form_dhcp_range(const char *text, const char **ret_expected)
{
	CLEANUP(freep) char *first = xstrdup(text);
	char *last = first;
	strsep(&last, "-");
	*ret_expected = "a range of IPv4 addresses such as \"10.77.0.100-10.77.0.199\", or "
			"\"static\"";
	return !strcmp(text, "static") ||
	       (last && family_of(first) == AF_INET && family_of(last) == AF_INET);
}

static bool is_time(const char *text, uint64_t min_sec, uint64_t max_sec)
{
	uint64_t usec;
	return !text[0] || (parse_span(text, &usec) == 0 && usec >= min_sec * 1000000 &&
					   usec <= max_sec * 1000000);
}

/* dnsmasq(8) knows no shorter leases, and none of so many seconds. */
bool form_lease(const char *text, const char **ret_expected)
{
	*ret_expected = "a time of 2 minutes or more, such as \"12h\"";
	return is_time(text, 120, UINT32_MAX - 1);
}

bool form_shutdown_time(const char *text, const char **ret_expected)
{
	*ret_expected = "a time from 1 second to 1 hour, such as \"2min\"";
	return is_time(text, 1, 3600);
}

bool form_ready(const char *text, const char **ret_expected)
{
	static const char tcp[] = "tcp:";
	int port;
	*ret_expected = "\"qmp\", \"agent\", \"notify\", or \"tcp:\" and a port such as "
			"\"tcp:22\"";
	if (!strncmp(text, tcp, strlen(tcp)))
		return parse_int(text + strlen(tcp), 1, UINT16_MAX, &port) == 0;
	return !text[0] || !strcmp(text, "qmp") || !strcmp(text, "agent") ||
	       !strcmp(text, "notify");
}

/* Labels of RFC 1035. */
bool form_domain(const char *text, const char **ret_expected)
{
	*ret_expected = "a domain such as \"home.internal\"";
	if (!text[0])
		return true;
	for (const char *at = text;; at++) {
		size_t n = strcspn(at, ".");
		if (n == 0 || n > 63 || at[0] == '-' || at[n - 1] == '-')
			return false;
		for (size_t i = 0; i < n; i++)
			if (!ascii_alnum(at[i]) && at[i] != '-')
				return false;
		at += n;
		if (!*at)
			return at - text <= 200;
	}
}

bool form_host_name(const char *text, const char **ret_expected)
{
	bool valid = form_domain(text, ret_expected);
	*ret_expected = "a host name such as \"web\" or \"web.example.org\"";
	return valid;
}

/* What comes first may be options (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"); a private key has no
 * blank in its first line but that of its dashes. */
bool form_ssh_key(const char *text, const char **ret_expected)
{
	*ret_expected = "a public key such as \"ssh-ed25519 AAAAC3N... alice\", or the absolute "
			"path of a file";
	if (has_control(text))
		return false;
	if (text[0] == '/' || !strncmp(text, "${", 2))
		return true;
	return ascii_alnum(text[0]) && strchr(text, ' ');
}

bool form_command(const char *text, const char **ret_expected)
{
	*ret_expected = "a command: one line of text, not empty";
	return text[0] && !has_control(text);
}

bool form_package(const char *text, const char **ret_expected)
{
	*ret_expected = "the name of a package";
	return (ascii_alnum(text[0]) || text[0] == '@') && !has_control(text) && !strchr(text, ' ');
}

bool form_text_line(const char *text, const char **ret_expected)
{
	*ret_expected = "one line of text, without control characters";
	return !has_control(text);
}

bool form_argument(const char *text, const char **ret_expected)
{
	*ret_expected = "an argument for QEMU: one line of text, not empty";
	return text[0] && !has_control(text);
}

bool form_firewall_name(const char *text, const char **ret_expected)
{
	*ret_expected = "a letter or digit, then up to 30 letters, digits, '_' or '-'";
	return name_of(text, "_-", 31);
}

bool form_share_name(const char *text, const char **ret_expected)
{
	*ret_expected = "a letter or digit, then up to 35 letters, digits, '_', '-' or '.'";
	return name_of(text, "_.-", 36);
}

/* systemd's credential_name_valid(); a blank or '=' would end it where it is told to the guest. */
bool form_credential_name(const char *text, const char **ret_expected)
{
	size_t len = strlen(text);
	*ret_expected = "the name of a credential: up to 255 printable characters without '/', "
			"':', '=' and blanks";
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr("/:=", text[i]))
			return false;
	return len > 0 && len <= 255 && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

#define ACCOUNT_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

bool form_account(const char *text, const char **ret_expected)
{
	*ret_expected = "the name of a user account such as \"alice\"";
	if (!text[0])
		return true;
	/* A number would be taken for a user's number, whoever that is. */
	bool begins = text[0] == '_' || (ascii_alnum(text[0]) && !isdigit((unsigned char)text[0]));
	return begins && strspn(text, ACCOUNT_CHARS) == strlen(text) && strlen(text) <= 31;
}

bool form_group(const char *text, const char **ret_expected)
{
	bool fits = text[0] && form_account(text, ret_expected);
	*ret_expected = "the name of a group such as \"adm\"";
	return fits;
}

/* What follows the name; a comment or a line that goes on would be more than the rule. */
bool form_sudo_rule(const char *text, const char **ret_expected)
{
	*ret_expected = "a rule of sudoers(5) without a name, such as \"ALL=(ALL) NOPASSWD:ALL\", "
			"or \"none\"";
	if (!text[0] || strcmp(text, CLOUD_INIT_NO_SUDO) == 0)
		return true;
	return ascii_alnum(text[0]) && strchr(text, '=') && !has_control(text) &&
	       !strpbrk(text, "#\\") && text[strlen(text) - 1] != ' ';
}

bool form_guest_path(const char *text, const char **ret_expected)
{
	*ret_expected = "an absolute path in the guest such as \"/bin/bash\"";
	return !text[0] || (text[0] == '/' && !has_control(text) && !strpbrk(text, " :"));
}

bool form_protocol(const char *text, const char **ret_expected)
{
	static const char *const names[] = { "any", "icmp", "icmp6", "sctp", "tcp", "udp" };
	int number;
	*ret_expected = "\"tcp\", \"udp\", \"sctp\", \"icmp\", \"icmp6\", \"any\" or a number from "
			"0 to 255";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i]))
			return true;
	return parse_int(text, 0, 255, &number) == 0;
}

/* A port in front of @len bytes; 0: it is none. */
static int port_of(const char *text, size_t len)
{
	int port = 0;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return 0;
		port = port * 10 + (text[i] - '0');
		if (port > UINT16_MAX)
			return 0;
	}
	return port;
}

/* One number or a range of them. *ret_reversed: it only goes down. */
static bool is_span(const char *text, int max, bool *ret_reversed)
{
	const char *dash = strchr(text, '-');
	int first = port_of(text, dash ? (size_t)(dash - text) : strlen(text));
	int last = dash ? port_of(dash + 1, strlen(dash + 1)) : first;
	*ret_reversed = first && last && first > last;
	return first && last && first <= last && last <= max;
}

bool form_ports(const char *text, const char **ret_expected)
{
	bool is_reversed, valid = is_span(text, UINT16_MAX, &is_reversed);
	*ret_expected = is_reversed ? "a range of ports with its lower end first"
				    : "a port from 1 to 65535 or a range such as \"1000-2000\"";
	return valid;
}

bool form_vlans(const char *text, const char **ret_expected)
{
	bool is_reversed, valid = is_span(text, 4094, &is_reversed);
	*ret_expected = is_reversed ? "a range of VLANs with its lower end first"
				    : "a VLAN from 1 to 4094 or a range such as \"30-39\"";
	return valid;
}

bool form_rate(const char *text, const char **ret_expected)
{
	static const char *const units[] = { "/second", "/minute", "/hour", "/day" };
	const char *slash = strchr(text, '/');
	*ret_expected = "a rate such as \"10/second\", from 1 to 65535 each second, minute, hour "
			"or day";
	if (!text[0])
		return true;
	for (size_t i = 0; slash && i < ARRAY_SIZE(units); i++)
		if (!strcmp(slash, units[i]))
			return port_of(text, (size_t)(slash - text)) > 0;
	return false;
}

bool form_addresses(const char *text, const char **ret_expected)
{
	*ret_expected = "an IP address, a block such as \"192.0.2.0/24\" or a range such as "
			"\"192.0.2.10-192.0.2.19\"";
	return text[0] && strspn(text, "0123456789abcdefABCDEF.:/-") == strlen(text);
}

bool form_peer(const char *text, const char **ret_expected)
{
	const char *ignored;
	if ((text[0] == '@' || text[0] == '&') && form_firewall_name(text + 1, &ignored))
		return true;
	bool valid = form_addresses(text, ret_expected);
	*ret_expected = "an IP address, a block or range of addresses, \"@SET\" or \"&GROUP\"";
	return valid;
}
