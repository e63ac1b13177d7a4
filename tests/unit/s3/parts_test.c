/* parts_test.c - XML out, checksums, continuation tokens, the table of errors. */
#include "base/encoding.h"
#include "s3/checksum.h"
#include "s3/errors.h"
#include "s3/s3.h"
#include "s3/token.h"
#include "s3/xml.h"
#include "tap.h"

static void test_xml(void)
{
    struct lst_buffer buffer;

    lst_buffer_init(&buffer, 4096);
    lst_xml_text(&buffer, "Key", lst_slice_make("a<b>&\"c'\r\n\t\x01\0\xC3\xA9", 15));
    CHECK_TEXT(buffer.bytes, buffer.length,
               "<Key>a&lt;b&gt;&amp;&quot;c'&#13;\n\t&#x1;&#x0;\xC3\xA9</Key>",
               "what XML can't carry is escaped");
    lst_buffer_clear(&buffer);
    lst_xml_time(&buffer, "At", 1448190000123);
    lst_xml_modified(&buffer, 1448190000123);
    lst_xml_number(&buffer, "N", UINT64_MAX);
    lst_xml_text(&buffer, "Empty", lst_slice_make(NULL, 0));
    CHECK_TEXT(buffer.bytes, buffer.length,
               "<At>2015-11-22T11:00:00.000Z</At><LastModified>2015-11-22T11:00:01.000Z</"
               "LastModified><N>18446744073709551615</N><Empty></Empty>",
               "times in whole seconds, those of objects rounded up, numbers and nothing");
    lst_buffer_release(&buffer);
}

/* The values of "123456789" that every catalogue of CRCs gives, and FIPS 180's. */
static void test_checksums(void)
{
    static const char *const want[] = {
        [LST_CHECKSUM_NONE] = "",
        [LST_CHECKSUM_CRC32] = "cbf43926",
        [LST_CHECKSUM_CRC32C] = "e3069283",
        [LST_CHECKSUM_CRC64NVME] = "ae8b14860a799888",
        [LST_CHECKSUM_SHA1] = "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
        [LST_CHECKSUM_SHA256] = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    };
    const struct lst_slice text = LST_SLICE("123456789");

    for (unsigned kind = 0; kind < sizeof(want) / sizeof(want[0]); kind++) {
        for (size_t cut = 0; cut <= text.length; cut += 3) {
            struct lst_checksum checksum;
            uint8_t digest[LST_CHECKSUM_SIZE_MAX];
            char hex[2 * LST_CHECKSUM_SIZE_MAX];
            lst_checksum_init(&checksum, (enum lst_checksum_kind)kind);
            lst_checksum_update(&checksum, lst_slice_first(text, cut));
            lst_checksum_update(&checksum, lst_slice_after(text, cut));
            lst_checksum_digest(&checksum, digest);
            size_t size = lst_checksum_size((enum lst_checksum_kind)kind);
            lst_hex_encode(digest, size, hex);
            CHECK_TEXT(hex, 2 * size, want[kind], lst_checksum_name((enum lst_checksum_kind)kind));
        }
    }
    CHECK(lst_checksum_of_header(LST_SLICE("X-Amz-Checksum-CRC32C")) == LST_CHECKSUM_CRC32C &&
              lst_checksum_of_header(LST_SLICE("x-amz-checksum-crc3")) == LST_CHECKSUM_NONE &&
              lst_checksum_of_name(LST_SLICE("sha256")) == LST_CHECKSUM_SHA256 &&
              lst_checksum_of_name(LST_SLICE("")) == LST_CHECKSUM_NONE,
          "names are found in any case");
}

/* Eight bytes at a time gives what one byte at a time gives, at every length and alignment. */
static void test_crc64(void)
{
    char bytes[80];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 37 + 11);
    }
    bool same = true;
    for (size_t from = 0; from < 9; from++) {
        for (size_t length = 0; length < 64; length++) {
            uint64_t slow = 0;
            for (size_t i = 0; i < length; i++) {
                slow = lst_crc64nvme(slow, lst_slice_make(bytes + from + i, 1));
            }
            same = same && slow == lst_crc64nvme(0, lst_slice_make(bytes + from, length));
        }
    }
    CHECK(same, "CRC64NVME does not depend on how the bytes come");
}

static void test_tokens(void)
{
    static char key[LST_TOKEN_PLACE_MAX];
    static char place[LST_TOKEN_PLACE_MAX];
    struct lst_buffer buffer;
    size_t length = 0;
    bool all = true;

    memset(key, 0xC3, sizeof(key));
    lst_buffer_init(&buffer, 4096);
    for (size_t size = 1; size <= sizeof(key); size++) {
        lst_buffer_clear(&buffer);
        lst_token_write(&buffer, lst_slice_make(key, size));
        all = all && lst_token_read(lst_buffer_slice(&buffer), place, &length) && length == size &&
              memcmp(place, key, size) == 0;
    }
    CHECK(all, "a token gives back its key, of any length");
    lst_buffer_append(&buffer, LST_SLICE("AAAA"));
    CHECK(!lst_token_read(lst_buffer_slice(&buffer), place, &length), "a longer one is refused");
    CHECK(!lst_token_read(LST_SLICE(""), place, &length) &&
              !lst_token_read(LST_SLICE("===="), place, &length) &&
              !lst_token_read(LST_SLICE("AQ=="), place, &length) &&
              !lst_token_read(LST_SLICE("AmE="), place, &length) &&
              !lst_token_read(LST_SLICE("AWE"), place, &length),
          "as is what is none");
    lst_buffer_release(&buffer);
}

static void test_errors(void)
{
    struct lst_http_request request = {.path = LST_SLICE("/a&b"),
                                       .message = {.method = LST_SLICE("GET")}};
    struct lst_http_response response;

    CHECK(lst_s3_error_of(LST_ERR_NO_SPACE) == LST_S3_INSUFFICIENT_STORAGE &&
              lst_s3_error_of(LST_ERR_CORRUPT) == LST_S3_INTERNAL_ERROR &&
              lst_s3_error_of(LST_ERR_KEY_NOT_FOUND) == LST_S3_NO_SUCH_KEY,
          "codes have their S3 errors");
    memcpy(request.id, "0123456789ABCDEF", sizeof(request.id));
    lst_s3_error_response(&request, "SlowDown", NULL, &response);
    CHECK(response.status == 503 && response.kind == LST_BODY_BYTES,
          "an error of the server's own");
    CHECK_TEXT(response.body.bytes, response.body.length,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code>"
               "<Message>Please reduce your request rate.</Message>"
               "<RequestId>0123456789ABCDEF</RequestId><HostId>0123456789ABCDEF</HostId></Error>",
               "has S3's shape");
    lst_http_response_release(&response);
    lst_s3_error_response(&request, "NoSuchThing", "x", &response);
    CHECK(response.status == 500, "an unknown code is an internal error");
    lst_http_response_release(&response);
}

int main(void)
{
    test_xml();
    test_checksums();
    test_crc64();
    test_tokens();
    test_errors();
    return tap_done();
}
