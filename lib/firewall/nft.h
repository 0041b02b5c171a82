/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to nftables as data: what firewall/batch.h makes of rules, and what is either written as
 * text that nft(8) reads (nft_text_...) or as messages to the kernel (nft_message_...). Both are
 * made from the same parts, so that what is shown is what is installed. The messages are built with
 * libnftnl. Pure.
 *
 * All objects are in one table of a family: "bridge" for the filters of machines (how packets reach
 * a machine's chain is told in machina-firewall.7), "inet" for networks that the host routes
 * (firewall/net-batch.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/filter.h"
#include "util/arena.h"
#include "util/buf.h"

/* A table of that name with another comment, or none, is not ours. */
#define NFT_TABLE "machina"
#define NFT_TABLE_COMMENT "managed by machina: do not edit"

enum nft_family { NFT_BRIDGE, NFT_INET, N_NFT_FAMILIES };
extern const char *const nft_family_names[];

/* nft's own limit for a comment, without the NUL (NFTNL_UDATA_COMMENT_MAXLEN). */
#define NFT_COMMENT_MAX 127

/* ---- what of a packet is looked at ---- */

enum nft_field {
	NFT_FIELD_ETHER_DEST,
	NFT_FIELD_ETHER_SOURCE,
	NFT_FIELD_ETHER_TYPE, /* as in the frame: that of a VLAN tag, if there is one */
	NFT_FIELD_PROTOCOL,   /* the same behind one VLAN tag */
	NFT_FIELD_FAMILY,     /* IPv4 or IPv6, in a table of both */
	NFT_FIELD_ARP_MAC,    /* of the sender */
	NFT_FIELD_ARP_IP,     /* of the sender */
	NFT_FIELD_IP_SOURCE,
	NFT_FIELD_IP_DEST,
	NFT_FIELD_IP6_SOURCE,
	NFT_FIELD_IP6_DEST,
	NFT_FIELD_L4PROTO,
	NFT_FIELD_SOURCE_PORT,
	NFT_FIELD_DEST_PORT,
	NFT_FIELD_ICMP_TYPE,
	NFT_FIELD_ICMP6_TYPE,
	NFT_FIELD_ND_TARGET, /* of neighbour solicitations and advertisements, and of redirects */
	NFT_FIELD_TCP_FLAGS,
	NFT_FIELD_CT_STATE,
	NFT_FIELD_CT_STATUS,
	NFT_FIELD_DEST_KIND,	/* of the destination address, by the host's routes */
	NFT_FIELD_IP6_FRAGMENT, /* 1: there is a fragment header */
	NFT_FIELD_IN_NAME,	/* the port that a frame came from */
	NFT_FIELD_OUT_NAME,	/* the port that it goes to */
	N_NFT_FIELDS,
};

enum nft_load { NFT_LOAD_PAYLOAD, NFT_LOAD_META, NFT_LOAD_CT, NFT_LOAD_EXTHDR, NFT_LOAD_FIB };
enum nft_notation {
	NFT_NOTATION_NUMBER,
	NFT_NOTATION_MAC,
	NFT_NOTATION_ADDRESS,
	NFT_NOTATION_ETHER_TYPE,
	NFT_NOTATION_FAMILY,
	NFT_NOTATION_L4PROTO,
	NFT_NOTATION_CT_STATE,
	NFT_NOTATION_CT_STATUS,
	NFT_NOTATION_ADDRESS_KIND,
	NFT_NOTATION_TCP_FLAGS,
	NFT_NOTATION_EXISTS,
	NFT_NOTATION_HEX,
	NFT_NOTATION_NAME,
};

struct nft_field_row {
	const char *text; /* "ip saddr" */
	enum nft_load load;
	uint32_t key;	 /* base of a payload, or key of meta and ct: those of nf_tables.h */
	uint32_t offset; /* payload */
	uint32_t size;	 /* in bytes, at most 16 */
	enum nft_notation notation;
	/* What nft calls the field's type, and its number: nft keeps it in a set to know how its
	 * elements are written (enum datatypes in nftables' include/datatype.h). NULL: no set of
	 * it is made. */
	const char *type;
	uint32_t type_number;
	bool host_order; /* not the network's byte order */
};
extern const struct nft_field_row nft_fields[N_NFT_FIELDS];

/* Bits of NFT_FIELD_CT_STATE, NF_CT_STATE_BIT() in linux/netfilter/nf_conntrack_common.h. */
#define NFT_CT_INVALID 1u
#define NFT_CT_ESTABLISHED 2u
#define NFT_CT_RELATED 4u
/* Bit of NFT_FIELD_CT_STATUS, IPS_DST_NAT in linux/netfilter/nf_conntrack_common.h. */
#define NFT_CT_DNAT 32u
/* Bit of NFT_FIELD_TCP_FLAGS. */
#define NFT_TCP_RST 4u

/* ---- rules ---- */

enum nft_part_kind {
	NFT_PART_MATCH,	   /* @field is one of @values, or in the set @name; @negate: is not */
	NFT_PART_BITS,	   /* one of @bits is set in @field */
	NFT_PART_KNOWN,	   /* @fields are together in the set @name */
	NFT_PART_REMEMBER, /* put them there for @seconds */
	NFT_PART_COUNTER,
	NFT_PART_LIMIT, /* goes on at most @count times in @seconds */
	NFT_PART_LOG,	/* with the prefix @name */
	NFT_PART_MAP,	/* the verdict that the map @name has for @field */
	NFT_PART_VERDICT,
	/*
	 * @reset: a TCP connection. Else it is answered by ICMP: @field ICMP_TYPE or ICMP6_TYPE
	 * where all packets are of one family, else 0. The kernel could find out by itself, but
	 * what nft lists of such a rule then is not what it reads again.
	 */
	NFT_PART_REJECT,
	NFT_PART_MASQUERADE,
	NFT_PART_DNAT, /* to the address @values (one) of the @field and the port @count */
};

enum nft_verdict {
	NFT_VERDICT_ACCEPT,
	NFT_VERDICT_DROP,
	NFT_VERDICT_CONTINUE,
	NFT_VERDICT_JUMP, /* to the chain @name */
	NFT_VERDICT_GOTO,
};

struct nft_part {
	enum nft_part_kind kind;
	enum nft_field field;
	bool negate;
	/* As long as the field, in network byte order, sorted and without overlaps. A range that is
	 * a CIDR block is written as one. */
	const struct fw_range *values;
	size_t n_values;
	uint32_t bits;
	const enum nft_field *fields;
	size_t n_fields;
	uint32_t count;
	uint32_t seconds;
	enum nft_verdict verdict;
	bool reset;
	const char *name;
};

/*
 * Do the values of a part stand in a set without a name? Not if a rule can do without: the kernel
 * walks the list of all sets for each one that is made or looked up, so that a thousand machines
 * with a few sets each would take minutes to load.
 */
bool nft_part_needs_set(const struct nft_part *part) PURE;

/* A set, or a map from one field to a chain. Its key: one or more fields together. */
struct nft_set {
	const char *name;
	const enum nft_field *fields;
	size_t n_fields;
	bool is_map;
	bool is_interval; /* of ranges; one field only */
	uint32_t size;	  /* that many at most, put there by NFT_PART_REMEMBER; 0: by us alone */
};

/* ---- changes ---- */

enum nft_change_kind {
	NFT_ADD_TABLE,
	NFT_DELETE_TABLE,
	NFT_ADD_CHAIN,
	NFT_FLUSH_CHAIN, /* its rules */
	NFT_DELETE_CHAIN,
	NFT_ADD_RULE, /* at the end of the chain */
	NFT_ADD_SET,
	NFT_FLUSH_SET, /* its elements */
	NFT_DELETE_SET,
	NFT_ADD_ELEMENTS,
	NFT_DELETE_ELEMENTS,
	N_NFT_CHANGES,
};

/* Where a base chain is called from. */
enum nft_hook {
	NFT_HOOK_NONE,
	/* Of the bridge: behind conntrack (-200), before br_netfilter (0). */
	NFT_HOOK_PREROUTING,
	NFT_HOOK_POSTROUTING,
	/* Of the host's routing. */
	NFT_HOOK_INPUT,
	NFT_HOOK_FORWARD,
	NFT_HOOK_NAT_PREROUTING,
	NFT_HOOK_NAT_OUTPUT,
	NFT_HOOK_NAT_POSTROUTING,
	N_NFT_HOOKS,
};
struct nft_hook_row {
	const char *text; /* "prerouting" */
	const char *type; /* "filter" */
	uint32_t number;  /* linux/netfilter_bridge.h, enum nf_inet_hooks */
	int priority;
};
extern const struct nft_hook_row nft_hooks[N_NFT_HOOKS];

struct nft_change {
	enum nft_change_kind kind;
	enum nft_family family; /* that of the batch */
	const char *chain;	/* ..._CHAIN, ADD_RULE */
	enum nft_hook hook;
	const struct nft_part *parts; /* ADD_RULE */
	size_t n_parts;
	const char *comment;	   /* ADD_CHAIN, ADD_RULE; NULL for none */
	const struct nft_set *set; /* ..._SET, ..._ELEMENTS */
	/* ..._ELEMENTS: ranges of an interval set, single values (first) of others; of a map, the
	 * name of an interface and the chain to jump to. */
	const struct fw_range *values;
	size_t n_values;
	const char *interface;
	const char *jump;
	const char *subject; /* for messages: whom it concerns */
};

/*
 * What several machines share: chains that come and change together. Its changes are left out where
 * the kernel has it already: the first rule of @chain carries the digest in its comment. Or a set
 * to which each machine adds its own: that the kernel has it is told by an element in it.
 */
struct nft_section {
	const char *chain;  /* the first one; NULL: a set */
	const char *digest; /* of all; the comment, "machina:0123456789abcdef" */
	size_t first, n;    /* its changes */
	bool is_current;    /* the kernel has it: set by who asked */
};

struct nft_batch {
	struct arena arena;
	enum nft_family family; /* of changes that are added from now on */
	struct nft_change *items;
	size_t n, n_alloc;
	struct nft_section *sections;
	size_t n_sections, n_sections_alloc;
	const char *subject; /* of changes that are added from now on */
};

void nft_batch_done(struct nft_batch *batch);
/* Append a change; @change's family and subject are those of the batch. What it points to must
 * outlive it. */
void nft_batch_add(struct nft_batch *batch, const struct nft_change *change);
/* The same in one line: of a chain, a set, values in a set, and in a map of an interface whose
 * packets go to @chain. What they point to must outlive the batch, too. */
void nft_batch_chain(struct nft_batch *batch, enum nft_change_kind kind, const char *chain,
		enum nft_hook hook);
void nft_batch_set(struct nft_batch *batch, enum nft_change_kind kind, const struct nft_set *set);
void nft_batch_values(struct nft_batch *batch, enum nft_change_kind kind, const struct nft_set *set,
		const struct fw_range *values, size_t n);
void nft_batch_jump(struct nft_batch *batch, enum nft_change_kind kind, const struct nft_set *map,
		const char *interface, const char *chain);
/* Is the change in a section that the kernel has? */
bool nft_batch_skips(const struct nft_batch *batch, size_t i) PURE;

/* Does a rule need the kernel to know connections? */
bool nft_change_tracks(const struct nft_change *change) PURE;

/* ---- as text ---- */

/* "add rule bridge machina vm-web.0-in ..." and a newline. */
void nft_text_change(const struct nft_change *change, struct buf *out);
/* All of a batch, one change a line. */
void nft_text_batch(const struct nft_batch *batch, struct buf *out);

/* ---- as messages ---- */

struct nft_messages {
	struct buf data; /* from BATCH_BEGIN to BATCH_END */
	size_t *changes; /* for each message between them, the change it comes from */
	size_t n, n_alloc;
	uint32_t first_sequence; /* of BATCH_BEGIN */
};

void nft_messages_done(struct nft_messages *messages);

/*
 * The messages of a batch, without the sections that the kernel has. Their sequence numbers count
 * up from @sequence; the last message, BATCH_END, or without one (@commit false: the kernel checks
 * all and changes nothing) the last change, asks for an acknowledgement.
 *
 * @generation: the kernel refuses the batch with ERESTART if its rules were changed since it was
 *              asked for this number (NFT_MSG_GETGEN); 0: it doesn't matter
 */
void nft_messages_build(const struct nft_batch *batch, uint32_t sequence, uint32_t generation,
		bool commit, struct nft_messages *ret);
