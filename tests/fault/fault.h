/*
 * fault.h - make the N-th call fail. A test program that is linked with fault.c and `fault_link`
 * (meson.build) has each call that is listed below go through here first.
 *
 * One process arms itself (fault_arm()). A server is armed from outside: it maps the file that
 * LST_FAULT_FILE names, and a test writes a struct fault_control there.
 */
#ifndef LST_TESTS_FAULT_H
#define LST_TESTS_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What may fail: the calls of index and blob by the layers above, those of the system and of LMDB
 * by index and blob, and those for memory by everything. */
enum { FAULT_STORE = 1, FAULT_SYSTEM = 2, FAULT_MEMORY = 4 };

/* clang-format off */
#define FAULT_STORE_CALLS(X) \
    X(lst_index_open) X(lst_index_examine) X(lst_index_read_begin) X(lst_index_get) X(lst_index_seek) X(lst_index_next) \
    X(lst_index_submit) X(lst_index_apply) \
    X(lst_blobs_open) X(lst_blobs_recover) X(lst_blobs_sync_deleted) X(lst_blobs_walk) \
    X(lst_blob_create) X(lst_blob_append) X(lst_blob_link) X(lst_blob_seal_submit) \
    X(lst_blob_open) X(lst_blob_read) X(lst_blob_take_file) X(lst_blob_delete)
#define FAULT_SYSTEM_CALLS(X) \
    X(openat64) X(write) X(pread64) X(fstat64) X(linkat) X(renameat) X(unlinkat) X(mkdirat) \
    X(fallocate64) X(ftruncate64) X(fsync) X(fdatasync) X(syncfs) \
    X(mdb_txn_begin) X(mdb_txn_renew) X(mdb_txn_commit) X(mdb_get) X(mdb_put) X(mdb_del) \
    X(mdb_cursor_open) X(mdb_cursor_renew) X(mdb_cursor_get)
#define FAULT_MEMORY_CALLS(X) X(malloc) X(calloc) X(realloc) X(reallocarray) X(strdup)
/* clang-format on */

enum fault_call {
#define FAULT_NUMBER(name) FAULT_##name,
    FAULT_STORE_CALLS(FAULT_NUMBER) FAULT_SYSTEM_CALLS(FAULT_NUMBER)
        FAULT_MEMORY_CALLS(FAULT_NUMBER)
#undef FAULT_NUMBER
            FAULT_CALL_COUNT
};

/* Shared with tests/protocol/test_faults.py, which packs it as "=IIIiIIQ". */
struct fault_control {
    _Atomic uint32_t kinds;  /* armed: which may fail; 0: none */
    _Atomic uint32_t number; /* of the call that fails, from 1 on; 0: none, they are counted */
    _Atomic uint32_t stays;  /* all after it fail, too */
    _Atomic int32_t code;    /* LST_ERR_NO_SPACE, _TOO_MANY_FILES, _IO or _NO_MEMORY */
    _Atomic uint32_t count;  /* of calls since it was armed */
    _Atomic uint32_t fired;  /* of these, failed */
    _Atomic uint64_t calls;  /* a bit for each enum fault_call that ever failed */
};

void fault_arm(uint32_t kinds, uint32_t number, bool stays, int code);
/* Whether any call has failed since. */
bool fault_disarm(void);
bool fault_has_fired(void);
/* The name of the call that failed last. */
const char *fault_last(void);
/* How many of the calls of these kinds have never failed; their names are printed. */
int fault_never(uint32_t kinds);

#endif
