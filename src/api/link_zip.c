/*
 * link_zip.c - a folder as one ZIP archive, made while it is sent.
 *
 * What is in it is settled when the download begins: names, sizes, times and ETags are noted, and
 * with them the length of the answer. The bytes are read when their turn comes. A file that is then
 * gone or another, and a link that is revoked meanwhile, cut the answer off: whoever downloads sees
 * fewer bytes than were announced, never an archive that is whole and lacks something.
 */
#include "api/link_page.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/zip.h"
#include "http/disposition.h"
#include "s3/checksum.h"

#include <stdlib.h>

enum {
    FILES_MAX = 10000,
    NAMES_MAX = 4 * 1024 * 1024, /* bytes, all names together */
    PAGE_MAX = 1000,             /* files of one look into the index */
    KEY_MAX = 1024,
    ETAG_MAX = LST_ETAG_MAX,
    METHOD_MAX = 8,
    PEER_MAX = 64,
    FILES_AT_ONCE = 16, /* that one read opens: small ones take no longer than a large one */
    CLOSED = 499,
};

/* A file as it was when the download began. */
struct noted_file {
    uint64_t size;
    int64_t modified;
    uint64_t offset;
    uint32_t crc;
    bool has_crc;
    bool is_beside; /* a folder of the same name */
    uint16_t name_length;
    uint8_t etag_length;
    char etag[ETAG_MAX];
    size_t name; /* where it begins among the names */
};

enum step {
    STEP_HEAD,
    STEP_BODY,
    STEP_ENTRY, /* of the directory */
    STEP_END,
    STEP_DONE,
};

struct archive {
    struct lst_store *store;
    struct lst_ledger *ledger;
    struct lst_link link; /* a reference of its own */
    struct lst_use use;
    char method[METHOD_MAX];
    char peer[PEER_MAX];
    char key[KEY_MAX]; /* the folder's, and a name behind it */

    struct lst_buffer files; /* of struct noted_file */
    struct lst_buffer names;
    size_t count;
    uint64_t length; /* of the archive */

    int status; /* what ended it early */
    enum step step;
    size_t at; /* the file */
    uint64_t sent;
    uint64_t directory;
    struct lst_object_stream *body;
    uint64_t body_left;
    struct lst_checksum checksum;
    size_t record_at;
    size_t record_length;
    char record[LST_ZIP_RECORD_MAX];
    char name[LST_ZIP_NAME_MAX];
};

static void free_archive(struct archive *archive)
{
    lst_object_stream_close(archive->body);
    lst_link_release(&archive->link);
    lst_buffer_release(&archive->files);
    lst_buffer_release(&archive->names);
    free(archive);
}

/* ---- What is in it */

static struct noted_file *file_at(const struct archive *archive, size_t i)
{
    return (struct noted_file *)(void *)archive->files.bytes + i;
}

static struct lst_slice name_of(const struct archive *archive, const struct noted_file *file)
{
    return lst_slice_make(archive->names.bytes + file->name, file->name_length);
}

/* As it is in the archive; valid until the next call. */
static struct lst_zip_file describe(struct archive *archive, const struct noted_file *file)
{
    struct lst_slice name = name_of(archive, file);
    bool is_folder = file->size == 0 && name.bytes[name.length - 1] == '/';
    enum lst_zip_kind kind = is_folder         ? LST_ZIP_FOLDER
                             : file->is_beside ? LST_ZIP_FILE_BESIDE
                                               : LST_ZIP_FILE;
    size_t length = lst_zip_name(name, kind, archive->name);

    return (struct lst_zip_file){.name = lst_slice_make(archive->name, length),
                                 .size = file->size,
                                 .modified = file->modified,
                                 .offset = file->offset,
                                 .crc = file->crc,
                                 .has_crc = file->has_crc};
}

/* The checksum that it was stored with, if it is one that ZIP has. */
static void note_crc(struct noted_file *file, const struct lst_list_entry *entry)
{
    struct lst_slice text;
    uint8_t bytes[4];

    file->has_crc = file->size == 0 || (lst_checksum_find(entry->fields, entry->field_count,
                                                          LST_CHECKSUM_CRC32, &text) &&
                                        lst_base64_decode(text, bytes, sizeof(bytes)));
    if (file->has_crc && file->size > 0) {
        file->crc = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
                    bytes[3];
    }
}

struct noting {
    struct archive *archive;
    struct lst_link_opening *opening;
    char last[KEY_MAX]; /* of the keys that were seen */
    size_t last_length;
};

/* LST_ERR_TOO_LARGE: too many files. LST_REFUSED_NOT_ALLOWED: one that the signer may not read. */
static int note_file(void *context, const struct lst_list_entry *entry)
{
    struct noting *noting = context;
    struct archive *archive = noting->archive;
    struct lst_api_exchange *exchange = noting->opening->exchange;
    struct lst_slice name = lst_slice_after(entry->key, noting->opening->link.key.length);
    const struct lst_access_question question = {.action = LST_SLICE("s3:GetObject"),
                                                 .bucket = noting->opening->link.bucket,
                                                 .key = entry->key};
    struct noted_file file = {.size = entry->size,
                              .modified = lst_clock_whole_seconds(entry->modified_ms),
                              .name = archive->names.length,
                              .name_length = (uint16_t)name.length,
                              .etag_length = (uint8_t)entry->etag.length};
    int status;

    memcpy(noting->last, entry->key.bytes, entry->key.length);
    noting->last_length = entry->key.length;
    if (name.length == 0) {
        return LST_OK; /* what stands for the folder itself */
    }
    status = lst_gate_authorise(exchange->api->options.gate, &exchange->bearer.passage, &question);
    if (status != LST_OK) {
        return status;
    }
    memcpy(file.etag, entry->etag.bytes, entry->etag.length);
    note_crc(&file, entry);
    lst_buffer_append(&archive->names, name);
    lst_buffer_append(&archive->files, lst_slice_make((const char *)&file, sizeof(file)));
    status = lst_buffer_status(&archive->names);
    if (status == LST_OK) {
        status = lst_buffer_status(&archive->files);
    }
    archive->count += status == LST_OK ? 1 : 0;
    return status;
}

/*
 * Find the files that have the name of a folder. The names are in order, so whatever stands between
 * "a" and "a/b" begins with "a", too: a stack has the files whose names the current one begins
 * with.
 */
static void find_beside(struct archive *archive)
{
    struct noted_file *stack[KEY_MAX]; /* each name is longer than the one under it */
    size_t depth = 0;

    for (size_t i = 0; i < archive->count; i++) {
        struct noted_file *file = file_at(archive, i);
        struct lst_slice name = name_of(archive, file);

        while (depth > 0 && !lst_slice_starts_with(name, name_of(archive, stack[depth - 1]))) {
            depth--;
        }
        for (size_t j = 0; j < depth; j++) {
            stack[j]->is_beside |= name.bytes[stack[j]->name_length] == '/';
        }
        stack[depth++] = file;
    }
}

/* Where each file will be. */
static void add_files(struct archive *archive)
{
    find_beside(archive);
    for (size_t i = 0; i < archive->count; i++) {
        struct noted_file *file = file_at(archive, i);
        const struct lst_zip_file head = describe(archive, file);

        file->offset = archive->length;
        archive->length += lst_zip_head(&head, NULL) + file->size + lst_zip_descriptor(&head, NULL);
    }
}

/* The length of directory and end. */
static void add_directory(struct archive *archive)
{
    uint64_t start = archive->length;

    for (size_t i = 0; i < archive->count; i++) {
        const struct lst_zip_file entry = describe(archive, file_at(archive, i));

        archive->length += lst_zip_entry(&entry, NULL);
    }
    archive->length += lst_zip_end(archive->count, start, archive->length - start, NULL);
}

static int note_files(struct archive *archive, struct lst_link_opening *opening)
{
    struct noting noting = {.archive = archive, .opening = opening};
    bool is_truncated = true;
    int status = LST_OK;

    while (status == LST_OK && is_truncated) {
        const struct lst_list_options options = {
            .bucket = opening->link.bucket,
            .prefix = opening->link.key,
            .after = lst_slice_make(noting.last, noting.last_length),
            .max_entries = PAGE_MAX};

        status = lst_store_list(archive->store, &options, note_file, &noting, &is_truncated);
    }
    if (status == LST_OK) {
        add_files(archive);
        add_directory(archive);
    }
    return status;
}

/* ---- Its bytes */

/* Is the file what it was? LST_ERR_CONFLICT: another, LST_ERR_KEY_NOT_FOUND: none. */
static int open_file(struct archive *archive, const struct noted_file *file)
{
    struct lst_object object;
    struct lst_slice name = name_of(archive, file);
    struct lst_object_name wanted = {.bucket = archive->link.bucket};
    int status =
        lst_ledger_check(archive->ledger, archive->link.user, lst_slice_of(archive->link.id), 0);

    if (status != LST_OK) {
        return status;
    }
    memcpy(archive->key + archive->link.key.length, name.bytes, name.length);
    wanted.key = lst_slice_make(archive->key, archive->link.key.length + name.length);
    status = lst_object_open(archive->store, &wanted, true, &object);
    if (status != LST_OK) {
        return status;
    }
    if (object.size != file->size ||
        !lst_slice_equal(object.etag, lst_slice_make(file->etag, file->etag_length))) {
        status = LST_ERR_CONFLICT;
    } else {
        status = lst_object_stream_open(&object, 0, file->size, &archive->body);
    }
    lst_object_close(&object);
    return status;
}

static int begin_file(struct archive *archive)
{
    const struct noted_file *file = file_at(archive, archive->at);
    const struct lst_zip_file head = describe(archive, file);
    int status = open_file(archive, file);

    if (status == LST_OK) {
        archive->body_left = file->size;
        lst_checksum_init(&archive->checksum, LST_CHECKSUM_CRC32);
        archive->record_length = lst_zip_head(&head, archive->record);
        archive->step = STEP_BODY;
    }
    return status;
}

/* LST_ERR_CORRUPT: the bytes are not those that the stored checksum is of. */
static int end_file(struct archive *archive)
{
    struct noted_file *file = file_at(archive, archive->at);
    uint8_t bytes[LST_CHECKSUM_SIZE_MAX];
    uint32_t crc;
    struct lst_zip_file descriptor;

    lst_object_stream_close(archive->body);
    archive->body = NULL;
    lst_checksum_digest(&archive->checksum, bytes);
    crc = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    if (file->has_crc && crc != file->crc) {
        return LST_ERR_CORRUPT;
    }
    file->crc = crc;
    descriptor = describe(archive, file);
    archive->record_length = lst_zip_descriptor(&descriptor, archive->record);
    archive->at++;
    archive->step = STEP_HEAD;
    return LST_OK;
}

static void next_entry(struct archive *archive)
{
    struct lst_zip_file entry;

    if (archive->at == archive->count) {
        archive->record_length = lst_zip_end(archive->count, archive->directory,
                                             archive->sent - archive->directory, archive->record);
        archive->step = STEP_DONE;
        return;
    }
    entry = describe(archive, file_at(archive, archive->at++));
    archive->record_length = lst_zip_entry(&entry, archive->record);
}

/* On to the next record, when all of the last one has been handed out. */
static int next_record(struct archive *archive)
{
    archive->record_at = 0;
    archive->record_length = 0;
    if (archive->step == STEP_BODY) {
        return end_file(archive);
    }
    if (archive->step == STEP_HEAD && archive->at < archive->count) {
        return begin_file(archive);
    }
    if (archive->step == STEP_HEAD) {
        archive->directory = archive->sent;
        archive->at = 0;
        archive->step = STEP_ENTRY;
    }
    next_entry(archive);
    return LST_OK;
}

static size_t take_record(struct archive *archive, char *out, size_t capacity)
{
    size_t left = archive->record_length - archive->record_at;
    size_t length = left < capacity ? left : capacity;

    memcpy(out, archive->record + archive->record_at, length);
    archive->record_at += length;
    return length;
}

/* LST_ERR_CORRUPT: it ended too early. */
static int take_body(struct archive *archive, char *out, size_t capacity, size_t *ret_length)
{
    size_t room = archive->body_left < capacity ? (size_t)archive->body_left : capacity;
    int status = lst_object_stream_read(archive->body, out, room, ret_length);

    if (status == LST_OK && *ret_length == 0) {
        return LST_ERR_CORRUPT;
    }
    if (status == LST_OK) {
        archive->body_left -= *ret_length;
        lst_checksum_update(&archive->checksum, lst_slice_make(out, *ret_length));
    }
    return status;
}

/* Some bytes; none at the end. */
static int take(struct archive *archive, char *out, size_t capacity, size_t *ret_length)
{
    int status = LST_OK;

    *ret_length = 0;
    while (archive->record_at == archive->record_length &&
           !(archive->step == STEP_BODY && archive->body_left > 0)) {
        if (archive->step == STEP_DONE) {
            return LST_OK;
        }
        status = next_record(archive);
        if (status != LST_OK) {
            return status;
        }
    }
    if (archive->record_at < archive->record_length) {
        *ret_length = take_record(archive, out, capacity);
    } else {
        status = take_body(archive, out, capacity, ret_length);
    }
    archive->sent += status == LST_OK ? *ret_length : 0;
    return status;
}

/* Fill the room with what small files there are; a failure waits until what was before it is sent.
 */
static int read_archive(void *context, char *out, size_t capacity, size_t *ret_length)
{
    struct archive *archive = context;
    size_t first = archive->at;
    size_t length = 1;

    *ret_length = 0;
    while (archive->status == LST_OK && length > 0 && *ret_length < capacity &&
           (archive->step >= STEP_ENTRY || archive->at - first < FILES_AT_ONCE)) {
        archive->status = take(archive, out + *ret_length, capacity - *ret_length, &length);
        *ret_length += archive->status == LST_OK ? length : 0;
    }
    return *ret_length > 0 ? LST_OK : archive->status;
}

/* One use, with what came of it. */
static void close_archive(void *context)
{
    struct archive *archive = context;
    bool is_whole = archive->sent == archive->length;

    lst_ledger_settle(archive->ledger,
                      &(struct lst_use_outcome){.use = archive->use,
                                                .http_status = is_whole ? 200 : CLOSED,
                                                .size = archive->sent,
                                                .type = LST_SLICE("application/zip"),
                                                .reason = LST_SLICE("short link")});
    free_archive(archive);
}

/* ---- The answer */

static struct lst_slice keep(struct lst_slice text, char *room, size_t capacity)
{
    struct lst_slice kept = lst_slice_make(room, text.length < capacity ? text.length : capacity);

    if (kept.length > 0) {
        memcpy(room, text.bytes, kept.length);
    }
    return kept;
}

/* NULL: no memory. */
static struct archive *make_archive(const struct lst_link_opening *opening)
{
    const struct lst_api *api = opening->exchange->api;
    struct archive *archive = calloc(1, sizeof(*archive));

    if (archive == NULL) {
        return NULL;
    }
    archive->store = api->options.store;
    archive->ledger = api->options.ledger;
    archive->link = opening->link;
    (void)json_incref(archive->link.json);
    archive->use = lst_link_use_of(opening);
    archive->use.id = lst_slice_of(archive->link.id);
    archive->use.method = keep(archive->use.method, archive->method, METHOD_MAX);
    archive->use.peer = keep(archive->use.peer, archive->peer, PEER_MAX);
    (void)keep(archive->link.key, archive->key, KEY_MAX);
    lst_buffer_init_charged(&archive->files, FILES_MAX * sizeof(struct noted_file));
    lst_buffer_init_charged(&archive->names, NAMES_MAX);
    return archive;
}

static void refuse(struct lst_link_opening *opening, int status)
{
    struct lst_api_exchange *exchange = opening->exchange;

    if (status == LST_ERR_TOO_LARGE) {
        lst_link_refuse(exchange, 403, "TooManyFiles",
                        "This folder has too many files for one download: open them one by one.");
    } else if (status == LST_REFUSED_NOT_ALLOWED) {
        lst_link_refuse(exchange, 403, "AccessDenied",
                        "The person who made this link may not share all files of this folder.");
    } else if (status == LST_ERR_NOT_FOUND || status == LST_ERR_BUCKET_NOT_FOUND) {
        lst_link_refuse(exchange, 404, "NoSuchKey", "There are no files here.");
    } else {
        lst_api_fail_code(exchange, status);
    }
}

/* "photos/2026/" is saved as "2026.zip". */
static void add_name(const struct lst_link_opening *opening, struct lst_http_response *response)
{
    struct lst_slice shown = lst_link_shown_name(&opening->link);
    struct lst_buffer name;
    struct lst_buffer value;

    lst_buffer_init(&name, KEY_MAX + 8);
    lst_buffer_init(&value, 8 * KEY_MAX);
    lst_buffer_append(&name, lst_filename_is_valid(shown) ? shown : LST_SLICE("files"));
    lst_buffer_append_string(&name, ".zip");
    if (lst_disposition_attachment(lst_buffer_slice(&name), &value) != LST_OK) {
        lst_buffer_append_string(&value, "attachment; filename=\"files.zip\"");
    }
    if (lst_buffer_status(&name) == LST_OK && lst_buffer_status(&value) == LST_OK) {
        lst_http_response_add(response, "Content-Disposition", lst_buffer_slice(&value));
    } else {
        response->headers.status = LST_ERR_NO_MEMORY;
    }
    lst_buffer_release(&name);
    lst_buffer_release(&value);
}

void lst_link_zip(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    struct lst_http_response *response = &exchange->response;
    struct archive *archive = make_archive(opening);
    int status = archive == NULL ? LST_ERR_NO_MEMORY : note_files(archive, opening);

    if (status == LST_OK && archive->count == 0) {
        status = LST_ERR_NOT_FOUND;
    }
    if (status != LST_OK) {
        if (archive != NULL) {
            free_archive(archive);
        }
        refuse(opening, status);
        return;
    }
    lst_link_page_headers(exchange);
    lst_http_response_add(response, "Content-Type", LST_SLICE("application/zip"));
    add_name(opening, response);
    response->length = archive->length;
    if (lst_slice_equal(exchange->request->message.method, LST_SLICE("HEAD"))) {
        response->kind = LST_BODY_LENGTH;
        free_archive(archive);
    } else {
        response->kind = LST_BODY_STREAM;
        response->stream = (struct lst_http_stream){
            .read = read_archive, .close = close_archive, .context = archive};
    }
    lst_api_answer_end(exchange);
}
