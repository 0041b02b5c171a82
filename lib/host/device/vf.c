/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink's messages about virtual functions. */
#include "host/device/vf.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"
#include "util/parse.h"

/* The kernel finds the interface by its name. */
static struct nlmsghdr *begin(char space[LINK_MESSAGE_MAX], uint16_t type, uint16_t flags,
		uint32_t sequence, const char *interface)
{
	struct nlmsghdr *message = link_message_begin(space, type, flags, sequence, 0);
	mnl_attr_put_strz(message, IFLA_IFNAME, interface);
	return message;
}

size_t vf_message_get(const char *interface, uint32_t sequence, char space[LINK_MESSAGE_MAX])
{
	struct nlmsghdr *message = begin(space, RTM_GETLINK, 0, sequence, interface);
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
	return message->nlmsg_len;
}

size_t vf_message_set(const char *interface, unsigned function, enum vf_part part,
		const struct vf_settings *settings, uint32_t sequence, char space[LINK_MESSAGE_MAX])
{
	struct ifla_vf_mac mac = { .vf = function };
	const struct ifla_vf_vlan vlan = { .vf = function, .vlan = (uint32_t)settings->vlan };
	const struct ifla_vf_spoofchk check = { .vf = function,
		.setting = settings->spoof_check > 0 };
	const struct ifla_vf_trust trust = { .vf = function, .setting = settings->trust > 0 };
	memcpy(mac.mac, settings->mac, sizeof(settings->mac));
	const struct {
		uint16_t type, len;
		const void *data;
	} parts[N_VF_PARTS] = {
		[VF_MAC] = { IFLA_VF_MAC, sizeof(mac), &mac },
		[VF_VLAN] = { IFLA_VF_VLAN, sizeof(vlan), &vlan },
		[VF_SPOOF_CHECK] = { IFLA_VF_SPOOFCHK, sizeof(check), &check },
		[VF_TRUST] = { IFLA_VF_TRUST, sizeof(trust), &trust },
	};
	struct nlmsghdr *message = begin(space, RTM_SETLINK, NLM_F_ACK, sequence, interface);
	struct nlattr *list = mnl_attr_nest_start(message, IFLA_VFINFO_LIST);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_VF_INFO);
	mnl_attr_put(message, parts[part].type, parts[part].len, parts[part].data);
	mnl_attr_nest_end(message, info);
	mnl_attr_nest_end(message, list);
	return message->nlmsg_len;
}

/* ---- reading ---- */

struct reading {
	unsigned function;
	bool found;
	struct vf_settings now; /* of the function that is read */
	struct vf_settings settings;
};

/* The attribute as a struct of the kernel's that begins with the function's number; NULL: shorter.
 */
static const void *payload(const struct nlattr *attr, size_t size)
{
	return mnl_attr_get_payload_len(attr) >= size ? mnl_attr_get_payload(attr) : NULL;
}

/* A card that has no such setting leaves -1 in it (rtnl_fill_vfinfo() in net/core/rtnetlink.c). */
static int flag(uint32_t setting)
{
	return setting == UINT32_MAX ? -1 : setting != 0;
}

static int read_part(const struct nlattr *attr, void *data)
{
	struct reading *r = data;
	const struct ifla_vf_mac *mac;
	const struct ifla_vf_vlan *vlan;
	const struct ifla_vf_spoofchk *check;
	const struct ifla_vf_trust *trust;
	switch (mnl_attr_get_type(attr)) {
	case IFLA_VF_MAC:
		if (!(mac = payload(attr, sizeof(*mac))))
			break;
		memcpy(r->now.mac, mac->mac, sizeof(r->now.mac));
		r->found |= mac->vf == r->function;
		break;
	case IFLA_VF_VLAN:
		if ((vlan = payload(attr, sizeof(*vlan))))
			r->now.vlan = (int)vlan->vlan;
		break;
	case IFLA_VF_SPOOFCHK:
		if ((check = payload(attr, sizeof(*check))))
			r->now.spoof_check = flag(check->setting);
		break;
	case IFLA_VF_TRUST:
		if ((trust = payload(attr, sizeof(*trust))))
			r->now.trust = flag(trust->setting);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_function(const struct nlattr *attr, void *data)
{
	struct reading *r = data;
	if (mnl_attr_get_type(attr) != IFLA_VF_INFO || r->found)
		return MNL_CB_OK;
	r->now = (struct vf_settings){ .spoof_check = -1, .trust = -1 };
	mnl_attr_parse_nested(attr, read_part, r);
	if (r->found)
		r->settings = r->now;
	return MNL_CB_OK;
}

static int read_link(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == IFLA_VFINFO_LIST)
		mnl_attr_parse_nested(attr, read_function, data);
	return MNL_CB_OK;
}

int vf_parse(const struct nlmsghdr *message, unsigned function, struct vf_settings *ret)
{
	struct reading r = { .function = function };
	mnl_attr_parse(message, sizeof(struct ifinfomsg), read_link, &r);
	if (!r.found)
		return 1;
	*ret = r.settings;
	return 0;
}

/* ---- talking ---- */

static void take(void *data, const struct nlmsghdr *message)
{
	struct reading *r = data;
	if (message->nlmsg_type == RTM_NEWLINK)
		r->found = vf_parse(message, r->function, &r->settings) == 0;
}

int vf_get(struct netlink *nl, const char *interface, unsigned function, struct vf_settings *ret,
		struct error *err)
{
	char request[LINK_MESSAGE_MAX];
	struct reading r = { .function = function };
	struct netlink_answer answer = { .add = take, .data = &r };
	CLEANUP(freep) char *what = xasprintf("look at the functions of '%s'", interface);
	size_t len = vf_message_get(interface, ++nl->sequence, request);
	int result = netlink_talk(nl, request, len, &answer, what, err);
	if (result < 0)
		return result;
	if (!r.found)
		return error_set(err, ENODEV, "'%s' has no virtual function %u", interface,
				function);
	*ret = r.settings;
	return 0;
}

static bool differs(
		enum vf_part part, const struct vf_settings *now, const struct vf_settings *wanted)
{
	switch (part) {
	case VF_MAC:
		return memcmp(now->mac, wanted->mac, sizeof(now->mac)) != 0;
	case VF_VLAN:
		return now->vlan != wanted->vlan;
	case VF_SPOOF_CHECK:
		/* What a card does not tell, it may yet do. */
		return wanted->spoof_check >= 0 && now->spoof_check != wanted->spoof_check &&
		       !(now->spoof_check < 0 && !wanted->spoof_check);
	case VF_TRUST:
		return wanted->trust >= 0 && now->trust != wanted->trust &&
		       !(now->trust < 0 && !wanted->trust);
	case N_VF_PARTS:
		break;
	}
	return false;
}

static char *describe(enum vf_part part, const struct vf_settings *settings)
{
	char mac[MAC_TEXT_MAX];
	switch (part) {
	case VF_MAC:
		format_mac(settings->mac, mac);
		return xasprintf("the MAC address %s", mac);
	case VF_VLAN:
		return settings->vlan ? xasprintf("VLAN %d", settings->vlan) : xstrdup("no VLAN");
	case VF_SPOOF_CHECK:
		return xasprintf("a check for spoofed addresses that is %s",
				settings->spoof_check ? "on" : "off");
	case VF_TRUST:
	case N_VF_PARTS:
		break;
	}
	return xasprintf("trust that is %s", settings->trust ? "on" : "off");
}

int vf_set(struct netlink *nl, const char *interface, unsigned function,
		const struct vf_settings *now, const struct vf_settings *wanted, struct error *err)
{
	for (int i = 0; i < N_VF_PARTS; i++) {
		enum vf_part part = (enum vf_part)i;
		char request[LINK_MESSAGE_MAX];
		struct netlink_answer answer = {};
		if (!differs(part, now, wanted))
			continue;
		CLEANUP(freep) char *value = describe(part, wanted);
		CLEANUP(freep)
		char *what = xasprintf("give function %u of '%s' %s", function, interface, value);
		size_t len = vf_message_set(
				interface, function, part, wanted, ++nl->sequence, request);
		int r = netlink_talk(nl, request, len, &answer, what, err);
		if (r == -EOPNOTSUPP && part == VF_SPOOF_CHECK && err)
			return error_set(err, EOPNOTSUPP,
					"%s (\"spoof-check\": false does without)", err->text);
		if (r < 0)
			return r;
	}
	return 0;
}
