/* list.h - one listing of a bucket: what was asked for, and what has been written of the answer. */
#ifndef LST_S3_LIST_H
#define LST_S3_LIST_H

#include "s3/bucket.h"
#include "s3/exchange.h"
#include "s3/token.h"

#define LST_LIST_KEYS_MAX 1000 /* on one page, as S3 */

/* What was asked for; slices live as long as the exchange. */
struct lst_listing {
    bool is_v2;
    bool has_prefix;
    bool has_delimiter;
    bool has_start_after;
    bool has_token;
    bool has_encoding;
    bool url_encoded; /* keys in the answer */
    bool with_owner;
    bool is_negative; /* max-keys */
    struct lst_slice prefix;
    struct lst_slice delimiter;
    struct lst_slice marker;         /* of version 1, and key-marker of versions */
    struct lst_slice version_marker; /* of versions */
    struct lst_slice start_after;
    struct lst_slice token;
    struct lst_slice encoding;
    struct lst_slice max_keys_text; /* as sent; NULL if it was not */
    uint64_t max_keys;              /* at most LST_LIST_KEYS_MAX, once the page is checked */

    char place[LST_TOKEN_PLACE_MAX]; /* of the token, decoded */
    struct lst_slice after;

    struct lst_bucket_sight sight; /* of the bucket */
    struct lst_buffer contents;    /* XML of the keys */
    struct lst_buffer prefixes;    /* XML of the common prefixes */
    uint64_t count;
    char last[LST_TOKEN_PLACE_MAX]; /* the last key or common prefix written */
    size_t last_length;
};

/* Read the parameters, checking nothing. NULL if there is no memory. The listing is
 * exchange->work. */
struct lst_listing *lst_listing_read(struct lst_s3_exchange *exchange);

/* Check what S3 checks before it looks for the bucket: that max-keys is a number. False, having
 * answered, if it is none. */
bool lst_listing_check(struct lst_s3_exchange *exchange, const struct lst_listing *listing);

/* Check the rest, of a bucket that is there, in S3's order: encoding-type, continuation-token, and
 * that max-keys is not negative. False, having answered, if one is wrong. */
bool lst_listing_check_page(struct lst_s3_exchange *exchange, struct lst_listing *listing);

/* Text of a key, percent-encoded if the client wants it so. */
void lst_listing_write_key(const struct lst_listing *listing, struct lst_buffer *body,
                           const char *name, struct lst_slice key);

/* <CommonPrefixes>, into listing->prefixes. */
void lst_listing_write_prefix(struct lst_listing *listing, struct lst_slice prefix);

/* <ChecksumAlgorithm> and <ChecksumType>, if the fields have a checksum. */
void lst_listing_write_checksum(struct lst_buffer *body, const struct lst_field *fields,
                                size_t field_count);

/* <Owner>: of an object that is the bucket's owner, whoever wrote it ("BucketOwnerEnforced"). */
void lst_listing_write_owner(struct lst_buffer *body, const struct lst_bucket_sight *sight);

/* What every listing ends with: its delimiter and encoding, whether there is more, the keys and the
 * common prefixes, and the closing tag of the whole element. The answer is then complete. */
void lst_listing_end(struct lst_s3_exchange *exchange, const struct lst_listing *listing,
                     const char *element, bool is_truncated);

#endif
