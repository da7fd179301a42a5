/* vfs_fault.h: a SQLite VFS in memory that fails where it is told to. Every
 * call is counted; the Nth one can fail once or for good, or the power goes at
 * it: what was synced survives, each write that was not survives whole, torn
 * at a 512-byte sector, or not at all. Deterministic by seed. Any thread. */
#ifndef TESTS_FAULT_VFS_FAULT_H
#define TESTS_FAULT_VFS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define VFS_FAULT "fault"   /* its name */

enum vfs_fault_mode { VFS_SOUND, VFS_FAIL_ONCE, VFS_FAIL_ON, VFS_POWER };

void vfs_fault_register(void);
/* Forget all files and faults. No connection is open. */
void vfs_fault_wipe(void);
/* From now on, counting calls from 1. */
void vfs_fault_arm(enum vfs_fault_mode mode, long nth, uint64_t seed);
long vfs_fault_calls(void);      /* since it was armed */
/* Called once, from within the call, when the power goes or a failure for good
 * begins; NULL: nobody. */
void vfs_fault_on_strike(void (*fn)(void *arg), void *arg);
/* The power comes back. No connection is open. */
void vfs_fault_reboot(void);
/* A disk that says "synced" for the WAL and has not: as synchronous=NORMAL. */
void vfs_fault_lie(bool lie);
/* No file grows any more: SQLITE_FULL. */
void vfs_fault_full(bool full);
/* Somebody else holds the write lock: SQLITE_BUSY. */
void vfs_fault_lock(bool locked);

#endif
