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

/* What may fail: the calls of index and blob by the layers above; those of the system, of threads
 * and of LMDB; those for memory, and of the libraries that take memory by themselves. */
enum { FAULT_STORE = 1, FAULT_SYSTEM = 2, FAULT_MEMORY = 4, FAULT_ALL = 7 };

/* clang-format off */
#define FAULT_STORE_CALLS(X) \
    X(lst_index_open) X(lst_index_examine) X(lst_index_read_begin) X(lst_index_get) X(lst_index_seek) X(lst_index_next) \
    X(lst_index_submit) X(lst_index_apply) X(lst_index_apply_to) X(lst_index_get_own) X(lst_index_next_range) \
    X(lst_index_verify) \
    X(lst_blobs_open) X(lst_blobs_recover) X(lst_blobs_sync_deleted) X(lst_blobs_walk) \
    X(lst_blob_create) X(lst_blob_append) X(lst_blob_link) X(lst_blob_seal_submit) \
    X(lst_blob_open) X(lst_blob_open_once) X(lst_blob_read) X(lst_blob_file) X(lst_blob_delete)
#define FAULT_SYSTEM_CALLS(X) \
    X(open64) X(openat64) X(mkostemp64) X(read) X(write) X(pread64) X(copy_file_range) X(fcntl64) \
    X(stat64) X(fstat64) X(fstatat64) X(fstatvfs64) X(access) X(faccessat) X(flock) \
    X(link) X(linkat) X(rename) X(renameat) X(renameat2) X(unlink) X(unlinkat) X(mkdir) X(mkdirat) \
    X(opendir) X(fdopendir) X(readdir64) \
    X(fallocate64) X(ftruncate64) X(fsync) X(fdatasync) X(syncfs) X(pthread_create) \
    X(mdb_env_create) X(mdb_env_open) X(mdb_env_set_mapsize) X(mdb_env_set_maxreaders) X(mdb_reader_check) \
    X(mdb_dbi_open) X(mdb_stat) X(mdb_txn_begin) X(mdb_txn_renew) X(mdb_txn_commit) \
    X(mdb_get) X(mdb_put) X(mdb_del) X(mdb_cursor_open) X(mdb_cursor_renew) X(mdb_cursor_get)
#define FAULT_MEMORY_CALLS(X) \
    X(malloc) X(calloc) X(realloc) X(reallocarray) X(strdup) X(asprintf) \
    X(curl_easy_init) X(curl_easy_setopt) X(curl_slist_append) X(curl_multi_init) X(curl_multi_add_handle) \
    X(XML_ParserCreate) X(XML_ParserCreate_MM) X(XML_Parse) X(magic_open) X(magic_load) X(magic_buffer) X(crypt_rn)
/* clang-format on */

enum fault_call {
#define FAULT_NUMBER(name) FAULT_##name,
    FAULT_STORE_CALLS(FAULT_NUMBER) FAULT_SYSTEM_CALLS(FAULT_NUMBER)
        FAULT_MEMORY_CALLS(FAULT_NUMBER)
#undef FAULT_NUMBER
            FAULT_CALL_COUNT
};

enum { FAULT_CALLS_MAX = 128, FAULT_SITES_MAX = 4096 };

/* A place of the program from where one of the calls is made. */
struct fault_site {
    uint32_t place; /* where it returns to: bytes from the program's beginning */
    uint16_t call;  /* enum fault_call */
    _Atomic uint16_t has_failed;
};

/* Shared with tests/protocol/test_faults.py, which packs all up to sites as "=IIIiIII". */
struct fault_control {
    _Atomic uint32_t kinds;  /* armed: which may fail; 0: none */
    _Atomic uint32_t number; /* of the call that fails, from 1 on; 0: none, they are counted */
    _Atomic uint32_t stays;  /* all after it fail, too */
    _Atomic int32_t code;    /* LST_ERR_NO_SPACE, _TOO_MANY_FILES, _IO or _NO_MEMORY */
    _Atomic uint32_t count;  /* of calls since it was armed */
    _Atomic uint32_t fired;  /* of these, failed */
    _Atomic uint32_t site_count;
    struct fault_site sites[FAULT_SITES_MAX];    /* in the order of their places */
    _Atomic uint8_t has_failed[FAULT_CALLS_MAX]; /* of each enum fault_call */
};

void fault_arm(uint32_t kinds, uint32_t number, bool stays, int code);
/* Whether any call has failed since. */
bool fault_disarm(void);
bool fault_has_fired(void);
/* For what a test does itself amid an operation: nothing fails, nothing is counted, until
 * fault_resume() is given what fault_pause() gave. */
uint32_t fault_pause(void);
void fault_resume(uint32_t kinds);
/* The name of the call that failed last. */
const char *fault_last(void);
/* From now on, or no more, this call fails with ENOSYS whenever it is made, as on a system that
 * can't do it; such a failure does not count. */
void fault_deny(enum fault_call call, bool is_denied);
/* How many of the calls of these kinds have never failed; their names are printed. exceptions:
 * names with spaces between them, of calls that this program need not make. */
int fault_never(uint32_t kinds, const char *exceptions);
/* How many of the places that make calls of these kinds have never had one fail; they are printed.
 * in: words with spaces between them; only places count whose "call:function file:line" has one of
 * them. exceptions: likewise, which do not count. */
int fault_never_at(uint32_t kinds, const char *in, const char *exceptions);

#endif
