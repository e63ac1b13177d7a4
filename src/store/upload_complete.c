/* upload_complete.c - make the parts of an upload an object. */
#include "base/encoding.h"
#include "store/parts.h"
#include "store/put.h"

#include <stdio.h>

static const struct lst_slice nothing = {NULL, 0};

/* ---- An upload that was completed already */

struct search {
    struct lst_key_place place;
    struct lst_slice upload_id;
    struct lst_store_write *write;
    enum lst_versioning versioning;
};

/* Whether a version was made of the upload; what a client is told of it then. */
static bool is_made_of_it(const struct search *search, struct lst_slice value)
{
    struct lst_object_row row;

    if (lst_object_row_decode(value, &row) != LST_OK || row.parts.length == 0 ||
        !lst_slice_equal(lst_row_parts_upload(row.parts), search->upload_id)) {
        return false;
    }
    search->write->modified_ms = row.modified_ms;
    search->write->etag_length = row.etag.length;
    memcpy(search->write->etag, row.etag.bytes, row.etag.length);
    search->write->version.length = 0;
    if (search->versioning != LST_VERSIONING_NEVER) {
        lst_version_format(row.version, &search->write->version);
    }
    return true;
}

/* Among the versions that are not current. All that are older than the upload come last. */
static int search_versions(const struct search *search)
{
    const struct lst_key_place *place = &search->place;
    struct lst_row_name start;
    struct lst_slice name = lst_slice_make(NULL, 0);
    struct lst_slice value;
    uint64_t begun;
    int status = lst_row_number_decode(lst_slice_first(search->upload_id, 8), &begun);

    lst_row_name_make_escaped(&start, LST_ROW_VERSION, place->key);
    if (status == LST_OK) {
        status = lst_index_seek(place->reader, place->partition, lst_row_name_slice(&start), &name,
                                &value);
    }
    for (; (status = lst_store_walk(place->reader, lst_row_name_slice(&start), status, &name,
                                    &value)) == LST_OK;
         status = lst_index_next(place->reader, &name, &value)) {
        if (lst_object_row_peek(value).order < begun) {
            return LST_ERR_UPLOAD_NOT_FOUND;
        }
        if (is_made_of_it(search, value)) {
            return LST_OK;
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_ERR_UPLOAD_NOT_FOUND : status;
}

/* The object that was made of the upload, if it still is a version of its key. */
static int find_completed(struct search *search)
{
    struct lst_bucket_state state;
    struct lst_found_row head;
    int status = lst_head_read_key_state(&search->place, true, &state);
    int confirmed;
    unsigned repeats = 0;

    if (status != LST_OK) {
        return status;
    }
    search->versioning = state.versioning;
    do {
        confirmed = status = lst_head_read(&search->place, &head);
        if (status != LST_OK ||
            (head.kind == LST_ROW_OBJECT && is_made_of_it(search, head.value))) {
            return status;
        }
        status = search_versions(search);
        if (status == LST_ERR_UPLOAD_NOT_FOUND) {
            confirmed = lst_head_confirm(&search->place, &head);
        }
    } while (lst_store_reads_again(&confirmed, &repeats));
    return confirmed == LST_OK ? status : confirmed;
}

/* ---- The batch */

/* The parts that are there, held against those of the object. */
struct matching {
    struct lst_put *put;
    uint32_t next; /* of the object's */
    struct sha256_ctx stamps;
};

/* One that the object does not have. */
static void drop_part(struct lst_put *put, uint32_t number, struct lst_slice value)
{
    struct lst_row_name name;

    lst_row_name_make_part(&name, put->key, lst_slice_make(put->upload_id, sizeof(put->upload_id)),
                           number);
    lst_changes_require_value(&put->changes, lst_row_name_slice(&name), value);
    lst_changes_let_go(&put->changes, put->key, value);
    (void)lst_changes_add(&put->changes, LST_INDEX_DELETE, lst_row_name_slice(&name), nothing);
}

static int match_part(void *context, uint32_t number, struct lst_slice value)
{
    struct matching *matching = context;
    struct lst_put *put = matching->put;
    struct lst_slice id = lst_slice_make(put->upload_id, sizeof(put->upload_id));
    struct lst_object_row row;
    struct lst_row_part part;
    struct lst_row_name name;

    if (matching->next == lst_row_parts_count(put->rest.parts) ||
        number < put->completed[matching->next].number) {
        drop_part(put, number, value);
        return LST_OK;
    }
    part = lst_row_parts_at(put->rest.parts, matching->next);
    if (number != part.number || lst_object_row_decode(value, &row) != LST_OK ||
        row.size != part.end - part.first ||
        !lst_slice_equal(row.etag, put->completed[matching->next].etag)) {
        *put->culprit = part.number;
        return LST_ERR_PART_INVALID;
    }
    lst_row_name_make_part(&name, put->key, id, number);
    lst_changes_require_value(&put->changes, lst_row_name_slice(&name), value);
    sha256_update(&matching->stamps, sizeof(row.stamp), (const uint8_t *)row.stamp);
    matching->next++;
    return LST_OK;
}

/* What was looked at while the completion was staged is what becomes the object. Otherwise a part
 * with the same ETag is as good. */
static int check_stamps(struct lst_put *put, struct matching *matching)
{
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_digest(&matching->stamps, sizeof(digest), digest);
    if (put->write->staged == NULL || memcmp(digest, put->part_stamps, sizeof(digest)) == 0) {
        return LST_OK;
    }
    *put->culprit = 0; /* of which part, the digest of all does not tell */
    return LST_ERR_PART_INVALID;
}

/* Whether the upload is as it was, so that what was read of its parts is of that time.
 * LST_ERR_CONFLICT: no, it may be over. */
static int confirm_upload(struct lst_index_reader *reader, const struct lst_upload_place *place,
                          struct lst_slice before)
{
    struct lst_slice now;
    int status = lst_upload_read(reader, place, &now);

    if (status == LST_ERR_UPLOAD_NOT_FOUND ||
        (status == LST_OK && !lst_slice_equal(lst_slice_first(before, LST_ROW_STAMP_SIZE),
                                              lst_slice_first(now, LST_ROW_STAMP_SIZE)))) {
        return LST_ERR_CONFLICT;
    }
    return status;
}

/* Require the upload and its parts. */
static int add_parts(struct lst_put *put, struct lst_index_reader *reader,
                     const struct lst_upload_place *place, struct lst_slice upload)
{
    struct matching matching = {.put = put};
    int status;

    lst_changes_require_value(&put->changes, lst_row_name_slice(&place->row), upload);
    lst_changes_check_row(&put->changes, upload);
    (void)lst_changes_add(&put->changes, LST_INDEX_DELETE, lst_row_name_slice(&place->row),
                          nothing);
    lst_changes_count(&put->changes, LST_ROW_UPLOAD, 0, -1);
    sha256_init(&matching.stamps);
    status = lst_part_each(reader, put->partition, put->key, lst_upload_place_id(place), 0,
                           match_part, &matching);
    if (status == LST_OK && matching.next < lst_row_parts_count(put->rest.parts)) {
        *put->culprit = put->completed[matching.next].number;
        status = LST_ERR_PART_INVALID;
    } else if (status == LST_OK) {
        status = check_stamps(put, &matching);
    }
    return status;
}

static int add_completion(struct lst_put *put, struct lst_index_reader *reader)
{
    struct lst_slice id = lst_slice_make(put->upload_id, sizeof(put->upload_id));
    struct lst_upload_place place;
    struct lst_slice upload;
    int confirmed;
    int status;

    lst_upload_place_make(put->partition, put->key, id, &place);
    status = lst_upload_read(reader, &place, &upload);
    if (status == LST_ERR_UPLOAD_NOT_FOUND) {
        struct search search = {
            .place = {put->store, reader, put->partition, put->key},
            .upload_id = id,
            .write = put->write,
        };
        status = find_completed(&search);
        return status == LST_OK ? LST_PUT_IS_DONE : status;
    }
    if (status == LST_OK) {
        status = add_parts(put, reader, &place, upload);
        if (status == LST_ERR_PART_INVALID) {
            confirmed = confirm_upload(reader, &place, upload);
            status = confirmed == LST_OK ? status : confirmed;
        }
    }
    return status == LST_OK ? lst_put_add_object(put, reader) : status;
}

/* ---- Begin */

/* The object that the listed parts make. */
struct assembly {
    const struct lst_complete_options *options;
    uint32_t *culprit;
    struct lst_index_reader *reader;
    struct lst_upload_place place;
    struct lst_buffer parts; /* encoded */
    struct lst_md5 md5;      /* of their MD5s */
    struct sha256_ctx stamps;
    uint64_t size;
    char etag[LST_ETAG_MAX];
    size_t etag_length;
};

static int add_to_assembly(struct assembly *assembly, size_t i)
{
    const struct lst_completed_part *part = &assembly->options->parts[i];
    bool is_last = i + 1 == assembly->options->part_count;
    uint8_t digest[LST_MD5_SIZE];
    struct lst_object_row row;
    int status;

    *assembly->culprit = part->number;
    if (i > 0 && part->number <= assembly->options->parts[i - 1].number) {
        return LST_ERR_PART_ORDER;
    }
    status = lst_part_read(assembly->reader, assembly->place.partition, assembly->options->name.key,
                           lst_upload_place_id(&assembly->place), part->number, &row);
    if (status != LST_OK) {
        return status == LST_ERR_NOT_FOUND ? LST_ERR_PART_INVALID : status;
    }
    if (!lst_slice_equal(row.etag, part->etag) ||
        !lst_hex_decode(row.etag, digest, sizeof(digest))) {
        return LST_ERR_PART_INVALID;
    }
    if (row.size < LST_PART_SIZE_MIN && !is_last) {
        return LST_ERR_PART_TOO_SMALL;
    }
    if (row.size > LST_UPLOAD_SIZE_MAX - assembly->size) {
        return LST_ERR_TOO_LARGE;
    }
    assembly->size += row.size;
    lst_md5_update(&assembly->md5, lst_slice_make((const char *)digest, sizeof(digest)));
    sha256_update(&assembly->stamps, sizeof(row.stamp), (const uint8_t *)row.stamp);
    lst_row_parts_add(&assembly->parts, part->number, assembly->size);
    return LST_OK;
}

static int assemble(struct assembly *assembly)
{
    const struct lst_complete_options *options = assembly->options;
    uint8_t digest[LST_MD5_SIZE];
    char count[LST_ETAG_MAX - 2 * LST_MD5_SIZE];
    int status = LST_OK;
    int length;

    if (options->part_count == 0 || options->part_count > LST_PART_NUMBER_MAX) {
        return LST_ERR_MALFORMED;
    }
    lst_md5_init(&assembly->md5);
    sha256_init(&assembly->stamps);
    lst_row_parts_begin(&assembly->parts, lst_upload_place_id(&assembly->place));
    for (size_t i = 0; i < options->part_count && status == LST_OK; i++) {
        status = add_to_assembly(assembly, i);
    }
    if (status == LST_OK && options->size_known && options->size != assembly->size) {
        status = LST_ERR_MALFORMED;
    }
    if (status != LST_OK) {
        return status;
    }
    lst_md5_digest(&assembly->md5, digest);
    lst_hex_encode(digest, sizeof(digest), assembly->etag);
    length = snprintf(count, sizeof(count), "-%zu", options->part_count);
    memcpy(assembly->etag + 2 * sizeof(digest), count, (size_t)length);
    assembly->etag_length = 2 * sizeof(digest) + (size_t)length;
    return lst_buffer_status(&assembly->parts);
}

/* A put of that object, as the upload was created. */
static int make_put(struct lst_store *store, struct assembly *assembly, struct lst_slice upload,
                    struct lst_put **ret_put)
{
    const struct lst_complete_options *options = assembly->options;
    struct lst_put_options object = {
        .bucket = options->name.bucket, .key = options->name.key, .condition = options->condition};
    struct lst_object_row row;
    struct lst_put *put;
    int status = lst_object_row_decode(upload, &row);

    if (status != LST_OK) {
        return status;
    }
    object.fields = row.fields;
    object.field_count = row.field_count;
    object.tags = row.tags;
    object.tag_count = row.tag_count;
    status = lst_put_make(store, assembly->place.partition, &object, &put);
    if (status != LST_OK) {
        return status;
    }
    for (size_t i = 0; i < options->field_count && status == LST_OK; i++) {
        status = lst_put_add_field(put, options->fields[i].name, options->fields[i].value);
    }
    if (status != LST_OK) {
        lst_put_abort(put);
        return status;
    }
    lst_put_drop_body(put);
    memcpy(put->upload_id, assembly->place.id, sizeof(put->upload_id));
    put->add_changes = add_completion;
    put->completed = options->parts;
    put->culprit = assembly->culprit;
    put->size = assembly->size;
    sha256_digest(&assembly->stamps, sizeof(put->part_stamps), put->part_stamps);
    put->rest.parts = lst_changes_copy(&put->copies, lst_buffer_slice(&assembly->parts));
    put->rest.etag =
        lst_changes_copy(&put->copies, lst_slice_make(assembly->etag, assembly->etag_length));
    *ret_put = put;
    return LST_OK;
}

static void commit(struct lst_put *put, struct lst_store_write *write)
{
    int status = lst_changes_status(&put->copies);

    put->write = write;
    lst_store_begin_write(put->store);
    if (status == LST_OK) {
        status = lst_put_seal(put);
    }
    if (status == LST_OK) {
        lst_put_stage(put);
    } else {
        lst_put_finish(put, status);
    }
}

/* It is not in progress; perhaps it was completed. */
static int complete_again(struct lst_store *store, const struct lst_upload_name *name,
                          struct lst_store_write *write)
{
    char id[LST_ROW_UPLOAD_ID_SIZE] = {0};
    struct search search = {
        .place = {.store = store, .key = name->key},
        .upload_id = lst_slice_make(id, sizeof(id)),
        .write = write,
    };
    int status;

    if (name->key.length == 0 || name->key.length > LST_STORE_KEY_MAX ||
        !lst_hex_decode(name->upload, id, sizeof(id))) {
        return LST_ERR_UPLOAD_NOT_FOUND;
    }
    status =
        lst_store_read_bucket(store, name->bucket, &search.place.reader, &search.place.partition);
    if (status != LST_OK) {
        return status;
    }
    status = find_completed(&search);
    lst_index_read_end(search.place.reader);
    if (status == LST_OK) {
        lst_store_begin_write(store);
        lst_store_end_write(store, write, LST_OK);
    }
    return status;
}

/* LST_ERR_CONFLICT: the upload changed meanwhile. */
static int complete_once(struct lst_store *store, const struct lst_complete_options *options,
                         uint32_t *ret_culprit, struct lst_store_write *write)
{
    struct assembly assembly = {.options = options};
    struct lst_slice upload;
    struct lst_put *put;
    int confirmed;
    int status = lst_upload_find(store, &options->name, &assembly.reader, &assembly.place, &upload);

    if (status == LST_ERR_UPLOAD_NOT_FOUND) {
        return complete_again(store, &options->name, write);
    }
    if (status != LST_OK) {
        return status;
    }
    assembly.culprit = ret_culprit;
    lst_buffer_init(&assembly.parts, LST_INDEX_VALUE_MAX);
    status = assemble(&assembly);
    if (status == LST_OK) {
        status = make_put(store, &assembly, upload, &put);
    } else if (status == LST_ERR_PART_INVALID) {
        confirmed = confirm_upload(assembly.reader, &assembly.place, upload);
        status = confirmed == LST_OK ? status : confirmed;
    }
    lst_index_read_end(assembly.reader);
    lst_buffer_release(&assembly.parts);
    if (status == LST_OK) {
        commit(put, write);
    }
    return status;
}

int lst_upload_complete(struct lst_store *store, const struct lst_complete_options *options,
                        uint32_t *ret_culprit, struct lst_store_write *write)
{
    unsigned repeats = 0;
    int status = store->read_only ? LST_ERR_PERMISSION : LST_ERR_CONFLICT;

    while (lst_store_reads_again(&status, &repeats)) {
        status = complete_once(store, options, ret_culprit, write);
    }
    return status;
}
