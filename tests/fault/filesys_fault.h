/* filesys_fault.h: the same faulty disk as vfs_fault.h, for code that uses files
 * through store/filesys.h. Names count too: a file made, renamed or removed may
 * be as it was after a power cut, unless its directory was synced; what is
 * undone is the newest, as on a file system that keeps their order. */
#ifndef TESTS_FAULT_FILESYS_FAULT_H
#define TESTS_FAULT_FILESYS_FAULT_H

#include "store/filesys.h"
#include "tests/fault/vfs_fault.h"

extern const struct filesys filesys_fault;

#endif
