/* list.c - ListObjects and ListObjectsV2. */
#include "s3/list.h"

#include "s3/checksum.h"
#include "s3/xml.h"

void lst_ask_list(struct lst_s3_exchange *exchange, struct lst_access_question *question)
{
    const struct lst_listing *listing = lst_listing_read(exchange);

    if (listing != NULL) {
        question->has_prefix = listing->has_prefix;
        question->prefix = listing->prefix;
        question->has_delimiter = listing->has_delimiter;
        question->delimiter = listing->delimiter;
        question->has_max_keys = listing->max_keys_text.length > 0;
        question->max_keys = (int64_t)listing->max_keys;
    }
}

void lst_listing_write_key(const struct lst_listing *listing, struct lst_buffer *body,
                           const char *name, struct lst_slice key)
{
    size_t length;
    char *room;

    if (!listing->url_encoded) {
        lst_xml_text(body, name, key);
        return;
    }
    lst_xml_open(body, name);
    room = lst_buffer_reserve(body, 3 * key.length);
    if (room != NULL && lst_percent_encode(key, true, room, 3 * key.length, &length) == LST_OK) {
        body->length += length;
    }
    lst_xml_close(body, name);
}

void lst_listing_write_prefix(struct lst_listing *listing, struct lst_slice prefix)
{
    lst_xml_open(&listing->prefixes, "CommonPrefixes");
    lst_listing_write_key(listing, &listing->prefixes, "Prefix", prefix);
    lst_xml_close(&listing->prefixes, "CommonPrefixes");
}

/* Which checksum the object has, and of what. */
void lst_listing_write_checksum(struct lst_buffer *body, const struct lst_field *fields,
                                size_t field_count)
{
    for (size_t i = 0; i < field_count; i++) {
        enum lst_checksum_kind kind = lst_checksum_of_header(fields[i].name);
        if (kind != LST_CHECKSUM_NONE) {
            bool is_composite = lst_slice_find(fields[i].value, '-') < fields[i].value.length;
            lst_xml_string(body, "ChecksumAlgorithm", lst_checksum_name(kind));
            lst_xml_string(body, "ChecksumType", is_composite ? "COMPOSITE" : "FULL_OBJECT");
        }
    }
}

void lst_listing_write_owner(struct lst_buffer *body, const struct lst_bucket_sight *sight)
{
    lst_xml_open(body, "Owner");
    lst_xml_text(body, "ID", lst_slice_make(sight->owner, sight->owner_length));
    lst_xml_close(body, "Owner");
}

static int write_entry(void *context, const struct lst_list_entry *entry)
{
    struct lst_listing *listing = context;
    struct lst_buffer *body = &listing->contents;
    struct lst_slice last = lst_slice_first(entry->key, sizeof(listing->last));

    listing->count++;
    memcpy(listing->last, last.bytes, last.length);
    listing->last_length = last.length;
    if (entry->is_prefix) {
        lst_listing_write_prefix(listing, entry->key);
        return lst_buffer_status(&listing->prefixes);
    }
    lst_xml_open(body, "Contents");
    lst_listing_write_key(listing, body, "Key", entry->key);
    lst_xml_modified(body, entry->modified_ms);
    lst_buffer_append(body, LST_SLICE("<ETag>&quot;"));
    lst_xml_escape(body, entry->etag);
    lst_buffer_append(body, LST_SLICE("&quot;</ETag>"));
    lst_listing_write_checksum(body, entry->fields, entry->field_count);
    lst_xml_number(body, "Size", entry->size);
    if (listing->with_owner) {
        lst_listing_write_owner(body, &listing->sight);
    }
    lst_buffer_append(body, LST_SLICE("<StorageClass>STANDARD</StorageClass></Contents>"));
    return lst_buffer_status(body);
}

/* Where to go on, for the next request. */
static void write_next(const struct lst_listing *listing, struct lst_buffer *body)
{
    struct lst_slice last = lst_slice_make(listing->last, listing->last_length);

    if (listing->is_v2) {
        lst_xml_open(body, "NextContinuationToken");
        lst_token_write(body, last);
        lst_xml_close(body, "NextContinuationToken");
    } else if (listing->delimiter.length > 0) {
        /* Without a delimiter the last key is the next marker, and S3 leaves it out. */
        lst_listing_write_key(listing, body, "NextMarker", last);
    }
}

static void write_head(const struct lst_s3_exchange *exchange, const struct lst_listing *listing,
                       struct lst_buffer *body, bool is_truncated)
{
    lst_xml_begin(body, "ListBucketResult");
    lst_xml_text(body, "Name", exchange->target.bucket);
    lst_listing_write_key(listing, body, "Prefix", listing->prefix);
    if (!listing->is_v2) {
        lst_listing_write_key(listing, body, "Marker", listing->marker);
    }
    if (listing->has_start_after && !listing->has_token) {
        lst_listing_write_key(listing, body, "StartAfter", listing->start_after);
    }
    if (listing->has_token) {
        lst_xml_text(body, "ContinuationToken", listing->token);
    }
    if (is_truncated) {
        write_next(listing, body);
    }
    if (listing->is_v2) {
        lst_xml_number(body, "KeyCount", listing->count);
    }
    lst_xml_number(body, "MaxKeys", listing->max_keys);
}

void lst_listing_end(struct lst_s3_exchange *exchange, const struct lst_listing *listing,
                     const char *element, bool is_truncated)
{
    struct lst_buffer *body = &exchange->response.body;

    if (listing->delimiter.length > 0) {
        lst_listing_write_key(listing, body, "Delimiter", listing->delimiter);
    }
    if (listing->url_encoded) {
        lst_xml_text(body, "EncodingType", listing->encoding); /* "URL" does as well */
    }
    lst_xml_string(body, "IsTruncated", is_truncated ? "true" : "false");
    lst_buffer_append(body, lst_buffer_slice(&listing->contents));
    lst_buffer_append(body, lst_buffer_slice(&listing->prefixes));
    lst_xml_close(body, element);
    lst_s3_answer_xml(exchange);
}

static void answer_listing(struct lst_s3_exchange *exchange, const struct lst_listing *listing,
                           bool is_truncated)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 200);

    lst_http_response_add(
        response, "x-amz-bucket-region",
        lst_bucket_region(exchange,
                          lst_slice_make(listing->sight.region, listing->sight.region_length)));
    write_head(exchange, listing, &response->body, is_truncated);
    lst_listing_end(exchange, listing, "ListBucketResult", is_truncated);
}

/* Parameters of the other version of the listing: to pass over them would be to begin at another
 * place than the client meant. False, having answered, if there is one. */
static bool check_version(struct lst_s3_exchange *exchange, const struct lst_listing *listing)
{
    static const struct {
        bool is_of_v2;
        enum lst_parameter name;
        const char *message;
    } of_one[] = {
        {false, LST_PARAMETER_MARKER, "Marker unsupported with REST.GET.BUCKET in list-type=2"},
        {true, LST_PARAMETER_CONTINUATION_TOKEN,
         "continuation-token only supported in REST.GET.BUCKET with list-type=2"},
        {true, LST_PARAMETER_START_AFTER,
         "startAfter only supported in REST.GET.BUCKET with list-type=2"},
    };
    struct lst_slice value;

    for (size_t i = 0; i < sizeof(of_one) / sizeof(of_one[0]); i++) {
        if (of_one[i].is_of_v2 != listing->is_v2 &&
            lst_s3_parameter(exchange, of_one[i].name, &value)) {
            lst_s3_fail_about(exchange, LST_S3_INVALID_ARGUMENT, of_one[i].message, "ArgumentName",
                              lst_parameter_name(of_one[i].name));
            return false;
        }
    }
    return true;
}

void lst_list_objects(struct lst_s3_exchange *exchange)
{
    struct lst_listing *listing = exchange->work;
    bool is_truncated = false;
    int status;

    if (listing == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    if (!lst_listing_check(exchange, listing) || !check_version(exchange, listing)) {
        return;
    }
    status = lst_bucket_see(exchange, &listing->sight);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    if (!lst_listing_check_page(exchange, listing)) {
        return;
    }
    struct lst_list_options options = {
        .bucket = exchange->target.bucket,
        .prefix = listing->prefix,
        .delimiter = listing->delimiter,
        .after = listing->after,
        .max_entries = listing->max_keys,
    };
    if (listing->max_keys > 0) {
        status = lst_store_list(exchange->s3->options.store, &options, write_entry, listing,
                                &is_truncated);
    }
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    answer_listing(exchange, listing, is_truncated);
}
