/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A batch of changes as it grows. */
#include "firewall/nft.h"
#include "util/mem.h"

/* More of "is none of these" than this would take longer than to look into a set. */
#define VALUES_WITHOUT_SET 8

void nft_batch_done(struct nft_batch *batch)
{
	free(batch->items);
	free(batch->sections);
	arena_done(&batch->arena);
	*batch = (struct nft_batch){};
}

void nft_batch_add(struct nft_batch *batch, const struct nft_change *change)
{
	batch->items = grow_array(batch->items, &batch->n_alloc, batch->n, sizeof(*batch->items));
	batch->items[batch->n] = *change;
	batch->items[batch->n].family = batch->family;
	batch->items[batch->n++].subject = batch->subject;
}

void nft_batch_chain(struct nft_batch *batch, enum nft_change_kind kind, const char *chain,
		enum nft_hook hook)
{
	nft_batch_add(batch, &(struct nft_change){ .kind = kind, .chain = chain, .hook = hook });
}

void nft_batch_set(struct nft_batch *batch, enum nft_change_kind kind, const struct nft_set *set)
{
	nft_batch_add(batch, &(struct nft_change){ .kind = kind, .set = set });
}

void nft_batch_values(struct nft_batch *batch, enum nft_change_kind kind, const struct nft_set *set,
		const struct fw_range *values, size_t n)
{
	nft_batch_add(batch, &(struct nft_change){
					     .kind = kind,
					     .set = set,
					     .values = values,
					     .n_values = n,
			     });
}

void nft_batch_jump(struct nft_batch *batch, enum nft_change_kind kind, const struct nft_set *map,
		const char *interface, const char *chain)
{
	nft_batch_add(batch, &(struct nft_change){
					     .kind = kind,
					     .set = map,
					     .interface = interface,
					     .jump = chain,
			     });
}

bool nft_batch_skips(const struct nft_batch *batch, size_t i)
{
	for (size_t k = 0; k < batch->n_sections; k++) {
		const struct nft_section *s = &batch->sections[k];
		if (s->is_current && i >= s->first && i < s->first + s->n)
			return true;
	}
	return false;
}

bool nft_change_tracks(const struct nft_change *change)
{
	for (size_t i = 0; i < change->n_parts; i++)
		if (change->parts[i].kind == NFT_PART_BITS &&
				change->parts[i].field == NFT_FIELD_CT_STATE)
			return true;
	return false;
}

bool nft_part_needs_set(const struct nft_part *part)
{
	return part->kind == NFT_PART_MATCH && !part->name &&
	       part->n_values > (part->negate ? VALUES_WITHOUT_SET : 1);
}
