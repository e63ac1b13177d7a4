/* explain_headers.c - near misses of signed headers, checksums and the payload hash. */
#include "explain.h"
#include "signed_headers.h"

/* Signed headers whose values are tried; a request seldom signs more. */
#define HEADERS_MAX 12

/* Headers whose values are tried for one that did not arrive. */
#define RENAMED_MAX 8

/* What clients, SDKs and proxies put into headers without being asked. */
struct guess {
    const char *name;
    const char *value;
};

static const struct guess guesses[] = {
    {"content-type", "application/octet-stream"},
    {"content-type", "binary/octet-stream"},
    {"content-type", "application/x-www-form-urlencoded"},
    {"content-type", "image/jpeg"},
    {"content-type", "image/png"},
    {"content-type", "image/webp"},
    {"content-type", "application/json"},
    {"content-type", "application/pdf"},
    {"content-type", "video/mp4"},
    {"content-type", "text/plain"},
    {"content-type", "text/plain;charset=UTF-8"},
    {"content-type", "multipart/form-data"},
    {"accept-encoding", "identity"},
    {"accept-encoding", "gzip"},
    {"accept-encoding", "gzip, deflate"},
    {"accept-encoding", "gzip, deflate, br"},
    {"accept-encoding", "gzip, deflate, br, zstd"},
    {"accept-encoding", "gzip,deflate"},
    {"accept-encoding", "gzip, br"},
    {"content-encoding", "aws-chunked"},
    {"content-encoding", "gzip"},
    {"content-length", "0"},
    {"expect", "100-continue"},
    {"transfer-encoding", "chunked"},
    {"connection", "keep-alive"},
    {"x-forwarded-proto", "https"},
    {"x-forwarded-proto", "http"},
    {"x-amz-acl", "public-read"},
    {"x-amz-acl", "private"},
    {"x-amz-acl", "bucket-owner-full-control"},
    {"x-amz-sdk-checksum-algorithm", "CRC32"},
    {"x-amz-server-side-encryption", "AES256"},
    {"x-amz-server-side-encryption", "aws:kms"},
    {"if-none-match", "*"},
};

/* The checksums of no bytes, in base64. */
static const struct guess empty_checksums[] = {
    {"x-amz-checksum-crc32", "AAAAAA=="},
    {"x-amz-checksum-crc32c", "AAAAAA=="},
    {"x-amz-checksum-crc64nvme", "AAAAAAAAAAA="},
    {"x-amz-checksum-sha1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
    {"x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
};

static const char empty_sha256[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* The value that was signed, of a header that arrived with another, or did not. */
static bool found_value(struct lst_internal_search *search, struct lst_slice name,
                        struct lst_slice arrived, struct lst_slice value)
{
    if (lst_internal_is_empty(value)) {
        return lst_internal_search_found(
            search, LST_MISS_HEADER_CHANGED,
            "The header # was signed as empty or absent but arrived as #: send the request without "
            "it, or sign with that value.",
            (const struct lst_slice[]){name, arrived});
    }
    if (lst_internal_is_empty(arrived)) {
        return lst_internal_search_found(
            search, LST_MISS_HEADER_ABSENT,
            "The header # was signed with the value # but did not arrive: send it with exactly "
            "that value, or sign without it.",
            (const struct lst_slice[]){name, value});
    }
    return lst_internal_search_found(
        search, LST_MISS_HEADER_CHANGED,
        "The header # was signed with the value # but arrived as #: send what was signed, and keep "
        "proxies from rewriting it.",
        (const struct lst_slice[]){name, value, arrived});
}

static bool explain_value(struct lst_internal_search *search, struct lst_slice name,
                          struct lst_slice arrived, struct lst_slice value)
{
    const struct lst_internal_variation variation = {.header = {name, value}};

    if (lst_internal_equal(value, arrived) || !lst_internal_search_fits(search, &variation)) {
        return false;
    }
    return found_value(search, name, arrived, value);
}

/* A proxy may have renamed it: the value of another header, but of none that holds a secret. */
static bool explain_renamed(struct lst_internal_search *search, struct lst_slice name)
{
    const struct lst_request *request = search->request;

    for (size_t i = 0; i < request->header_count && i < RENAMED_MAX; i++) {
        struct lst_slice value = lst_internal_trim(request->headers[i].value);
        struct lst_slice other = request->headers[i].name;

        if (value.length > 0 &&
            !lst_internal_equal_ignoring_case(other, LST_SLICE("authorization")) &&
            !lst_internal_equal_ignoring_case(other, LST_SLICE("cookie")) &&
            !lst_internal_equal_ignoring_case(other, LST_SLICE("x-amz-security-token")) &&
            explain_value(search, name, (struct lst_slice){NULL, 0}, value)) {
            return true;
        }
    }
    return false;
}

/* The type with other parameters: HTTP clients add a charset, or write it differently. */
static bool explain_charset(struct lst_internal_search *search, struct lst_slice name,
                            struct lst_slice arrived)
{
    static const char *const endings[] = {"", "; charset=utf-8", "; charset=UTF-8",
                                          ";charset=UTF-8", ";charset=utf-8"};
    struct lst_slice type =
        lst_internal_trim(lst_internal_first(arrived, lst_internal_find(arrived, ';')));

    for (size_t i = 0; type.length > 0 && i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct lst_internal_writer writer =
            lst_internal_writer_to(search->scratch, sizeof(search->scratch));

        lst_internal_put(&writer, type);
        lst_internal_put(&writer, lst_slice_of(endings[i]));
        if (!writer.overflow && explain_value(search, name, arrived,
                                              (struct lst_slice){search->scratch, writer.length})) {
            return true;
        }
    }
    return false;
}

/* What it was before a proxy added it, or added to it. */
static bool explain_added(struct lst_internal_search *search, struct lst_slice name,
                          struct lst_slice arrived)
{
    size_t first = lst_internal_find(arrived, ',');
    size_t last = arrived.length;

    if (explain_value(search, name, arrived, (struct lst_slice){"", 0}) ||
        explain_value(search, name, arrived, lst_internal_first(arrived, first))) {
        return true;
    }
    while (last > 0 && arrived.bytes[last - 1] != ',') {
        last--;
    }
    return explain_value(search, name, arrived,
                         lst_internal_trim(lst_internal_skip(arrived, last)));
}

/* What is known to be put into the header of this name. */
static bool explain_guessed(struct lst_internal_search *search, struct lst_slice name)
{
    struct lst_slice arrived = lst_internal_trim(lst_internal_search_header(search, name));

    for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
        if (lst_internal_equal(name, lst_slice_of(guesses[i].name)) &&
            explain_value(search, name, arrived, lst_slice_of(guesses[i].value))) {
            return true;
        }
    }
    return lst_internal_equal(name, LST_SLICE("content-type")) &&
           explain_charset(search, name, arrived);
}

/* What any header can have gone through. */
static bool explain_altered(struct lst_internal_search *search, struct lst_slice name)
{
    struct lst_slice arrived = lst_internal_trim(lst_internal_search_header(search, name));

    return arrived.length > 0 ? explain_added(search, name, arrived)
                              : explain_renamed(search, name);
}

/* Is there a byte that is not ASCII? */
static bool has_high_byte(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.bytes[i] >= 0x80) {
            return true;
        }
    }
    return false;
}

/* ISO-8859-1 as UTF-8: each high byte becomes two. */
static void put_as_utf8(struct lst_internal_writer *writer, struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];

        if (byte >= 0x80) {
            lst_internal_put_char(writer, (char)(0xc0 | byte >> 6));
            byte = 0x80 | (byte & 0x3f);
        }
        lst_internal_put_char(writer, (char)byte);
    }
}

/* UTF-8 as ISO-8859-1. False if it is not UTF-8, or has characters that ISO-8859-1 lacks. */
static bool put_as_latin1(struct lst_internal_writer *writer, struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];

        if (byte >= 0x80) {
            if ((byte != 0xc2 && byte != 0xc3) || i + 1 == text.length ||
                ((unsigned char)text.bytes[i + 1] & 0xc0) != 0x80) {
                return false;
            }
            byte = (unsigned char)(byte << 6 | ((unsigned char)text.bytes[++i] & 0x3f));
        }
        lst_internal_put_char(writer, (char)byte);
    }
    return true;
}

/* All signed headers with high bytes at once: who changes one of them changes the others too. */
static bool explain_encoding(struct lst_internal_search *search, bool to_utf8, const char *pattern)
{
    const struct lst_request *arrived = search->request;
    struct lst_field headers[LST_HEADERS_MAX];
    struct lst_request request = *arrived;
    struct lst_slice name = {NULL, 0};
    struct lst_internal_writer writer =
        lst_internal_writer_to(search->scratch, sizeof(search->scratch));
    bool fits;

    for (size_t i = 0; i < arrived->header_count && i < LST_HEADERS_MAX; i++) {
        size_t start = writer.length;

        headers[i] = arrived->headers[i];
        if (!has_high_byte(headers[i].value) ||
            !lst_internal_is_signed(search->auth, headers[i].name)) {
            continue;
        }
        if (to_utf8) {
            put_as_utf8(&writer, headers[i].value);
        } else if (!put_as_latin1(&writer, headers[i].value)) {
            return false;
        }
        name = name.length > 0 ? name : headers[i].name;
        headers[i].value = (struct lst_slice){search->scratch + start, writer.length - start};
    }
    if (name.length == 0 || writer.overflow || arrived->header_count > LST_HEADERS_MAX) {
        return false;
    }
    request.headers = headers;
    search->request = &request;
    fits = lst_internal_search_fits(search, NULL);
    search->request = arrived;
    return fits && lst_internal_search_found(search, LST_MISS_HEADER_ENCODING, pattern, &name);
}

bool lst_internal_explain_header_encoding(struct lst_internal_search *search)
{
    return explain_encoding(search, true,
                            "The header # was signed as UTF-8 but arrived as ISO-8859-1: send the "
                            "bytes that were signed, or keep the value to ASCII, percent-encoded "
                            "for example.") ||
           explain_encoding(search, false,
                            "The header # was signed as ISO-8859-1 but arrived as UTF-8, as if "
                            "encoded once more: send the bytes that were signed, or keep the value "
                            "to ASCII, percent-encoded for example.");
}

static bool explain_each(struct lst_internal_search *search,
                         bool (*explain)(struct lst_internal_search *, struct lst_slice))
{
    struct lst_internal_name_walk walk = lst_internal_walk_signed(search->auth);
    struct lst_slice name;

    for (size_t i = 0; i < HEADERS_MAX && lst_internal_next_signed(&walk, &name); i++) {
        /* The host has a group of its own, and no text may show part of a session token. */
        if (!lst_internal_equal(name, LST_SLICE("host")) &&
            !lst_internal_equal(name, LST_SLICE("x-amz-security-token")) && explain(search, name)) {
            return true;
        }
    }
    return false;
}

bool lst_internal_explain_guessed_headers(struct lst_internal_search *search)
{
    return explain_each(search, explain_guessed);
}

static const char other_method_absent[] = "The @ was signed for the method # with the header # as "
                                          "#, but was used with # and without that "
                                          "header: send both as they were signed.";
static const char other_method_changed[] =
    "The @ was signed for the method # with the header # as #, but was used with # and another "
    "value: send both as they were signed.";

/* The same value, where the method or the host is another too. A method of no bytes: as arrived. */
static bool explain_with(struct lst_internal_search *search, struct lst_slice method,
                         struct lst_slice host, struct lst_field header)
{
    const struct lst_internal_variation variation = {
        .method = method, .host = host, .header = header};
    struct lst_slice arrived = lst_internal_trim(lst_internal_search_header(search, header.name));

    if (lst_internal_equal(header.value, arrived) ||
        !lst_internal_search_fits(search, &variation)) {
        return false;
    }
    if (!lst_internal_is_empty(method)) {
        return lst_internal_search_found(
            search, LST_MISS_METHOD,
            lst_internal_is_empty(arrived) ? other_method_absent : other_method_changed,
            (const struct lst_slice[]){method, header.name, header.value, search->request->method});
    }
    return found_value(search, header.name, arrived, header.value);
}

/* Every guess of this header, with another method, host or both. */
static bool explain_method_too(struct lst_internal_search *search, struct lst_slice name,
                               struct lst_slice host)
{
    static const char *const methods[] = {"", "PUT", "GET", "HEAD", "POST", "DELETE"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct lst_slice method = lst_slice_of(methods[i]);

        if (lst_internal_equal(method, search->request->method) ||
            (lst_internal_is_empty(method) && lst_internal_is_empty(host))) {
            continue;
        }
        for (size_t j = 0; j < sizeof(guesses) / sizeof(guesses[0]); j++) {
            const struct lst_field header = {lst_slice_of(guesses[j].name),
                                             lst_slice_of(guesses[j].value)};

            if (lst_internal_equal(name, header.name) &&
                explain_with(search, method, host, header)) {
                return true;
            }
        }
    }
    return false;
}

static bool explain_method_and_host(struct lst_internal_search *search, struct lst_slice name)
{
    const struct lst_hints *hints = search->hints;

    if (explain_method_too(search, name, (struct lst_slice){NULL, 0})) {
        return true;
    }
    for (size_t i = 0; i < hints->host_count && i < LST_INTERNAL_HINTS_MAX; i++) {
        if (!lst_internal_is_empty(hints->hosts[i]) &&
            explain_method_too(search, name, hints->hosts[i])) {
            return true;
        }
    }
    return false;
}

bool lst_internal_explain_method_and_headers(struct lst_internal_search *search)
{
    return explain_each(search, explain_method_and_host);
}

bool lst_internal_explain_altered_headers(struct lst_internal_search *search)
{
    return explain_each(search, explain_altered);
}

static bool found_checksum(struct lst_internal_search *search, struct guess checksum)
{
    return lst_internal_search_found(
        search, LST_MISS_EMPTY_BODY_CHECKSUM,
        "The SDK signed the checksum of an empty body, # with the value #, into this @, and it "
        "did not arrive so: sign with request checksums set to 'when required'.",
        (const struct lst_slice[]){lst_slice_of(checksum.name), lst_slice_of(checksum.value)});
}

/* The target with further parameters at its end, as they are on the wire. */
static bool fits_with(struct lst_internal_search *search, struct lst_slice parameters)
{
    struct lst_internal_writer writer =
        lst_internal_writer_to(search->scratch, sizeof(search->scratch));

    lst_internal_put(&writer, search->request->target);
    lst_internal_put_char(&writer, lst_internal_is_empty(search->query) ? '?' : '&');
    lst_internal_put(&writer, parameters);
    return !writer.overflow &&
           lst_internal_search_fits_target(
               search, (struct lst_slice){search->scratch, writer.length}, NULL);
}

/* Was this parameter or header sent with the checksum of something else, or not at all? */
static bool checksum_fits(struct lst_internal_search *search, struct guess checksum)
{
    const struct lst_field field = {lst_slice_of(checksum.name), lst_slice_of(checksum.value)};
    const struct lst_internal_variation header = {.header = field};
    const struct lst_internal_variation parameter = {
        .parameter = field, .parameter_change = LST_INTERNAL_CHANGE_REPLACE};

    if (lst_internal_is_signed(search->auth, field.name)) {
        return lst_internal_search_fits(search, &header);
    }
    return lst_internal_search_parameter(search, field.name).bytes != NULL &&
           lst_internal_search_fits(search, &parameter);
}

bool lst_internal_explain_checksum(struct lst_internal_search *search)
{
    for (size_t i = 0; i < sizeof(empty_checksums) / sizeof(empty_checksums[0]); i++) {
        if (checksum_fits(search, empty_checksums[i])) {
            return found_checksum(search, empty_checksums[i]);
        }
    }
    if (search->auth->kind == LST_AUTH_QUERY &&
        (fits_with(search, LST_SLICE("x-amz-checksum-crc32=AAAAAA%3D%3D")) ||
         fits_with(search, LST_SLICE("x-amz-checksum-crc32=AAAAAA%3D%3D&"
                                     "x-amz-sdk-checksum-algorithm=CRC32")))) {
        return found_checksum(search, empty_checksums[0]);
    }
    return false;
}

static bool explain_one_payload(struct lst_internal_search *search, struct lst_slice hash)
{
    const struct lst_slice name = LST_SLICE("x-amz-content-sha256");
    const struct lst_internal_variation alone = {.payload_hash = hash};
    const struct lst_internal_variation both = {.payload_hash = hash, .header = {name, hash}};

    if (lst_internal_is_empty(hash) || lst_internal_equal(hash, search->auth->payload_hash) ||
        !(lst_internal_search_fits(search, &alone) || (lst_internal_is_signed(search->auth, name) &&
                                                       lst_internal_search_fits(search, &both)))) {
        return false;
    }
    return lst_internal_search_found(
        search, LST_MISS_PAYLOAD_HASH,
        search->auth->kind == LST_AUTH_QUERY
            ? "The URL was signed with the payload hash # but is checked with #: presign with "
              "UNSIGNED-PAYLOAD, or sign the header x-amz-content-sha256 and send it."
            : "The request was signed with the payload hash # but its x-amz-content-sha256 is #: "
              "send the hash that was signed.",
        (const struct lst_slice[]){hash, search->auth->payload_hash});
}

bool lst_internal_explain_payload(struct lst_internal_search *search)
{
    return explain_one_payload(search, LST_SLICE("UNSIGNED-PAYLOAD")) ||
           explain_one_payload(search, LST_SLICE(empty_sha256)) ||
           explain_one_payload(search, lst_internal_trim(lst_internal_search_header(
                                           search, LST_SLICE("x-amz-content-sha256"))));
}
