/* fault.c - each call that may be made to fail: see fault.h. */
#include "fault.h"

#include "blob/blob.h"
#include "blob/files.h"
#include "control.h"
#include "index/index.h"

#include <crypt.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <link.h>
#include <lmdb.h>
#include <magic.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct fault_control own;
static struct fault_control *control = &own;
static atomic_int last = FAULT_CALL_COUNT;

static atomic_bool denied[FAULT_CALL_COUNT];

static const char *const names[] = {
#define FAULT_NAME(name) #name,
    FAULT_STORE_CALLS(FAULT_NAME) FAULT_SYSTEM_CALLS(FAULT_NAME) FAULT_MEMORY_CALLS(FAULT_NAME)
#undef FAULT_NAME
        "none",
};

static int find_program(struct dl_phdr_info *info, size_t size, void *context);
static void mark_site(const void *caller);

__attribute__((constructor)) static void map_control(void)
{
    control = control_map("LST_FAULT_FILE", &own, sizeof(own));
    control->site_count = 0; /* the same ones if the program is started again */
    (void)dl_iterate_phdr(find_program, NULL);
}

void fault_arm(uint32_t kinds, uint32_t number, bool stays, int code)
{
    control->kinds = 0;
    control->number = number;
    control->stays = stays;
    control->code = code;
    control->count = 0;
    control->fired = 0;
    control->kinds = kinds;
}

bool fault_disarm(void)
{
    control->kinds = 0;
    return control->fired > 0;
}

bool fault_has_fired(void)
{
    return control->fired > 0;
}

uint32_t fault_pause(void)
{
    return atomic_exchange(&control->kinds, 0);
}

void fault_resume(uint32_t kinds)
{
    control->kinds = kinds;
}

void fault_deny(enum fault_call call, bool is_denied)
{
    denied[call] = is_denied;
}

const char *fault_last(void)
{
    return names[last];
}

static uint32_t kind_of(int call)
{
    return call < FAULT_open64 ? FAULT_STORE : call < FAULT_malloc ? FAULT_SYSTEM : FAULT_MEMORY;
}

/* Whether one of the words is in the text. */
static bool has_word(const char *text, const char *words)
{
    char word[100];
    int length;

    while (sscanf(words, " %99s%n", word, &length) == 1) {
        if (strstr(text, word) != NULL) {
            return true;
        }
        words += length;
    }
    return false;
}

static bool is_word(const char *text, const char *words)
{
    char word[100];
    int length;

    while (sscanf(words, " %99s%n", word, &length) == 1) {
        if (strcmp(text, word) == 0) {
            return true;
        }
        words += length;
    }
    return false;
}

int fault_never(uint32_t kinds, const char *exceptions)
{
    int count = 0;

    for (int i = 0; i < FAULT_CALL_COUNT; i++) {
        if ((kind_of(i) & kinds) != 0 && control->has_failed[i] == 0 &&
            !is_word(names[i], exceptions)) {
            printf("# never failed: %s\n", names[i]);
            count++;
        }
    }
    return count;
}

/* ---- The places that call */

#define FAULT_DECLARE(name) extern char fault_wrap_##name __asm__("__wrap_" #name);
FAULT_STORE_CALLS(FAULT_DECLARE)
FAULT_SYSTEM_CALLS(FAULT_DECLARE)
FAULT_MEMORY_CALLS(FAULT_DECLARE)
#undef FAULT_DECLARE
extern char __executable_start;
/* Of the sanitizers: "function file:line" of an address. */
void __sanitizer_symbolize_pc(void *address, const char *format, char *out, size_t size);

static const char *const wraps[] = {
#define FAULT_ADDRESS(name) &fault_wrap_##name,
    FAULT_STORE_CALLS(FAULT_ADDRESS) FAULT_SYSTEM_CALLS(FAULT_ADDRESS)
        FAULT_MEMORY_CALLS(FAULT_ADDRESS)
#undef FAULT_ADDRESS
};

static void add_site(const char *after, int call)
{
    uint32_t i = control->site_count;

    if (i == FAULT_SITES_MAX) {
        (void)fputs("fault.h: FAULT_SITES_MAX is too small\n", stderr);
        abort();
    }
    control->sites[i].place = (uint32_t)(after - &__executable_start);
    control->sites[i].call = (uint16_t)call;
    control->site_count = i + 1;
}

/* On x86-64 a call is the byte e8 and the distance from its end, 4 bytes. What only looks like one
 * would have to lead to the very beginning of one of some hundred functions. */
__attribute__((no_sanitize("address", "undefined"))) static void find_sites(const char *code,
                                                                            size_t length)
{
    for (size_t i = 0; i + 5 <= length; i++) {
        const char *target = code + i + 5;
        int32_t distance;
        if ((unsigned char)code[i] != 0xe8) {
            continue;
        }
        __builtin_memcpy(&distance, code + i + 1, sizeof(distance));
        target += distance;
        for (int call = 0; call < FAULT_CALL_COUNT; call++) {
            if (target == wraps[call]) {
                add_site(code + i + 5, call);
            }
        }
    }
}

static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0) {
            find_sites((const char *)(info->dlpi_addr + segment->p_vaddr), segment->p_memsz);
        }
    }
    return 1; /* the program comes first; the libraries do not count */
}

static void mark_site(const void *caller)
{
    uint64_t place = (uint64_t)((const char *)caller - &__executable_start);
    uint32_t low = 0;

    for (uint32_t high = control->site_count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (control->sites[middle].place < place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < control->site_count && control->sites[low].place == place) {
        control->sites[low].has_failed = 1;
    }
}

int fault_never_at(uint32_t kinds, const char *in, const char *exceptions)
{
    int count = 0;

    for (uint32_t i = 0; i < control->site_count; i++) {
        const struct fault_site *site = &control->sites[i];
        char where[500] = "";
        char whole[600];
        if (site->has_failed != 0 || (kind_of(site->call) & kinds) == 0) {
            continue;
        }
        __sanitizer_symbolize_pc(&__executable_start + site->place - 1, "%f %s:%l", where,
                                 sizeof(where));
        (void)snprintf(whole, sizeof(whole), "%s:%s", names[site->call], where);
        if (has_word(whole, in) && !has_word(whole, exceptions)) {
            printf("# never failed: %s\n", whole);
            count++;
        }
    }
    return count;
}

/* The code with which this call is to fail, or 0. */
static int hit(enum fault_call call, const void *caller)
{
    uint32_t count;

    if (denied[call]) {
        return LST_ERR_PERMISSION;
    }
    if ((control->kinds & kind_of((int)call)) == 0) {
        return 0;
    }
    count = ++control->count;
    if (control->number == 0 || count < control->number ||
        (count > control->number && !control->stays)) {
        return 0;
    }
    control->fired++;
    control->has_failed[call] = 1;
    mark_site(caller);
    last = (int)call;
    return control->code;
}

#define HIT(name) hit(FAULT_##name, __builtin_return_address(0))

static int number_of(int code)
{
    return code == LST_ERR_NO_SPACE         ? ENOSPC
           : code == LST_ERR_TOO_MANY_FILES ? EMFILE
           : code == LST_ERR_PERMISSION     ? ENOSYS
           : code == LST_ERR_NO_MEMORY      ? ENOMEM
                                            : EIO;
}

/* ---- Of index and blob: they give the code */

#define WRAP_CODE(name, parameters, arguments)                                                     \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        int code = HIT(name);                                                                      \
        return code == 0 ? __real_##name arguments : code;                                         \
    }

WRAP_CODE(lst_index_open, (const struct lst_index_options *options, struct lst_index **ret),
          (options, ret))
WRAP_CODE(lst_index_examine, (const char *path, char ret_text[LST_INDEX_DAMAGE_MAX]),
          (path, ret_text))
WRAP_CODE(lst_blobs_open, (const char *path, bool read_only, struct lst_blobs **ret),
          (path, read_only, ret))
WRAP_CODE(lst_blobs_recover,
          (struct lst_blobs * blobs, int (*find)(void *, struct lst_blob_id, bool *), void *context,
           uint64_t *ret_removed),
          (blobs, find, context, ret_removed))
WRAP_CODE(lst_blobs_sync_deleted, (struct lst_blobs * blobs), (blobs))
WRAP_CODE(lst_blobs_walk,
          (struct lst_blobs * blobs, int (*visit)(void *, struct lst_blob_id, uint64_t),
           void *context),
          (blobs, visit, context))
WRAP_CODE(lst_index_read_begin, (struct lst_index * index, struct lst_index_reader **ret),
          (index, ret))
WRAP_CODE(lst_index_get,
          (struct lst_index_reader * reader, uint64_t partition, struct lst_slice key,
           struct lst_slice *ret),
          (reader, partition, key, ret))
WRAP_CODE(lst_index_seek,
          (struct lst_index_reader * reader, uint64_t partition, struct lst_slice key,
           struct lst_slice *ret_key, struct lst_slice *ret),
          (reader, partition, key, ret_key, ret))
WRAP_CODE(lst_index_next,
          (struct lst_index_reader * reader, struct lst_slice *ret_key, struct lst_slice *ret),
          (reader, ret_key, ret))
WRAP_CODE(lst_index_apply,
          (struct lst_index * index, uint64_t partition, const struct lst_index_change *changes,
           size_t count),
          (index, partition, changes, count))
WRAP_CODE(lst_index_apply_to,
          (struct lst_index * index, uint64_t partition, struct lst_slice route,
           const struct lst_index_change *changes, size_t count),
          (index, partition, route, changes, count))
WRAP_CODE(lst_index_get_own,
          (struct lst_index_reader * reader, uint64_t partition, struct lst_slice route, char name,
           struct lst_slice *ret),
          (reader, partition, route, name, ret))
WRAP_CODE(lst_index_next_range,
          (struct lst_index_reader * reader, uint64_t partition, struct lst_slice route,
           struct lst_slice *ret),
          (reader, partition, route, ret))
WRAP_CODE(lst_index_verify, (struct lst_index * index, struct lst_index_verify *verify),
          (index, verify))
WRAP_CODE(lst_blob_create, (struct lst_blobs * blobs, uint64_t hint, struct lst_blob_writer **ret),
          (blobs, hint, ret))
WRAP_CODE(lst_blob_append, (struct lst_blob_writer * writer, struct lst_slice bytes),
          (writer, bytes))
WRAP_CODE(lst_blob_link,
          (struct lst_blobs * blobs, struct lst_blob_id source, struct lst_blob_writer **ret),
          (blobs, source, ret))
WRAP_CODE(lst_blob_open,
          (struct lst_blobs * blobs, struct lst_blob_id id, struct lst_blob_reader **ret),
          (blobs, id, ret))
WRAP_CODE(lst_blob_open_once,
          (struct lst_blobs * blobs, struct lst_blob_id id, struct lst_blob_reader **ret),
          (blobs, id, ret))
WRAP_CODE(lst_blob_read,
          (struct lst_blob_reader * reader, uint64_t offset, char *out, size_t capacity,
           size_t *ret),
          (reader, offset, out, capacity, ret))
/* The engine keeps in mind that something stayed behind. */
int __real_lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id);
int __wrap_lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id);
int __wrap_lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id)
{
    int code = HIT(lst_blob_delete);

    if (code != 0) {
        blobs->has_strays = true;
        return code;
    }
    return __real_lst_blob_delete(blobs, id);
}

/* Fails as an engine without files does. */
int __real_lst_blob_file(const struct lst_blob_reader *reader);
int __wrap_lst_blob_file(const struct lst_blob_reader *reader);
int __wrap_lst_blob_file(const struct lst_blob_reader *reader)
{
    return HIT(lst_blob_file) == 0 ? __real_lst_blob_file(reader) : -1;
}

/* Those that end by a call of done(), on the thread that calls it.
 */

void __real_lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal);
void __wrap_lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal);
void __wrap_lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal)
{
    int code = HIT(lst_blob_seal_submit);

    if (code != 0) {
        writer->status = code;
    }
    __real_lst_blob_seal_submit(writer, seal);
}

/* A batch that changes nothing, in place of one that is to fail. */
struct stand_in {
    struct lst_index_batch batch;
    struct lst_index_batch *original;
    int code;
};

static void stand_in_done(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct stand_in *stand_in = batch->context;
    struct lst_index_batch *original = stand_in->original;
    int code = stand_in->code;

    (void)status;
    (void)failed_change;
    free(stand_in);
    original->done(original, code, 0);
}

void *__real_calloc(size_t count, size_t size);
void __real_lst_index_submit(struct lst_index *index, struct lst_index_batch *batch);
void __wrap_lst_index_submit(struct lst_index *index, struct lst_index_batch *batch);
void __wrap_lst_index_submit(struct lst_index *index, struct lst_index_batch *batch)
{
    int code = HIT(lst_index_submit);
    struct stand_in *stand_in = code == 0 ? NULL : __real_calloc(1, sizeof(*stand_in));

    if (stand_in == NULL) {
        __real_lst_index_submit(index, batch);
        return;
    }
    stand_in->original = batch;
    stand_in->code = code;
    stand_in->batch.partition = batch->partition;
    stand_in->batch.done = stand_in_done;
    stand_in->batch.context = stand_in;
    __real_lst_index_submit(index, &stand_in->batch);
}

/* ---- Of the system: they give -1 and errno */

#define WRAP_ERRNO(type, name, parameters, arguments)                                              \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        int code = HIT(name);                                                                      \
        if (code != 0) {                                                                           \
            errno = number_of(code);                                                               \
            return -1;                                                                             \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

WRAP_ERRNO(int, open64, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP_ERRNO(int, mkostemp64, (char *path, int flags), (path, flags))
WRAP_ERRNO(ssize_t, read, (int file, void *bytes, size_t length), (file, bytes, length))
WRAP_ERRNO(ssize_t, copy_file_range,
           (int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags),
           (from, from_at, to, to_at, length, flags))
WRAP_ERRNO(int, fcntl64, (int file, int command, long argument), (file, command, argument))
WRAP_ERRNO(int, stat64, (const char *path, struct stat64 *state), (path, state))
WRAP_ERRNO(int, fstatat64, (int at, const char *path, struct stat64 *state, int flags),
           (at, path, state, flags))
WRAP_ERRNO(int, fstatvfs64, (int file, struct statvfs64 *space), (file, space))
WRAP_ERRNO(int, access, (const char *path, int mode), (path, mode))
WRAP_ERRNO(int, faccessat, (int at, const char *path, int mode, int flags), (at, path, mode, flags))
WRAP_ERRNO(int, flock, (int file, int operation), (file, operation))
WRAP_ERRNO(int, link, (const char *from, const char *to), (from, to))
WRAP_ERRNO(int, rename, (const char *from, const char *to), (from, to))
WRAP_ERRNO(int, renameat2,
           (int from_at, const char *from, int to_at, const char *to, unsigned flags),
           (from_at, from, to_at, to, flags))
WRAP_ERRNO(int, unlink, (const char *path), (path))
WRAP_ERRNO(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP_ERRNO(int, openat64, (int folder, const char *path, int flags, mode_t mode),
           (folder, path, flags, mode))
WRAP_ERRNO(ssize_t, write, (int file, const void *bytes, size_t length), (file, bytes, length))
WRAP_ERRNO(ssize_t, pread64, (int file, void *bytes, size_t length, off64_t offset),
           (file, bytes, length, offset))
WRAP_ERRNO(int, fstat64, (int file, struct stat64 *state), (file, state))
WRAP_ERRNO(int, linkat, (int from_at, const char *from, int to_at, const char *to, int flags),
           (from_at, from, to_at, to, flags))
WRAP_ERRNO(int, renameat, (int from_at, const char *from, int to_at, const char *to),
           (from_at, from, to_at, to))
WRAP_ERRNO(int, unlinkat, (int at, const char *path, int flags), (at, path, flags))
WRAP_ERRNO(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode))
WRAP_ERRNO(int, fallocate64, (int file, int mode, off64_t offset, off64_t length),
           (file, mode, offset, length))
WRAP_ERRNO(int, ftruncate64, (int file, off64_t length), (file, length))
WRAP_ERRNO(int, fsync, (int file), (file))
WRAP_ERRNO(int, fdatasync, (int file), (file))
WRAP_ERRNO(int, syncfs, (int file), (file))

#define WRAP_POINTER(type, name, parameters, arguments)                                            \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        int code = HIT(name);                                                                      \
        if (code != 0) {                                                                           \
            errno = number_of(code);                                                               \
            return NULL;                                                                           \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

WRAP_POINTER(DIR *, opendir, (const char *path), (path))
WRAP_POINTER(DIR *, fdopendir, (int file), (file))
WRAP_POINTER(struct dirent64 *, readdir64, (DIR * folder), (folder))

/* A thread is not to be had: EAGAIN, whatever is asked for. */
int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return HIT(pthread_create) == 0 ? __real_pthread_create(ret, attributes, run, argument)
                                    : EAGAIN;
}

/* ---- Of LMDB: they give the number */

#define WRAP_NUMBER(name, parameters, arguments)                                                   \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        int code = HIT(name);                                                                      \
        return code == 0 ? __real_##name arguments : number_of(code);                              \
    }

WRAP_NUMBER(mdb_env_create, (MDB_env * *ret), (ret))
WRAP_NUMBER(mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
            (env, path, flags, mode))
WRAP_NUMBER(mdb_env_set_mapsize, (MDB_env * env, size_t size), (env, size))
WRAP_NUMBER(mdb_env_set_maxreaders, (MDB_env * env, unsigned count), (env, count))
WRAP_NUMBER(mdb_reader_check, (MDB_env * env, int *ret_dead), (env, ret_dead))
WRAP_NUMBER(mdb_dbi_open, (MDB_txn * transaction, const char *name, unsigned flags, MDB_dbi *ret),
            (transaction, name, flags, ret))
WRAP_NUMBER(mdb_stat, (MDB_txn * transaction, MDB_dbi table, MDB_stat *ret),
            (transaction, table, ret))
WRAP_NUMBER(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **ret),
            (env, parent, flags, ret))
WRAP_NUMBER(mdb_txn_renew, (MDB_txn * transaction), (transaction))
WRAP_NUMBER(mdb_get, (MDB_txn * transaction, MDB_dbi table, MDB_val *key, MDB_val *ret),
            (transaction, table, key, ret))
WRAP_NUMBER(mdb_put,
            (MDB_txn * transaction, MDB_dbi table, MDB_val *key, MDB_val *value, unsigned flags),
            (transaction, table, key, value, flags))
WRAP_NUMBER(mdb_del, (MDB_txn * transaction, MDB_dbi table, MDB_val *key, MDB_val *value),
            (transaction, table, key, value))
WRAP_NUMBER(mdb_cursor_open, (MDB_txn * transaction, MDB_dbi table, MDB_cursor **ret),
            (transaction, table, ret))
WRAP_NUMBER(mdb_cursor_renew, (MDB_txn * transaction, MDB_cursor *cursor), (transaction, cursor))
WRAP_NUMBER(mdb_cursor_get,
            (MDB_cursor * cursor, MDB_val *key, MDB_val *ret, MDB_cursor_op operation),
            (cursor, key, ret, operation))

/* A commit that fails ends the transaction all the same. */
int __real_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction)
{
    int code = HIT(mdb_txn_commit);

    if (code == 0) {
        return __real_mdb_txn_commit(transaction);
    }
    mdb_txn_abort(transaction);
    return number_of(code);
}

/* ---- Memory: NULL */

#define WRAP_MEMORY(name, parameters, arguments)                                                   \
    void *__real_##name parameters;                                                                \
    void *__wrap_##name parameters;                                                                \
    void *__wrap_##name parameters                                                                 \
    {                                                                                              \
        if (HIT(name) != 0) {                                                                      \
            errno = ENOMEM;                                                                        \
            return NULL;                                                                           \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

WRAP_MEMORY(malloc, (size_t size), (size))
WRAP_MEMORY(calloc, (size_t count, size_t size), (count, size))
WRAP_MEMORY(realloc, (void *memory, size_t size), (memory, size))
WRAP_MEMORY(reallocarray, (void *memory, size_t count, size_t size), (memory, count, size))

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return HIT(strdup) == 0 ? __real_strdup(text) : NULL;
}

/* What it gives besides is undefined then: here, what nobody can free. */
int __wrap_asprintf(char **ret_text, const char *format, ...);
int __wrap_asprintf(char **ret_text, const char *format, ...)
{
    va_list arguments;
    int length;

    if (HIT(asprintf) != 0) {
        memset(ret_text, 0x11, sizeof(*ret_text));
        return -1;
    }
    va_start(arguments, format);
    length = vasprintf(ret_text, format, arguments);
    va_end(arguments);
    return length;
}

/* ---- Libraries that take memory: each says in its own way that there is none */

WRAP_MEMORY(curl_easy_init, (void), ())
WRAP_MEMORY(curl_multi_init, (void), ())
WRAP_MEMORY(curl_slist_append, (void *list, const char *text), (list, text))
WRAP_MEMORY(XML_ParserCreate, (const char *encoding), (encoding))
WRAP_MEMORY(XML_ParserCreate_MM, (const char *encoding, const void *memory, const char *separator),
            (encoding, memory, separator))
WRAP_MEMORY(magic_open, (int flags), (flags))
WRAP_MEMORY(magic_buffer, (void *handle, const void *bytes, size_t length), (handle, bytes, length))
WRAP_MEMORY(crypt_rn, (const char *phrase, const char *setting, void *data, int size),
            (phrase, setting, data, size))

#define WRAP_VALUE(name, value, parameters, arguments)                                             \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return HIT(name) == 0 ? __real_##name arguments : (value);                                 \
    }

WRAP_VALUE(magic_load, -1, (void *handle, const char *files), (handle, files))
WRAP_VALUE(curl_easy_setopt, CURLE_OUT_OF_MEMORY, (void *easy, int option, void *value),
           (easy, option, value))
WRAP_VALUE(curl_multi_add_handle, CURLM_OUT_OF_MEMORY, (void *multi, void *easy), (multi, easy))

/* The parser is asked for the reason afterwards. */
static _Thread_local bool has_xml_failed;

int __real_XML_Parse(XML_Parser parser, const char *text, int length, int is_final);
int __wrap_XML_Parse(XML_Parser parser, const char *text, int length, int is_final);
int __wrap_XML_Parse(XML_Parser parser, const char *text, int length, int is_final)
{
    has_xml_failed = HIT(XML_Parse) != 0;
    return has_xml_failed ? XML_STATUS_ERROR : __real_XML_Parse(parser, text, length, is_final);
}

enum XML_Error __real_XML_GetErrorCode(XML_Parser parser);
enum XML_Error __wrap_XML_GetErrorCode(XML_Parser parser);
enum XML_Error __wrap_XML_GetErrorCode(XML_Parser parser)
{
    return has_xml_failed ? XML_ERROR_NO_MEMORY : __real_XML_GetErrorCode(parser);
}
