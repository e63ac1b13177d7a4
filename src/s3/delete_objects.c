/* delete_objects.c - DeleteObjects: up to a thousand keys in one commit. */
#include "s3/document.h"
#include "s3/write_condition.h"
#include "s3/xml.h"
#include "s3/xml_read.h"

#include <stdlib.h>

enum {
    DOCUMENT_MAX = 2 * 1024 * 1024, /* bytes: a thousand of the longest keys, and their tags */
    TEXT_MAX = 8192,                /* bytes of one element: keys, and whatever else stands there */
};

/* Why something can't be handed to the store. */
enum obstacle {
    NOTHING,
    NOT_ALLOWED,
    CONDITIONAL, /* LastModifiedTime or Size must fit: not implemented */
};

/* Text in one buffer, which moves while it grows. */
struct place {
    size_t offset;
    size_t length;
};

struct entry {
    struct place key;
    struct place version;
    struct place etag;
    bool has_key;
    enum obstacle obstacle;
    size_t index; /* of its deletion, if there is no obstacle */
};

struct request {
    struct lst_buffer text;
    struct entry *entries; /* owned, as are the deletions */
    size_t count;
    size_t longest; /* bytes of the longest key */
    bool is_quiet;
    bool has_quiet;
    bool lacks_key; /* one of them is empty */
    struct lst_deletion *deletions;
};

static void release(struct request *request)
{
    lst_buffer_release(&request->text);
    free(request->entries);
    free(request->deletions);
}

static struct lst_slice text_of(const struct request *request, struct place place)
{
    return lst_slice_make(request->text.bytes + place.offset, place.length);
}

/* ---- Reading */

static int keep(struct request *request, struct lst_slice text, struct place *place)
{
    if (place->length > 0) {
        return LST_ERR_MALFORMED; /* twice */
    }
    *place = (struct place){request->text.length, text.length};
    lst_buffer_append(&request->text, text);
    return lst_buffer_status(&request->text);
}

static int end_object(struct request *request)
{
    struct entry *entry = &request->entries[request->count];

    if (!entry->has_key) {
        return LST_ERR_MALFORMED;
    }
    request->lacks_key = request->lacks_key || entry->key.length == 0;
    request->longest = entry->key.length > request->longest ? entry->key.length : request->longest;
    request->count++;
    return LST_OK;
}

/* An element of the object that is being read. */
static int visit_object(struct request *request, const char *name, struct lst_slice text)
{
    struct entry *entry = &request->entries[request->count];

    if (request->count == LST_STORE_DELETE_MAX) {
        return LST_ERR_MALFORMED;
    }
    if (strcmp(name, "Key") == 0) {
        if (entry->has_key) {
            return LST_ERR_MALFORMED;
        }
        entry->has_key = true;
        return keep(request, text, &entry->key);
    }
    if (strcmp(name, "VersionId") == 0) {
        return keep(request, text, &entry->version);
    }
    if (strcmp(name, "ETag") == 0) {
        return keep(request, lst_s3_unquote(text), &entry->etag);
    }
    entry->obstacle = CONDITIONAL;
    return LST_OK;
}

static int visit(void *context, const char *path, struct lst_slice text)
{
    static const char prefix[] = "Delete/Object/";
    struct request *request = context;

    if (strcmp(path, "Delete") == 0) {
        return LST_OK;
    }
    if (strcmp(path, "Delete/Quiet") == 0) {
        if (request->has_quiet) {
            return LST_ERR_MALFORMED;
        }
        request->has_quiet = true;
        request->is_quiet = lst_slice_equal_ignoring_case(text, LST_SLICE("true"));
        return LST_OK;
    }
    if (strcmp(path, "Delete/Object") == 0) {
        return request->count == LST_STORE_DELETE_MAX ? LST_ERR_MALFORMED : end_object(request);
    }
    if (strncmp(path, prefix, sizeof(prefix) - 1) == 0) {
        return visit_object(request, path + sizeof(prefix) - 1, text);
    }
    return LST_ERR_MALFORMED;
}

/* ---- Answering */

static void write_error(const struct request *request, const struct entry *entry, const char *code,
                        const char *message, struct lst_buffer *body)
{
    lst_xml_open(body, "Error");
    lst_xml_text(body, "Key", text_of(request, entry->key));
    if (entry->version.length > 0) {
        lst_xml_text(body, "VersionId", text_of(request, entry->version));
    }
    lst_xml_string(body, "Code", code);
    lst_xml_string(body, "Message", message);
    lst_xml_close(body, "Error");
}

static void write_obstacle(const struct request *request, const struct entry *entry,
                           struct lst_buffer *body)
{
    static const struct {
        const char *code;
        const char *message;
    } errors[] = {
        [NOTHING] = {"", ""},
        [NOT_ALLOWED] = {"AccessDenied", "Access Denied"},
        [CONDITIONAL] = {"NotImplemented",
                         "Deletes on condition of a time or a size are not implemented by "
                         "Latchstring yet"},
    };

    write_error(request, entry, errors[entry->obstacle].code, errors[entry->obstacle].message,
                body);
}

static void write_deleted(const struct request *request, const struct entry *entry,
                          const struct lst_deletion *deletion, struct lst_buffer *body)
{
    struct lst_slice id = lst_version_id_slice(&deletion->version_id);

    lst_xml_open(body, "Deleted");
    lst_xml_text(body, "Key", text_of(request, entry->key));
    if (entry->version.length > 0) {
        lst_xml_text(body, "VersionId", text_of(request, entry->version));
    }
    if (deletion->is_marker) {
        lst_xml_string(body, "DeleteMarker", "true");
        lst_xml_text(body, "DeleteMarkerVersionId", id);
    }
    lst_xml_close(body, "Deleted");
}

static void write_entry(const struct request *request, const struct entry *entry,
                        struct lst_buffer *body)
{
    const struct lst_deletion *deletion = &request->deletions[entry->index];

    if (entry->obstacle != NOTHING) {
        write_obstacle(request, entry, body);
    } else if (deletion->status == LST_ERR_VERSION_MALFORMED) {
        write_error(request, entry, "NoSuchVersion", "The specified version does not exist.", body);
    } else if (deletion->status != LST_OK) {
        const struct lst_s3_error_row *row = lst_s3_error_row(lst_s3_error_of(deletion->status));
        write_error(request, entry, row->code, row->text, body);
    } else if (!request->is_quiet) {
        write_deleted(request, entry, deletion, body);
    }
}

static void answer_deletion(struct lst_s3_exchange *exchange, const struct request *request)
{
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, 200)->body;

    lst_xml_begin(body, "DeleteResult");
    for (size_t i = 0; i < request->count; i++) {
        const struct entry *entry = &request->entries[i];
        if (entry->obstacle == NOTHING &&
            request->deletions[entry->index].status == LST_ERR_UNKNOWN) {
            exchange->is_unknown = true;
        }
        write_entry(request, entry, body);
    }
    lst_xml_close(body, "DeleteResult");
    lst_s3_answer_xml(exchange);
}

/* ---- Deleting */

/* Ask for permission for each, and collect those that there is nothing against. */
static size_t choose(struct lst_s3_exchange *exchange, struct request *request)
{
    size_t chosen = 0;

    for (size_t i = 0; i < request->count; i++) {
        struct entry *entry = &request->entries[i];
        struct lst_deletion deletion = {
            .key = text_of(request, entry->key),
            .version = text_of(request, entry->version),
            .if_match = text_of(request, entry->etag),
        };
        const char *action =
            entry->version.length > 0 ? "s3:DeleteObjectVersion" : "s3:DeleteObject";
        bool asks_etag =
            deletion.if_match.length > 0 && !lst_slice_equal(deletion.if_match, LST_SLICE("*"));
        if (!lst_s3_is_allowed(exchange, action, deletion.key) ||
            (asks_etag &&
             !lst_write_condition_check_read(exchange, deletion.key, entry->version.length > 0))) {
            entry->obstacle = NOT_ALLOWED;
        }
        if (entry->obstacle == NOTHING) {
            entry->index = chosen;
            request->deletions[chosen++] = deletion;
        }
    }
    return chosen;
}

/* What came of each stands in its deletion. False, having answered, if nothing came of any. */
static bool delete_chosen(struct lst_s3_exchange *exchange, struct request *request)
{
    size_t chosen = choose(exchange, request);

    return chosen == 0 ||
           lst_s3_has_written(exchange,
                              lst_store_delete(exchange->s3->options.store, exchange->target.bucket,
                                               request->deletions, chosen, lst_s3_write(exchange)));
}

/* False, having answered, if the document is none. */
static bool read_request(struct lst_s3_exchange *exchange, struct lst_slice document,
                         struct request *request)
{
    int status;

    request->entries = calloc(LST_STORE_DELETE_MAX + 1, sizeof(*request->entries));
    request->deletions = calloc(LST_STORE_DELETE_MAX, sizeof(*request->deletions));
    if (request->entries == NULL || request->deletions == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return false;
    }
    status = lst_xml_read(document, TEXT_MAX, visit, request);
    if (document.length == 0) {
        lst_s3_fail(exchange, LST_S3_MISSING_BODY);
    } else if (status == LST_ERR_MALFORMED || (status == LST_OK && request->count == 0)) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_XML);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    } else if (request->lacks_key) {
        lst_s3_fail(exchange, LST_S3_KEY_MISSING);
    } else if (request->longest > LST_STORE_KEY_MAX) {
        lst_s3_fail_size(exchange, LST_S3_KEY_TOO_LONG, request->longest, LST_STORE_KEY_MAX);
    } else {
        return true;
    }
    return false;
}

/* Each key is asked for once they are known; who may delete none need not send them. False, having
 * answered, of such a one. */
static bool may_delete_any(struct lst_s3_exchange *exchange)
{
    if (lst_s3_could_be_allowed(exchange, "s3:DeleteObject") ||
        lst_s3_could_be_allowed(exchange, "s3:DeleteObjectVersion")) {
        return true;
    }
    lst_s3_set_reason(exchange, "the policies of user %s do not allow s3:DeleteObject here",
                      lst_passage_user_name(&exchange->passage));
    lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
    return false;
}

void lst_delete_objects(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {
        .limit = DOCUMENT_MAX, .length_required = true, .digest_required = true};
    struct request request = {.count = 0};
    struct lst_buffer document;

    if (!may_delete_any(exchange) || !lst_s3_check_bypass(exchange)) {
        return;
    }
    lst_buffer_init(&request.text, DOCUMENT_MAX);
    if (lst_document_read(exchange, &plan, &document) &&
        read_request(exchange, lst_buffer_slice(&document), &request) &&
        delete_chosen(exchange, &request)) {
        answer_deletion(exchange, &request);
    }
    release(&request);
    lst_buffer_release(&document);
}
