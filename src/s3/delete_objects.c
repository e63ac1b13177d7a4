/* delete_objects.c - DeleteObjects: up to a thousand keys in one commit. */
#include "s3/document.h"
#include "s3/xml.h"
#include "s3/xml_read.h"

#include <stdlib.h>

enum {
    DOCUMENT_MAX = 2 * 1024 * 1024, /* bytes: a thousand of the longest keys, and their tags */
    TEXT_MAX = 8192,                /* bytes of one element: keys, and whatever else stands there */
};

enum fate {
    DELETED, /* unless something speaks against it */
    NOT_ALLOWED,
    KEY_TOO_LONG,
    NO_SUCH_VERSION,
    CONDITIONAL, /* ETag, LastModifiedTime or Size must fit: not implemented */
};

/* Keys end where the next one begins, in one buffer: it moves while it grows. */
struct entry {
    size_t offset;
    size_t length;
    enum fate fate;
};

struct deletion {
    struct lst_buffer keys;
    struct entry *entries; /* LST_STORE_DELETE_MAX of them, owned */
    size_t count;
    bool is_quiet;
    bool has_key; /* the object that is being read has one */
    enum fate fate;
    struct lst_slice *deleted; /* owned: what was handed to the store */
};

static void release(void *work)
{
    struct deletion *deletion = work;

    lst_buffer_release(&deletion->keys);
    free(deletion->entries);
    free(deletion->deleted);
}

static struct lst_slice key_of(const struct deletion *deletion, const struct entry *entry)
{
    return lst_slice_make(deletion->keys.bytes + entry->offset, entry->length);
}

/* ---- Reading */

static int read_key(struct deletion *deletion, struct lst_slice text)
{
    if (deletion->has_key || text.length == 0 || deletion->count == LST_STORE_DELETE_MAX) {
        return LST_ERR_MALFORMED;
    }
    deletion->has_key = true;
    deletion->entries[deletion->count].offset = deletion->keys.length;
    deletion->entries[deletion->count].length = text.length;
    lst_buffer_append(&deletion->keys, text);
    return lst_buffer_status(&deletion->keys);
}

static int end_object(struct deletion *deletion)
{
    struct entry *entry = &deletion->entries[deletion->count];

    if (!deletion->has_key) {
        return LST_ERR_MALFORMED;
    }
    entry->fate = entry->length > LST_STORE_KEY_MAX ? KEY_TOO_LONG : deletion->fate;
    deletion->count++;
    deletion->has_key = false;
    deletion->fate = DELETED;
    return LST_OK;
}

static int visit(void *context, const char *path, struct lst_slice text)
{
    struct deletion *deletion = context;

    if (strcmp(path, "Delete") == 0) {
        return LST_OK;
    }
    if (strcmp(path, "Delete/Quiet") == 0) {
        deletion->is_quiet = lst_slice_equal_ignoring_case(text, LST_SLICE("true"));
        return LST_OK;
    }
    if (strcmp(path, "Delete/Object") == 0) {
        return end_object(deletion);
    }
    if (strcmp(path, "Delete/Object/Key") == 0) {
        return read_key(deletion, text);
    }
    if (strcmp(path, "Delete/Object/VersionId") == 0) {
        if (text.length > 0 && !lst_slice_equal(text, LST_SLICE("null"))) {
            deletion->fate = NO_SUCH_VERSION;
        }
        return LST_OK;
    }
    if (strncmp(path, "Delete/Object/", strlen("Delete/Object/")) == 0) {
        deletion->fate = CONDITIONAL;
        return LST_OK;
    }
    return LST_ERR_MALFORMED;
}

/* ---- Answering */

static void write_error(struct lst_buffer *body, struct lst_slice key, enum fate fate)
{
    static const struct {
        const char *code;
        const char *message;
    } errors[] = {
        [DELETED] = {"", ""},
        [NOT_ALLOWED] = {"AccessDenied", "Access Denied"},
        [KEY_TOO_LONG] = {"KeyTooLongError", "Your key is too long"},
        [NO_SUCH_VERSION] = {"NoSuchVersion", "The specified version does not exist."},
        [CONDITIONAL] = {"NotImplemented",
                         "Conditional deletes are not implemented by Latchstring yet"},
    };

    lst_xml_open(body, "Error");
    lst_xml_text(body, "Key", key);
    lst_xml_string(body, "Code", errors[fate].code);
    lst_xml_string(body, "Message", errors[fate].message);
    lst_xml_close(body, "Error");
}

static void answer_deletion(struct lst_s3_exchange *exchange)
{
    const struct deletion *deletion = lst_document_work(exchange);
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, 200)->body;

    lst_xml_begin(body, "DeleteResult");
    for (size_t i = 0; i < deletion->count; i++) {
        const struct entry *entry = &deletion->entries[i];
        struct lst_slice key = key_of(deletion, entry);
        if (entry->fate != DELETED) {
            write_error(body, key, entry->fate);
        } else if (!deletion->is_quiet) {
            lst_xml_open(body, "Deleted");
            lst_xml_text(body, "Key", key);
            lst_xml_close(body, "Deleted");
        }
    }
    lst_xml_close(body, "DeleteResult");
    lst_s3_answer_xml(exchange);
}

/* ---- Deleting */

/* Ask for permission for each key, and collect those that there is nothing against. */
static size_t choose(struct lst_s3_exchange *exchange, struct deletion *deletion)
{
    size_t chosen = 0;

    for (size_t i = 0; i < deletion->count; i++) {
        struct entry *entry = &deletion->entries[i];
        struct lst_slice key = key_of(deletion, entry);
        if (!lst_s3_is_allowed(exchange, "s3:DeleteObject", key)) {
            entry->fate = NOT_ALLOWED;
        }
        if (entry->fate == DELETED) {
            deletion->deleted[chosen++] = key;
        }
    }
    return chosen;
}

static void delete_all(struct lst_s3_exchange *exchange, struct deletion *deletion)
{
    size_t chosen = choose(exchange, deletion);
    int status;

    if (chosen == 0) {
        answer_deletion(exchange);
        return;
    }
    status =
        lst_store_delete(exchange->s3->options.store, exchange->target.bucket, deletion->deleted,
                         chosen, lst_s3_write_begin(exchange, answer_deletion));
    if (status != LST_OK) {
        lst_s3_write_refused(exchange, status);
    }
}

static void read_document(struct lst_s3_exchange *exchange, struct lst_slice document)
{
    struct deletion *deletion = lst_document_work(exchange);
    int status;

    lst_buffer_init(&deletion->keys, DOCUMENT_MAX);
    deletion->entries = calloc(LST_STORE_DELETE_MAX, sizeof(*deletion->entries));
    deletion->deleted = calloc(LST_STORE_DELETE_MAX, sizeof(*deletion->deleted));
    if (deletion->entries == NULL || deletion->deleted == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    status = lst_xml_read(document, TEXT_MAX, visit, deletion);
    if (status == LST_ERR_MALFORMED || (status == LST_OK && deletion->count == 0)) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_XML);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    } else {
        delete_all(exchange, deletion);
    }
}

void lst_delete_objects(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {
        .limit = DOCUMENT_MAX,
        .length_required = true,
        .digest_required = true,
        .work_size = sizeof(struct deletion),
        .release_work = release,
        .read = read_document,
    };

    lst_document_begin(exchange, &plan);
}
