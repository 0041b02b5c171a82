/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The field tables of the ways into a machine. */
#include "config/channels.h"

#include "config/forms.h"
#include "config/machine.h"

/* Of a struct in attrs_conf with "port" and "pattern". */
#define PORT_FIELDS(member, doc)                                                                   \
	FIELD_INT(struct attrs_conf, member.port, "port", 1, 65535, FIELD_POSITIVE, NULL,          \
			doc " Without a port a unix socket is used."),                             \
			FIELD_STRING(struct attrs_conf, member.pattern, "port-pattern",            \
					form_text_line, 0, NULL,                                   \
					"The port as a pattern with variables and arithmetic, "    \
					"used if \"port\" is not set or 0.")

static const struct field qmp_socket_fields[] = {
	FIELD_STRINGS(struct attrs_conf, qmp.sockets.names, "names", MERGE_UNION, form_text_line,
			"Names of more sockets: /run/machina/MACHINE/qmp/NAME.qmp.socket."),
	FIELD_STRINGS(struct attrs_conf, qmp.sockets.paths, "paths", MERGE_UNION, form_text_line,
			"Paths of more sockets."),
	{},
};

const struct field qmp_fields[] = {
	FIELD_BOOL(struct attrs_conf, qmp.enabled, "enabled", false,
			"Make the sockets of \"sockets\" as well. The machine's own QMP sockets "
			"are always there."),
	FIELD_GROUP("sockets", qmp_socket_fields, "More QMP sockets."),
	{},
};

static const struct field agent_qemu_fields[] = {
	FIELD_BOOL(struct attrs_conf, agent.qemu.enabled, "enabled", false,
			"Give the guest the channel of QEMU's guest agent."),
	PORT_FIELDS(agent.qemu, "TCP port on 127.0.0.1 that leads to the agent."),
	{},
};

const struct field agent_fields[] = {
	FIELD_GROUP("qemu", agent_qemu_fields, "QEMU's guest agent."),
	{},
};

const struct field spice_fields[] = {
	FIELD_BOOL(struct attrs_conf, spice.enabled, "enabled", false,
			"Offer the display by SPICE, with a channel for the clipboard and two for "
			"USB devices. There is no password."),
	PORT_FIELDS(spice, "TCP port on 127.0.0.1."),
	FIELD_INT(struct attrs_conf, spice_displays, "displays", 1, INT64_MAX, FIELD_POSITIVE, "1",
			"Number of displays; more than 4 are 4."),
	{},
};

const struct field vnc_fields[] = {
	FIELD_BOOL(struct attrs_conf, vnc.enabled, "enabled", false,
			"Offer the display by VNC. There is no password."),
	PORT_FIELDS(vnc, "TCP port on 127.0.0.1, 5900 or above."),
	{},
};

const struct field serial_fields[] = {
	FIELD_BOOL(struct attrs_conf, serial.enabled, "enabled", false,
			"Give the guest a serial port: console.socket in the run directory, and "
			"what it prints in console.log there, the last 4 MiB at least."),
	{},
};
