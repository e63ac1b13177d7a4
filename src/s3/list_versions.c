/* list_versions.c - ListObjectVersions. */
#include "s3/list.h"
#include "s3/xml.h"

struct page {
    struct lst_listing *listing;
    struct lst_version_id last_version; /* of the last entry; of length 0 after a common prefix */
};

static int write_entry(void *context, const struct lst_version_entry *entry)
{
    struct page *page = context;
    struct lst_listing *listing = page->listing;
    struct lst_buffer *body = &listing->contents;
    const char *name = entry->is_marker ? "DeleteMarker" : "Version";
    struct lst_slice last = lst_slice_first(entry->key, sizeof(listing->last));

    listing->count++;
    memcpy(listing->last, last.bytes, last.length);
    listing->last_length = last.length;
    page->last_version.length = 0;
    if (entry->is_prefix) {
        lst_listing_write_prefix(listing, entry->key);
        return lst_buffer_status(&listing->prefixes);
    }
    page->last_version = entry->version;
    lst_xml_open(body, name);
    lst_listing_write_key(listing, body, "Key", entry->key);
    lst_xml_text(body, "VersionId", lst_version_id_slice(&entry->version));
    lst_xml_string(body, "IsLatest", entry->is_latest ? "true" : "false");
    lst_xml_modified(body, entry->modified_ms);
    if (!entry->is_marker) {
        lst_buffer_append(body, LST_SLICE("<ETag>&quot;"));
        lst_xml_escape(body, entry->etag);
        lst_buffer_append(body, LST_SLICE("&quot;</ETag>"));
        lst_listing_write_checksum(body, entry->fields, entry->field_count);
        lst_xml_number(body, "Size", entry->size);
        lst_xml_string(body, "StorageClass", "STANDARD");
    }
    lst_listing_write_owner(body, &listing->sight);
    lst_xml_close(body, name);
    return lst_buffer_status(body);
}

static void answer(struct lst_s3_exchange *exchange, const struct page *page, bool is_truncated)
{
    const struct lst_listing *listing = page->listing;
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, 200)->body;

    lst_xml_begin(body, "ListVersionsResult");
    lst_xml_text(body, "Name", exchange->target.bucket);
    lst_listing_write_key(listing, body, "Prefix", listing->prefix);
    lst_listing_write_key(listing, body, "KeyMarker", listing->marker);
    lst_xml_text(body, "VersionIdMarker", listing->version_marker);
    if (is_truncated) {
        lst_listing_write_key(listing, body, "NextKeyMarker",
                              lst_slice_make(listing->last, listing->last_length));
        if (page->last_version.length > 0) {
            lst_xml_text(body, "NextVersionIdMarker", lst_version_id_slice(&page->last_version));
        }
    }
    lst_xml_number(body, "MaxKeys", listing->max_keys);
    lst_listing_end(exchange, listing, "ListVersionsResult", is_truncated);
}

/* False, having answered, if the markers can't be. */
static bool read_markers(struct lst_s3_exchange *exchange, struct lst_listing *listing)
{
    bool has_version;

    (void)lst_s3_parameter(exchange, LST_PARAMETER_KEY_MARKER, &listing->marker);
    has_version =
        lst_s3_parameter(exchange, LST_PARAMETER_VERSION_ID_MARKER, &listing->version_marker);
    if (has_version && listing->marker.length == 0) {
        lst_s3_fail_argument(exchange,
                             "A version-id marker cannot be specified without a key marker.",
                             "version-id-marker", listing->version_marker);
        return false;
    }
    if (has_version && listing->version_marker.length == 0) {
        lst_s3_fail_argument(exchange, "A version-id marker cannot be empty.", "version-id-marker",
                             listing->version_marker);
        return false;
    }
    return true;
}

/* What S3 checks of a bucket that is there. False, having answered, if something is wrong. */
static bool check_page(struct lst_s3_exchange *exchange, struct lst_listing *listing)
{
    bool is_negative = listing->is_negative && listing->max_keys > 0;

    listing->is_negative = false; /* here alone it has words of its own for that */
    if (!lst_listing_check_page(exchange, listing)) {
        return false;
    }
    if (lst_slice_find(listing->prefix, '\0') < listing->prefix.length ||
        lst_slice_find(listing->marker, '\0') < listing->marker.length) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_ARGUMENT,
                         "Value must be a sequence of Unicode characters and cannot include Null.",
                         NULL, 0);
        return false;
    }
    if (is_negative) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_ARGUMENT, "max-keys cannot be negative",
                          "ArgumentName", LST_SLICE("max-keys"));
        return false;
    }
    return true;
}

void lst_list_object_versions(struct lst_s3_exchange *exchange)
{
    struct page page = {.listing = exchange->work};
    struct lst_listing *listing = page.listing;
    bool is_truncated = false;
    int status;

    if (listing == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    if (!lst_listing_check(exchange, listing) || !read_markers(exchange, listing)) {
        return;
    }
    status = lst_bucket_see(exchange, &listing->sight);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    if (!check_page(exchange, listing)) {
        return;
    }
    struct lst_version_list_options options = {
        .bucket = exchange->target.bucket,
        .prefix = listing->prefix,
        .delimiter = listing->delimiter,
        .after_key = listing->marker,
        .after_version = listing->version_marker,
        .max_entries = listing->max_keys,
    };
    if (listing->max_keys > 0) {
        status = lst_store_list_versions(exchange->s3->options.store, &options, write_entry, &page,
                                         &is_truncated);
    }
    if (status == LST_ERR_VERSION_MALFORMED) {
        lst_s3_fail_argument(exchange, "Invalid version id specified", "version-id-marker",
                             listing->version_marker);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    } else {
        answer(exchange, &page, is_truncated);
    }
}
