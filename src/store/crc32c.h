/* crc32c.h: CRC-32C (Castagnoli) of stored blocks and chunks. Pure. */
#ifndef STORE_CRC32C_H
#define STORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *p, size_t n);

#endif
