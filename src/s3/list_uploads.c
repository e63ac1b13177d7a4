/* list_uploads.c - ListMultipartUploads. */
#include "s3/list_parts.h"
#include "s3/xml.h"

enum { LOOKED_AT_MAX = 10000 /* uploads, for one that a marker names */ };

struct page {
    struct lst_s3_exchange *exchange;
    struct lst_listing *listing;
    struct lst_slice upload_marker;
    char last_upload[LST_UPLOAD_ID_LENGTH]; /* of the last entry */
    size_t last_upload_length;              /* 0 after a common prefix */
};

static int write_entry(void *context, const struct lst_upload_entry *entry)
{
    struct page *page = context;
    struct lst_listing *listing = page->listing;
    struct lst_buffer *body = &listing->contents;
    struct lst_slice last = lst_slice_first(entry->upload.key, sizeof(listing->last));
    struct lst_slice id = lst_slice_first(entry->upload.id, sizeof(page->last_upload));
    struct lst_upload_checksum agreed;

    listing->count++;
    memcpy(listing->last, last.bytes, last.length);
    listing->last_length = last.length;
    page->last_upload_length = 0;
    if (entry->is_prefix) {
        lst_listing_write_prefix(listing, entry->upload.key);
        return lst_buffer_status(&listing->prefixes);
    }
    memcpy(page->last_upload, id.bytes, id.length);
    page->last_upload_length = id.length;
    agreed = lst_upload_checksum_of_note(entry->upload.note);
    lst_xml_open(body, "Upload");
    lst_listing_write_key(listing, body, "Key", entry->upload.key);
    lst_xml_text(body, "UploadId", entry->upload.id);
    lst_upload_write_owner(body, page->exchange, &listing->sight);
    lst_xml_time(body, "Initiated", entry->upload.created_ms);
    lst_upload_write_checksum(body, &agreed);
    lst_xml_close(body, "Upload");
    return lst_buffer_status(body);
}

static void answer(struct lst_s3_exchange *exchange, const struct page *page, bool is_truncated)
{
    struct lst_listing *listing = page->listing;
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, 200)->body;

    lst_xml_begin(body, "ListMultipartUploadsResult");
    lst_xml_text(body, "Bucket", exchange->target.bucket);
    lst_listing_write_key(listing, body, "KeyMarker", listing->marker);
    lst_xml_text(body, "UploadIdMarker", page->upload_marker);
    /* S3 names the last upload even when nothing follows it. */
    lst_listing_write_key(listing, body, "NextKeyMarker",
                          is_truncated || page->last_upload_length > 0
                              ? lst_slice_make(listing->last, listing->last_length)
                              : lst_slice_make("", 0));
    lst_xml_text(body, "NextUploadIdMarker",
                 lst_slice_make(page->last_upload, page->last_upload_length));
    /* Here alone S3 has the delimiter before the prefix, and leaves both out if they are empty. */
    if (listing->delimiter.length > 0) {
        lst_listing_write_key(listing, body, "Delimiter", listing->delimiter);
        listing->delimiter.length = 0; /* what every listing ends with lacks it then */
    }
    if (listing->prefix.length > 0) {
        lst_listing_write_key(listing, body, "Prefix", listing->prefix);
    }
    lst_xml_number(body, "MaxUploads", listing->max_keys);
    lst_listing_end(exchange, listing, "ListMultipartUploadsResult", is_truncated);
}

struct search {
    struct lst_slice key;
    struct lst_slice id;
    bool found;
};

static int look_for(void *context, const struct lst_upload_entry *entry)
{
    struct search *search = context;

    search->found = search->found || (lst_slice_equal(entry->upload.id, search->id) &&
                                      !lst_slice_equal(entry->upload.key, search->key));
    return LST_OK;
}

/* An upload of this id that is gone may have been of the key: only one that is there, elsewhere, is
 * wrong. */
static bool is_of_another_key(struct lst_s3_exchange *exchange, const struct page *page)
{
    struct lst_store *store = exchange->s3->options.store;
    struct search search = {.key = page->listing->marker, .id = page->upload_marker};
    struct lst_upload_name name = {exchange->target.bucket, search.key, search.id};
    struct lst_upload_list_options options = {.bucket = exchange->target.bucket,
                                              .max_entries = LOOKED_AT_MAX};
    struct lst_upload_checksum agreed;
    bool is_truncated;

    return lst_upload_checksum_see(exchange, &name, &agreed) == LST_ERR_UPLOAD_NOT_FOUND &&
           lst_store_list_uploads(store, &options, look_for, &search, &is_truncated) == LST_OK &&
           search.found;
}

/* False, having answered, if they can't be. Without a key-marker S3 passes over upload-id-marker.
 */
static bool read_markers(struct lst_s3_exchange *exchange, struct page *page)
{
    struct lst_listing *listing = page->listing;
    struct lst_slice count;

    (void)lst_s3_parameter(exchange, LST_PARAMETER_KEY_MARKER, &listing->marker);
    (void)lst_s3_parameter(exchange, LST_PARAMETER_UPLOAD_ID_MARKER, &page->upload_marker);
    (void)lst_s3_parameter(exchange, LST_PARAMETER_MAX_UPLOADS, &count);
    if (listing->marker.length == 0) {
        page->upload_marker.length = 0;
    }
    if (page->upload_marker.length > 0 &&
        (page->upload_marker.length != LST_UPLOAD_ID_LENGTH || is_of_another_key(exchange, page))) {
        lst_s3_fail_argument(exchange, "Invalid uploadId marker", "upload-id-marker",
                             page->upload_marker);
        return false;
    }
    return lst_page_count_read(exchange, "max-uploads", count, &listing->max_keys);
}

void lst_list_uploads(struct lst_s3_exchange *exchange)
{
    struct page page = {.exchange = exchange, .listing = lst_listing_read(exchange)};
    struct lst_listing *listing = page.listing;
    bool is_truncated = false;
    int status;

    if (listing == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    if (!read_markers(exchange, &page)) {
        return;
    }
    status = lst_bucket_see(exchange, &listing->sight);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    listing->is_negative = false; /* max-keys is no parameter of this listing */
    if (!lst_listing_check_page(exchange, listing)) {
        return;
    }
    struct lst_upload_list_options options = {
        .bucket = exchange->target.bucket,
        .prefix = listing->prefix,
        .delimiter = listing->delimiter,
        .after_key = listing->marker,
        .after_upload = page.upload_marker,
        .max_entries = (size_t)listing->max_keys,
    };
    if (listing->max_keys > 0) {
        status = lst_store_list_uploads(exchange->s3->options.store, &options, write_entry, &page,
                                        &is_truncated);
    }
    if (status == LST_OK) {
        answer(exchange, &page, is_truncated);
    } else {
        lst_s3_fail_code(exchange, status);
    }
}
