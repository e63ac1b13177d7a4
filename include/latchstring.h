/*
 * latchstring.h - sign and check S3 requests with AWS Signature Version 4.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * The library does two things, for a client and for a server:
 *
 *   sign    a presigned URL, an Authorization header, a POST form, the chunks of a streamed body;
 *   check   the same four, and say exactly why one is refused.
 *
 * It follows "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API Reference:
 * the chapters "Using Query Parameters", "Using the Authorization Header", "Transferring Payload in
 * Multiple Chunks" (with and without trailers) and "Browser-Based Uploads Using POST".
 *
 * WHAT HOLDS EVERYWHERE
 *
 * Pure. No function allocates, reads a clock, does I/O, sets errno, logs, or keeps state between
 * calls. Time is an argument: seconds since 1970-01-01T00:00:00Z. Every function may be called from
 * any number of threads at once, as long as no two write to the same struct.
 *
 * Slices. Text is a struct lst_slice: pointer and length, never assumed to end in NUL. An empty
 * slice may have a NULL pointer. A slice that is handed out points into what the caller handed in,
 * and is valid as long as that is, unless its comment says otherwise.
 *
 * Output. Functions that write text take a buffer and its capacity in bytes, and give the length
 * through ret_length. Nothing is written past the capacity and no NUL is appended. On an error the
 * content of the buffer is unspecified and *ret_length is untouched.
 *
 * Errors. 0 (LST_OK) or a negative code of enum lst_error. Other outputs are untouched on failure
 * unless their comment says otherwise. lst_refusal() and lst_refusal_text() give the S3 code, the
 * HTTP status and the text that belong to a code.
 *
 * NULL. Pointers to structs must not be NULL. A pointer to an array may be NULL when its count is
 * 0.
 *
 * Secrets. Secrets are compared in constant time and wiped from the stack after use. Structs that
 * hold one (struct lst_key, struct lst_stream) are wiped by the caller with lst_wipe().
 *
 * ABI. Structs are filled by name or zeroed first: a zero field means "not given, take the
 * default", so a later version may use new fields. The library exports only names that begin with
 * lst_.
 */
#ifndef LATCHSTRING_H
#define LATCHSTRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LST_VERSION "0.1.0"

#if defined(__GNUC__)
#define LST_MUST_CHECK __attribute__((warn_unused_result))
#define LST_PUBLIC     __attribute__((visibility("default")))
#else
#define LST_MUST_CHECK
#define LST_PUBLIC
#endif

/* Limits, all in bytes or in number of entries. What exceeds one is refused with a code of its own.
 */
#define LST_HEADERS_MAX        128   /* headers of one request */
#define LST_PARAMETERS_MAX     128   /* query parameters of one request */
#define LST_SIGNED_HEADERS_MAX 64    /* names in SignedHeaders */
#define LST_TARGET_MAX         16384 /* request target */
#define LST_ACCESS_KEY_ID_MAX  128   /* as in IAM */
#define LST_SECRET_MAX         256   /* secret access key; AWS's have 40 */
#define LST_REGION_MAX         63
#define LST_SERVICE_MAX        31
#define LST_EXPIRES_MAX        604800 /* seconds: seven days, AWS's own limit */
#define LST_CLOCK_SKEW         900    /* seconds: fifteen minutes, AWS's own limit */
#define LST_SIGNATURE_LENGTH   64     /* hex digits */
#define LST_TRAILERS_MAX       8      /* trailing headers of a streamed body */

/* ---------------------------------------------------------------------------------------------------------
 * Text
 */

struct lst_slice {
    const char *bytes;
    size_t length;
};

/* A header, or a query parameter, or a form field. */
struct lst_field {
    struct lst_slice name;
    struct lst_slice value;
};

/* A slice over a string literal or a char array that ends in NUL. */
#ifdef __cplusplus
#define LST_SLICE(literal) (lst_slice{(literal), sizeof(literal) - 1})
#else
#define LST_SLICE(literal) ((struct lst_slice){(literal), sizeof(literal) - 1})
#endif

/* A slice over a NUL-terminated string; the empty slice for NULL. */
LST_PUBLIC struct lst_slice lst_slice_of(const char *string);

/* ---------------------------------------------------------------------------------------------------------
 * Errors
 */

/*
 * Every code, by the step that gives it. LST_ERR_ codes are mistakes of the caller of the library;
 * LST_REFUSED_ codes are verdicts on a request, one for each way in which a request can be wrong.
 */
enum lst_error {
    LST_OK = 0,

    /* The caller's own. */
    LST_ERR_BUFFER_TOO_SMALL = -1, /* see the function's bound */
    LST_ERR_INVALID_ARGUMENT = -2, /* a field that must be given is empty, or out of its range */
    LST_ERR_NO_NEAR_MISS = -3,     /* lst_explain() found no change that fits */

    /* Size: a request that is larger than the limits above. */
    LST_REFUSED_TOO_MANY_HEADERS = -10,
    LST_REFUSED_TOO_MANY_PARAMETERS = -11,
    LST_REFUSED_TARGET_TOO_LONG = -12,
    LST_REFUSED_TARGET_MALFORMED = -13, /* does not begin with '/', or has a bad %-escape */

    /* Rule 1: exactly one way of authentication. */
    LST_REFUSED_NOT_SIGNED = -20,   /* no signature of any kind */
    LST_REFUSED_SIGNED_TWICE = -21, /* both in the query and in an Authorization header */
    LST_REFUSED_UNKNOWN_SCHEME =
        -22, /* an Authorization header of another scheme (Basic, Bearer, SigV4A) */

    /* Rule 2: all parts, once each, well formed. */
    LST_REFUSED_SIGNATURE_V2 = -30,
    LST_REFUSED_ALGORITHM = -31,
    LST_REFUSED_PARAMETER_MISSING = -32,  /* lst_auth.culprit names it */
    LST_REFUSED_PARAMETER_REPEATED = -33, /* lst_auth.culprit names it */
    LST_REFUSED_CREDENTIAL = -34,
    LST_REFUSED_DATE = -35,
    LST_REFUSED_SIGNED_HEADERS = -36,
    LST_REFUSED_SIGNATURE_FORMAT = -37,
    LST_REFUSED_PAYLOAD_HASH_MISSING =
        -38,                        /* an Authorization header without x-amz-content-sha256 */
    LST_REFUSED_PAYLOAD_HASH = -39, /* an x-amz-content-sha256 that is none of the allowed forms */

    /* Rule 3: the scope. */
    LST_REFUSED_SCOPE_DATE = -40,
    LST_REFUSED_SCOPE_REGION = -41,
    LST_REFUSED_SCOPE_SERVICE = -42,
    LST_REFUSED_SCOPE_TERMINATOR = -43,

    /* Rule 4: X-Amz-Expires. */
    LST_REFUSED_EXPIRES_FORMAT = -50,
    LST_REFUSED_EXPIRES_NEGATIVE = -51,
    LST_REFUSED_EXPIRES_TOO_LARGE = -52,

    /* Rule 5: time. */
    LST_REFUSED_EXPIRED = -60,
    LST_REFUSED_NOT_YET_VALID = -61,
    LST_REFUSED_TIME_TOO_SKEWED = -62, /* Authorization header only */

    /* Rule 6: what must be signed. */
    LST_REFUSED_HOST_NOT_SIGNED = -70,
    LST_REFUSED_HEADERS_NOT_SIGNED = -71, /* lst_auth.culprit names the first one */

    /* Rule 7: the key. Given by the caller, who looks it up; here so that one table has every text.
     */
    LST_REFUSED_ACCESS_KEY_UNKNOWN = -80,
    LST_REFUSED_ACCESS_KEY_INACTIVE = -81,
    LST_REFUSED_TOKEN_INVALID = -82,
    LST_REFUSED_TOKEN_EXPIRED = -83,

    /* Rule 8: the signature. */
    LST_REFUSED_SIGNATURE = -90,
    LST_REFUSED_V2_AMBIGUOUS = -91, /* of V2: a parameter's value that could pass for two */

    /* Rule 9: what the signer may do. Given by the caller. */
    LST_REFUSED_NOT_ALLOWED = -100,

    /* Streamed bodies. */
    LST_REFUSED_CHUNK_MALFORMED = -110,
    LST_REFUSED_CHUNK_SIGNATURE = -111,
    LST_REFUSED_CHUNK_TOO_SMALL = -112, /* a chunk but the last below 8 KiB */
    LST_REFUSED_BODY_TOO_LONG = -113,   /* more than x-amz-decoded-content-length */
    LST_REFUSED_BODY_TOO_SHORT = -114,  /* the body ended early */
    LST_REFUSED_TRAILER_MALFORMED = -115,
    LST_REFUSED_TRAILER_SIGNATURE = -116,
    LST_REFUSED_TRAILER_UNEXPECTED = -117, /* not what x-amz-trailer announced */

    /* POST forms. */
    LST_REFUSED_FORM_FIELD_MISSING = -120, /* lst_auth.culprit names it */
    LST_REFUSED_POLICY_MALFORMED = -121,
    LST_REFUSED_POLICY_EXPIRED = -122,
    LST_REFUSED_POLICY_CONDITION = -123, /* a condition does not hold */
    LST_REFUSED_POLICY_EXTRA_FIELD = -124,
    LST_REFUSED_POLICY_TOO_SMALL = -125,
    LST_REFUSED_POLICY_TOO_LARGE = -126,
};

/* What S3 answers for a code. All pointers are to constants. */
struct lst_refusal {
    const char *name;    /* the enumerator's name in words: "signature-does-not-match" */
    const char *s3_code; /* "SignatureDoesNotMatch" */
    const char *text;    /* the message for people, AWS's own wording where AWS has one */
    int http_status;     /* 403 */
};

enum lst_auth_kind {
    LST_AUTH_NONE = 0,
    LST_AUTH_QUERY = 1,  /* a presigned URL */
    LST_AUTH_HEADER = 2, /* Authorization: AWS4-HMAC-SHA256 ... */
    LST_AUTH_FORM = 3,   /* a POST form with a policy */
    /* Signature Version 2, for old clients: only where struct lst_rules allows it. */
    LST_AUTH_V2_QUERY = 4,  /* a presigned URL */
    LST_AUTH_V2_HEADER = 5, /* Authorization: AWS keyid:signature */
    LST_AUTH_V2_FORM = 6,   /* a POST form with a policy */
};

/*
 * The table's row for a code. S3 names the same mistake differently by the way of signing
 * (AuthorizationQueryParametersError, AuthorizationHeaderMalformed), hence the kind.
 * An unknown code gives the row of an internal error (500), never NULL.
 */
LST_PUBLIC const struct lst_refusal *lst_refusal(int code, enum lst_auth_kind kind);

/* ---------------------------------------------------------------------------------------------------------
 * Key: the signing key of one secret, for one day, region and service
 */

/*
 * Holds the inner and outer SHA-256 states of HMAC after the derived signing key has been absorbed,
 * so that a signature costs the blocks of its message and one more. Immutable once made; share it
 * between threads freely. It can't be turned back into the secret, but signs as the secret does for
 * that day: wipe it. "Credential scope" in the specification.
 */
struct lst_key {
    uint32_t inner[8];
    uint32_t outer[8];
    char scope[8 + 1 + LST_REGION_MAX + 1 + LST_SERVICE_MAX + 1 + 12 + 1]; /* ends in NUL */
    uint8_t scope_length;
    uint8_t region_length;
    uint8_t service_length;
};

/*
 * Make the key. time: any second of the wanted day (UTC). Five HMACs, about a microsecond: cache
 * the key. LST_ERR_INVALID_ARGUMENT: the secret is empty or longer than LST_SECRET_MAX, the region
 * or the service is empty, too long or has a '/' in it, or the time is outside the years 1970 to
 * 9999.
 */
LST_PUBLIC LST_MUST_CHECK int lst_key_init(struct lst_key *key, struct lst_slice secret,
                                           int64_t time, struct lst_slice region,
                                           struct lst_slice service);

/* True if the key was made for this day ("20130524"), region and service. */
LST_PUBLIC bool lst_key_fits(const struct lst_key *key, struct lst_slice day,
                             struct lst_slice region, struct lst_slice service);

/* Overwrite with zeros in a way that the compiler does not remove. */
LST_PUBLIC void lst_wipe(void *memory, size_t size);

/* Compare without telling by the time taken where the first difference is. The lengths may be
 * learned. */
LST_PUBLIC bool lst_equal_secret(struct lst_slice a, struct lst_slice b);

/* ---------------------------------------------------------------------------------------------------------
 * Sign
 */

enum lst_style {
    LST_PATH_STYLE = 0,   /* https://host/bucket/key */
    LST_VIRTUAL_HOST = 1, /* https://bucket.host/key */
};

/*
 * A request to sign. Everything is raw, as a person would write it: the library does all
 * percent-encoding.
 *
 * The path is /bucket/key in path style and /key in virtual-host style, encoded once, with every
 * byte kept:
 * "//", "/./" and "/../" are part of an S3 key. With no bucket the path is "/" and the key; with a
 * bucket and no key, path style gives "/bucket". To sign a request that is not S3's, leave the
 * bucket empty.
 */
struct lst_signing {
    struct lst_slice method; /* "PUT"; must be given */
    struct lst_slice scheme; /* "https" if empty; only a presigned URL shows it */
    struct lst_slice host;   /* "s3.eu-west-1.amazonaws.com", "127.0.0.1:9000"; must be given. Leave
                              * out   a default port, as HTTP clients do */
    struct lst_slice bucket;
    struct lst_slice key;
    enum lst_style style;
    const struct lst_field
        *query; /* further parameters; signed in canonical order, sent in this order */
    size_t query_count;
    const struct lst_field *headers; /* further headers to sign; the client must send them with
                                      * these values. Names are of letters, digits and - . _ ~ */
    size_t header_count;
    struct lst_slice access_key_id; /* must be given */
    struct lst_slice session_token; /* X-Amz-Security-Token, if temporary credentials sign */
    struct lst_slice payload_hash;  /* 64 hex digits, or a word of the specification. If empty:
                                     * UNSIGNED-PAYLOAD */
    int64_t time;                   /* X-Amz-Date */
    int64_t expires; /* presigned URL only: seconds, at least 1; no upper bound here, because
                      * servers differ. See LST_EXPIRES_MAX for AWS's */
};

/*
 * Presign: the whole URL, ready for any HTTP client.
 * The key must fit the day of signing->time; its region and service go into the credential.
 * Parameters are sent as: signing->query in its order, then X-Amz-Algorithm, -Credential, -Date,
 * -Expires, -SignedHeaders, -Security-Token (if any), -Signature: the bytes that botocore gives.
 * LST_ERR_INVALID_ARGUMENT: a field that must be given is empty, the key is of another day, a
 * header or parameter is one that the library itself adds, or there are more than the limits allow.
 * LST_ERR_BUFFER_TOO_SMALL: see lst_presign_bound().
 */
LST_PUBLIC LST_MUST_CHECK int lst_presign(const struct lst_signing *signing,
                                          const struct lst_key *key, char *out, size_t capacity,
                                          size_t *ret_length);

/* An upper bound, in bytes, of what lst_presign() writes for this request and key. */
LST_PUBLIC size_t lst_presign_bound(const struct lst_signing *signing, const struct lst_key *key);

/*
 * Sign with a header: writes the value of the Authorization header.
 * The client sends signing->headers and these, which are signed too: Host; X-Amz-Date, from
 * lst_format_time(); X-Amz-Content-Sha256 with the payload hash (added only when the key's service
 * is "s3"); X-Amz-Security-Token if there is a session token. Errors as for lst_presign(). A value
 * never needs more than lst_presign_bound() says.
 */
LST_PUBLIC LST_MUST_CHECK int lst_sign_header(const struct lst_signing *signing,
                                              const struct lst_key *key, char *out, size_t capacity,
                                              size_t *ret_length);

/*
 * The stages of signing, each on its own, for those who must see what was signed.
 * kind: LST_AUTH_QUERY as lst_presign() does it, or LST_AUTH_HEADER as lst_sign_header() does it.
 */
LST_PUBLIC LST_MUST_CHECK int lst_signing_canonical_request(const struct lst_signing *signing,
                                                            const struct lst_key *key,
                                                            enum lst_auth_kind kind, char *out,
                                                            size_t capacity, size_t *ret_length);
LST_PUBLIC LST_MUST_CHECK int lst_signing_string_to_sign(const struct lst_signing *signing,
                                                         const struct lst_key *key,
                                                         enum lst_auth_kind kind, char *out,
                                                         size_t capacity, size_t *ret_length);

/* The signature of any string to sign: HMAC-SHA256 with the key, in lower-case hex. */
LST_PUBLIC void lst_sign_string(const struct lst_key *key, struct lst_slice string_to_sign,
                                char ret_signature[LST_SIGNATURE_LENGTH]);

/* "20130524T000000Z", 16 bytes. LST_ERR_INVALID_ARGUMENT: a time outside the years 1970 to 9999. */
LST_PUBLIC LST_MUST_CHECK int lst_format_time(int64_t time, char ret_text[16]);

/* The reverse. LST_ERR_INVALID_ARGUMENT: not exactly of that form, or no such date. */
LST_PUBLIC LST_MUST_CHECK int lst_parse_time(struct lst_slice text, int64_t *ret_time);

/*
 * RFC 3986 percent-encoding as SigV4 wants it: all bytes but A-Z a-z 0-9 - . _ ~ as %XX,
 * upper-case. keep_slash: leave '/' alone, as in a path. Needs at most 3 bytes for each byte of
 * text.
 */
LST_PUBLIC LST_MUST_CHECK int lst_percent_encode(struct lst_slice text, bool keep_slash, char *out,
                                                 size_t capacity, size_t *ret_length);

/*
 * The reverse; the output is never longer than the text. plus_is_space: as in a query.
 * LST_REFUSED_TARGET_MALFORMED: a '%' that two hex digits do not follow.
 */
LST_PUBLIC LST_MUST_CHECK int lst_percent_decode(struct lst_slice text, bool plus_is_space,
                                                 char *out, size_t capacity, size_t *ret_length);

/* ---------------------------------------------------------------------------------------------------------
 * Check
 *
 * Two steps, no callbacks:
 *
 *   lst_parse()    takes the request apart and applies every rule that needs no secret (rules 1 to
 * 6); the caller     looks the access key up (rule 7) and makes, or has cached, its struct lst_key;
 *   lst_verify()   recomputes the signature (rule 8);
 *   the caller     asks what the signer may do now (rule 9).
 */

/* A request exactly as it came. Decode nothing before it is checked. */
struct lst_request {
    struct lst_slice method;
    struct lst_slice target;         /* origin-form, raw: "/photos/a%20b.jpg?X-Amz-Algorithm=..." */
    const struct lst_field *headers; /* in the order received; names in any case */
    size_t header_count;
    struct lst_slice host; /* if given, taken instead of the Host header's value: for a server that
                            * knows its public name behind a proxy */
};

/* What this server asks of requests. All zero: S3, any region, AWS's limits. */
struct lst_rules {
    struct lst_slice service; /* "s3" if empty */
    struct lst_slice region;  /* any region if empty */
    int64_t expires_max; /* seconds; LST_EXPIRES_MAX if 0. A higher value accepts longer lives */
    int64_t clock_skew;  /* seconds; LST_CLOCK_SKEW if 0 */
    bool allow_v2;       /* accept Signature Version 2 too; else LST_REFUSED_SIGNATURE_V2 */
};

enum lst_payload {
    LST_PAYLOAD_UNSIGNED = 0,      /* UNSIGNED-PAYLOAD, or a presigned URL that says nothing */
    LST_PAYLOAD_SHA256 = 1,        /* the body's SHA-256 must be lst_auth.body_sha256 */
    LST_PAYLOAD_STREAM_SIGNED = 2, /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
    LST_PAYLOAD_STREAM_SIGNED_TRAILER = 3,   /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
    LST_PAYLOAD_STREAM_UNSIGNED_TRAILER = 4, /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};

/*
 * A request's claims, taken apart. Nothing in it is proved before lst_verify() says so.
 * Slices point into the request, still encoded as they were sent; arrays hold decoded copies that
 * end in NUL, so the struct may be copied.
 */
struct lst_auth {
    enum lst_auth_kind kind;
    enum lst_payload payload;
    char access_key_id[LST_ACCESS_KEY_ID_MAX + 1];
    char day[8 + 1]; /* "20130524", of the credential scope */
    char region[LST_REGION_MAX + 1];
    char service[LST_SERVICE_MAX + 1];
    int64_t time;                    /* X-Amz-Date; of a V2 URL, which has none, its Expires */
    int64_t expires;                 /* seconds; of a presigned URL, else 0; of a V2 URL 0 */
    struct lst_slice signature;      /* 64 hex digits, of V2 base64, as sent */
    struct lst_slice signed_headers; /* as sent: encoded (%3B) in a URL */
    struct lst_slice session_token;  /* as sent: encoded in a URL. See lst_auth_token_equals() */
    struct lst_slice payload_hash;   /* the word or hex digits that go into the canonical request */
    struct lst_slice body_sha256;  /* of LST_PAYLOAD_SHA256: 64 hex digits, what the body must have.
                                    * payload_hash, unless a presigned request has an
                                    * x-amz-content-sha256 that is not signed */
    struct lst_slice policy;       /* of a form: the base64 text that was signed */
    struct lst_slice culprit;      /* after a refusal: the parameter or header that it is about */
    struct lst_slice credential;   /* as sent: encoded in a URL; what a refusal of it may show */
    size_t canonical_query_length; /* the library's own note from lst_parse() to lst_verify() */
};

/*
 * Step one: rules 1 to 6, in their order; the first that fails is the answer.
 *
 * Query parameters: '+' counts as a space, as AWS S3 reads it; in the path '+' is a plus sign.
 * Names of the X-Amz-* parameters are case-sensitive.
 *
 * *ret_auth is always written, also on a refusal: as much as was understood, so that an error can
 * name the signer, the expiry and the culprit.
 */
LST_PUBLIC LST_MUST_CHECK int lst_parse(const struct lst_request *request,
                                        const struct lst_rules *rules, int64_t now,
                                        struct lst_auth *ret_auth);

/*
 * Step two: rule 8. The request and auth are those of lst_parse(); the key was made from the
 * signer's secret for auth->day, auth->region and auth->service. LST_REFUSED_SIGNATURE: the
 * signature is wrong. LST_ERR_INVALID_ARGUMENT: the key is of another scope.
 */
LST_PUBLIC LST_MUST_CHECK int lst_verify(const struct lst_request *request,
                                         const struct lst_auth *auth, const struct lst_key *key);

/* True if the session token of the request, decoded, is this one, compared in constant time. */
LST_PUBLIC bool lst_auth_token_equals(const struct lst_auth *auth, struct lst_slice token);

/* The stages of a check, as S3 shows them in a SignatureDoesNotMatch error. */
LST_PUBLIC LST_MUST_CHECK int lst_canonical_request(const struct lst_request *request,
                                                    const struct lst_auth *auth, char *out,
                                                    size_t capacity, size_t *ret_length);
LST_PUBLIC LST_MUST_CHECK int lst_string_to_sign(const struct lst_request *request,
                                                 const struct lst_auth *auth, char *out,
                                                 size_t capacity, size_t *ret_length);

/* An upper bound, in bytes, of lst_canonical_request() for this request. A string to sign is never
 * longer than 256. */
LST_PUBLIC size_t lst_canonical_request_bound(const struct lst_request *request);

/*
 * The text of a refusal with its particulars filled in, in AWS's wording where AWS has one: "Error
 * parsing the X-Amz-Credential parameter; the region 'us-east-1' is wrong; expecting 'eu-west-1'".
 * 512 bytes are always enough.
 */
LST_PUBLIC LST_MUST_CHECK int lst_refusal_text(int code, const struct lst_auth *auth,
                                               const struct lst_rules *rules, char *out,
                                               size_t capacity, size_t *ret_length);

/*
 * The names of the headers that rule 6 found unsigned, lower-case, joined with ", ": what S3 shows
 * as HeadersNotSigned. Writes as many whole names as fit; gives 0 length if every one is signed.
 */
LST_PUBLIC void lst_headers_not_signed(const struct lst_request *request,
                                       const struct lst_auth *auth, char *out, size_t capacity,
                                       size_t *ret_length);

/* ---------------------------------------------------------------------------------------------------------
 * Check Signature Version 2
 *
 * "Signing and authenticating REST requests" of the Amazon S3 User Guide: presigned URLs with
 * AWSAccessKeyId, Expires and Signature; Authorization headers of the scheme AWS; POST forms with
 * AWSAccessKeyId, policy and signature. lst_parse() and lst_parse_form() take them apart, as one of
 * the LST_AUTH_V2_ kinds, if the rules allow them. It has no scope, so the secret itself is the
 * key, and it covers less than Version 4: not the host, no plain header but Content-MD5,
 * Content-Type and Date, and not the parameters of a listing. What it does cover, here more
 * strictly than at AWS, is every other query parameter: one that is not known to be harmless, and
 * was not signed, makes the signature wrong. expires_max of the rules counts from now.
 */

/*
 * Step two for LST_AUTH_V2_QUERY and _HEADER. bucket: the one in the host name, of a
 * virtual-host-style request; empty in path style. LST_REFUSED_SIGNATURE.
 * LST_REFUSED_V2_AMBIGUOUS: a parameter that is signed has an '&' or a line end in its value.
 * LST_ERR_INVALID_ARGUMENT: auth is of another kind, or the secret is empty or longer than
 * LST_SECRET_MAX.
 */
LST_PUBLIC LST_MUST_CHECK int lst_verify_v2(const struct lst_request *request,
                                            const struct lst_auth *auth, struct lst_slice bucket,
                                            struct lst_slice secret);

/* Step two for LST_AUTH_V2_FORM. Errors as for lst_verify_v2(). */
LST_PUBLIC LST_MUST_CHECK int lst_verify_form_v2(const struct lst_auth *auth,
                                                 struct lst_slice secret);

/* What a request of LST_AUTH_V2_QUERY or _HEADER should have signed. It is never longer than
 * lst_canonical_request_bound(), and the bucket. */
LST_PUBLIC LST_MUST_CHECK int lst_string_to_sign_v2(const struct lst_request *request,
                                                    const struct lst_auth *auth,
                                                    struct lst_slice bucket, char *out,
                                                    size_t capacity, size_t *ret_length);

/* ---------------------------------------------------------------------------------------------------------
 * Explain a wrong signature
 */

enum lst_near_miss {
    LST_MISS_NONE = 0,
    LST_MISS_METHOD,             /* signed for another method */
    LST_MISS_HOST,               /* signed for another host */
    LST_MISS_PATH_ENCODED_TWICE, /* the signer encoded the path a second time */
    LST_MISS_PATH_NOT_ENCODED,   /* the signer used the raw path */
    LST_MISS_PATH_NORMALISED,    /* the signer removed "//", "/./" or "/../" */
    LST_MISS_PATH_STYLE,      /* path-style against virtual-host: the bucket is on the wrong side */
    LST_MISS_PLUS_FOR_SPACE,  /* '+' and %20 were exchanged */
    LST_MISS_QUERY_PARAMETER, /* a parameter was added after signing */
    LST_MISS_HEADER_ABSENT,   /* a signed header did not arrive: Content-Type, most often */
    LST_MISS_HEADER_CHANGED,  /* a signed header was changed on the way: accept-encoding by a proxy
                               */
    LST_MISS_EMPTY_BODY_CHECKSUM, /* the SDK signed the checksum of an empty body into a presigned
                                     PUT */
    LST_MISS_PAYLOAD_HASH, /* signed with another payload hash (of the empty body, UNSIGNED-PAYLOAD)
                            */
    LST_MISS_REGION,       /* the key was derived for another region than the scope says */
    LST_MISS_SERVICE,
    LST_MISS_DAY,               /* the key was derived for another day than the scope says */
    LST_MISS_EXPIRES,           /* X-Amz-Expires was changed after signing */
    LST_MISS_SECRET_WHITESPACE, /* the signer's secret has white space around it, or ours has */
    LST_MISS_ENCODED_AGAIN,     /* path or query percent-encoded once more after signing */
    LST_MISS_HEADER_ENCODING,   /* signed headers went from UTF-8 to ISO-8859-1, or back */
    LST_MISS_COPIED,            /* "&amp;" or "\\u0026" for '&': copied out of HTML or JSON */
    LST_MISS_GLUED,             /* punctuation or white space at the end of the URL */
    LST_MISS_CASE,              /* upper and lower case were changed after signing */
    LST_MISS_CUT_SHORT,         /* the end of the URL is missing */
    LST_MISS_WRAPPED,           /* white space in the middle of the URL, where a line was wrapped */
    LST_MISS_SECRET_FORM, /* the signer's secret has quotes around it, or is percent-encoded */
    LST_MISS_ENDPOINT,    /* signed for AWS, and sent to another server */
};

struct lst_explanation {
    enum lst_near_miss miss;
    size_t length;  /* of text */
    char text[512]; /* one sentence for people: what was signed, what arrived, what to change */
};

/* What to try besides what the request itself suggests. */
struct lst_hints {
    const struct lst_slice *hosts; /* other names of this server: forwarded host, public URL, with
                                    * and without port */
    size_t host_count;             /* at most 12 are tried */
    struct lst_slice
        bucket; /* as the server understood the request, for path-style against virtual-host */
    const struct lst_slice *regions; /* other regions to try; the common ones are tried anyway */
    size_t region_count;             /* at most 12 are tried */
    bool host_is_right; /* the host is one that clients call this server by: if nothing fits, the
                         * secret is suspected, and no proxy */
};

/*
 * Find the single change that would have made the signature right; or, of what happens together,
 * the two: a URL used with another method, and without the headers of its own. Call it after
 * lst_verify() gave LST_REFUSED_SIGNATURE, with the signer's own secret. Tries at most a hundred
 * candidates, a few microseconds each. The text never holds the secret, the expected signature or a
 * session token. LST_ERR_NO_NEAR_MISS: none fits; *ret_explanation then says what to compare (miss
 * is LST_MISS_NONE).
 */
LST_PUBLIC LST_MUST_CHECK int lst_explain(const struct lst_request *request,
                                          const struct lst_auth *auth, struct lst_slice secret,
                                          const struct lst_hints *hints,
                                          struct lst_explanation *ret_explanation);

/*
 * The same for a presigned URL that lst_parse() refused for its form, with this code: encoded again
 * on the way, copied out of HTML or JSON, glued to punctuation, in another case, cut short. It
 * needs no secret, and so can't say that the signature would be right; but what happened, undone,
 * makes the URL parse. rules, now: those of lst_parse(); auth: as it left it, which may be of no
 * kind.
 * LST_ERR_NO_NEAR_MISS: nothing of that kind is to be seen, or the code is another;
 * *ret_explanation is then untouched.
 */
LST_PUBLIC LST_MUST_CHECK int lst_explain_refusal(const struct lst_request *request,
                                                  const struct lst_rules *rules, int64_t now,
                                                  int code, const struct lst_auth *auth,
                                                  struct lst_explanation *ret_explanation);

/* ---------------------------------------------------------------------------------------------------------
 * Streamed bodies: content-encoding aws-chunked
 */

enum lst_stream_event {
    LST_STREAM_NEED_MORE = 0, /* all input was taken */
    LST_STREAM_DATA = 1,      /* data holds a piece of the body */
    LST_STREAM_END = 2, /* the body is whole, every signature was right; trailers can be read */
};

/*
 * An incremental decoder of one body. Constant size; hands out pieces of the caller's own input.
 * A piece is handed out before the signature of its chunk can be known: make nothing visible before
 * LST_STREAM_END. Copying a decoder in mid-stream gives an independent one.
 */
struct lst_stream {
    uint64_t opaque[256];
};

/*
 * Begin. auth and key are those that lst_verify() accepted; auth->payload must be one of the STREAM
 * kinds. The key is copied. decoded_length: the value of x-amz-decoded-content-length, in bytes.
 * trailers: the value of x-amz-trailer, the lower-case names announced, separated by commas; it
 * must stay valid until the end. LST_ERR_INVALID_ARGUMENT: auth->payload is not a stream.
 */
LST_PUBLIC LST_MUST_CHECK int lst_stream_init(struct lst_stream *stream,
                                              const struct lst_auth *auth,
                                              const struct lst_key *key, uint64_t decoded_length,
                                              struct lst_slice trailers);

/*
 * Take some input. Gives one event at a time: call again with the rest of the input (input plus
 * *ret_consumed) until it is all consumed. ret_data points into input, valid as long as that is.
 * LST_REFUSED_CHUNK_*, LST_REFUSED_BODY_TOO_LONG, LST_REFUSED_TRAILER_*: the body is refused; every
 * later call gives the same code.
 */
LST_PUBLIC LST_MUST_CHECK int lst_stream_decode(struct lst_stream *stream, struct lst_slice input,
                                                size_t *ret_consumed,
                                                enum lst_stream_event *ret_event,
                                                struct lst_slice *ret_data);

/* After LST_REFUSED_CHUNK_TOO_SMALL: the number, from 1, of the chunk that followed the small one,
 * and the size of that in bytes. AWS S3 calls them Chunk and BadChunkSize. */
LST_PUBLIC void lst_stream_small_chunk(const struct lst_stream *stream, uint64_t *ret_chunk,
                                       uint64_t *ret_size);

/* Say that no more input will come. LST_REFUSED_BODY_TOO_SHORT unless LST_STREAM_END was given. */
LST_PUBLIC LST_MUST_CHECK int lst_stream_finish(const struct lst_stream *stream);

/* Trailing headers, after LST_STREAM_END. The slices point into the decoder. */
LST_PUBLIC size_t lst_stream_trailer_count(const struct lst_stream *stream);
LST_PUBLIC struct lst_field lst_stream_trailer(const struct lst_stream *stream, size_t index);

/*
 * For those who send streams: the signature of one chunk. seed: the signature before it, of the
 * request for the first chunk. sha256: of the chunk's data. time: the request's X-Amz-Date.
 */
LST_PUBLIC LST_MUST_CHECK int lst_stream_sign_chunk(const struct lst_key *key, int64_t time,
                                                    struct lst_slice previous_signature,
                                                    const uint8_t sha256[32],
                                                    char ret_signature[LST_SIGNATURE_LENGTH]);

/* ---------------------------------------------------------------------------------------------------------
 * POST forms: "Browser-Based Uploads Using POST"
 */

enum lst_match {
    LST_MATCH_EXACT = 0,       /* {"field": "value"} */
    LST_MATCH_STARTS_WITH = 1, /* ["starts-with", "$field", "value"]; "" matches anything */
};

struct lst_condition {
    struct lst_slice field; /* "key", "Content-Type", "x-amz-meta-user": no '$' */
    struct lst_slice value;
    enum lst_match match;
};

/* A form to sign: what a browser may upload. Must be given: bucket, access_key_id, expires; all
 * else as it is wanted. */
struct lst_form {
    struct lst_slice bucket;
    const struct lst_condition *conditions; /* "key" must be among them */
    size_t condition_count;
    uint64_t length_min; /* content-length-range, in bytes; left out if both are 0 */
    uint64_t length_max;
    struct lst_slice access_key_id;
    struct lst_slice session_token;
    int64_t time;
    int64_t expires; /* seconds */
};

/*
 * Write the policy document, in base64: the value of the form's field "policy"; and its signature,
 * the value of "x-amz-signature". The form further needs the fields x-amz-algorithm
 * (AWS4-HMAC-SHA256), x-amz-credential (see lst_credential()), x-amz-date (lst_format_time()),
 * x-amz-security-token if there is one, and every field that a condition names. The library puts
 * those four into the conditions itself.
 */
LST_PUBLIC LST_MUST_CHECK int lst_sign_form(const struct lst_form *form, const struct lst_key *key,
                                            char *policy, size_t capacity, size_t *ret_length,
                                            char ret_signature[LST_SIGNATURE_LENGTH]);

/* An upper bound, in bytes, of the policy that lst_sign_form() writes. */
LST_PUBLIC size_t lst_sign_form_bound(const struct lst_form *form, const struct lst_key *key);

/* "AKIDEXAMPLE/20130524/us-east-1/s3/aws4_request". 320 bytes are always enough. */
LST_PUBLIC LST_MUST_CHECK int lst_credential(struct lst_slice access_key_id,
                                             const struct lst_key *key, char *out, size_t capacity,
                                             size_t *ret_length);

/*
 * Check a form, step one: rules 1 to 5 as they apply to forms. fields: all form fields but the
 * file, names in any case. The policy's own expiry is checked by lst_policy_check(). A form of
 * Signature Version 2 goes on with lst_verify_form_v2().
 */
LST_PUBLIC LST_MUST_CHECK int lst_parse_form(const struct lst_field *fields, size_t field_count,
                                             const struct lst_rules *rules, int64_t now,
                                             struct lst_auth *ret_auth);

/* Step two: the signature over auth->policy. Errors as for lst_verify(). */
LST_PUBLIC LST_MUST_CHECK int lst_verify_form(const struct lst_auth *auth,
                                              const struct lst_key *key);

/* What a policy that holds allows. */
struct lst_policy_limits {
    int64_t expires_at; /* seconds since 1970 */
    bool has_length_range;
    uint64_t length_min; /* bytes, both inclusive */
    uint64_t length_max;
};

/*
 * Step three: does the policy allow these fields now? scratch: room to decode the policy into, at
 * least three quarters of auth->policy.length. bucket: the bucket that the form was posted to. The
 * size of the file is not known yet: hold it against *ret_limits as it arrives. *ret_condition, on
 * LST_REFUSED_POLICY_CONDITION and _EXTRA_FIELD: the condition or the field's name; on
 * _POLICY_MALFORMED what is wrong with the document, in S3's words. It points into scratch, into
 * fields or at a constant.
 */
LST_PUBLIC LST_MUST_CHECK int lst_policy_check(const struct lst_auth *auth,
                                               const struct lst_field *fields, size_t field_count,
                                               struct lst_slice bucket, int64_t now, char *scratch,
                                               size_t capacity,
                                               struct lst_policy_limits *ret_limits,
                                               struct lst_slice *ret_condition);

#ifdef __cplusplus
}
#endif

#endif
