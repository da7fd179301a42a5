/* journal_conf.h: how the store's journal is set up. */
#ifndef STORE_JOURNAL_CONF_H
#define STORE_JOURNAL_CONF_H

#include <stdint.h>

struct filesys;   /* store/filesys.h */

/* What may wait in files while the database takes nothing. */
struct store_journal {
	int64_t after_ns;             /* a unit that waited so long goes there */
	uint64_t size;                /* bytes; 0: there is no journal */
	uint64_t reserve;             /* bytes, set aside from the beginning */
	/* tests only */
	uint32_t segment;
	const struct filesys *fs;
};

#endif
