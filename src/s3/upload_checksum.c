/* upload_checksum.c - the checksum of a multipart upload. */
#include "s3/upload_checksum.h"

#include "base/encoding.h"

#include <stdio.h>

static void fail_request(struct lst_s3_exchange *exchange, const char *message)
{
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, message, NULL, 0);
}

void lst_upload_checksum_fail_algorithm(struct lst_s3_exchange *exchange)
{
    fail_request(exchange,
                 "Checksum algorithm provided is unsupported. Please try again with any of the "
                 "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}

/* Digests can't be computed from those of parts; of CRC64NVME S3 offers nothing else. */
static bool check_type(struct lst_s3_exchange *exchange, const struct lst_upload_checksum *checksum)
{
    char message[128];
    bool is_wrong = checksum->is_composite ? checksum->kind == LST_CHECKSUM_CRC64NVME
                                           : !lst_checksum_is_crc(checksum->kind);

    if (is_wrong) {
        (void)snprintf(message, sizeof(message),
                       "The %s checksum type cannot be used with the %s checksum algorithm.",
                       lst_upload_checksum_type(checksum), lst_checksum_word(checksum->kind));
        fail_request(exchange, message);
    }
    return !is_wrong;
}

bool lst_upload_checksum_read(struct lst_s3_exchange *exchange,
                              struct lst_upload_checksum *ret_checksum)
{
    struct lst_slice algorithm;
    struct lst_slice type;
    bool has_algorithm = lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_ALGORITHM, &algorithm);
    bool has_type = lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_TYPE, &type);
    struct lst_upload_checksum checksum = {
        .kind = LST_CHECKSUM_CRC64NVME,
        .is_declared = has_algorithm,
    };

    if (has_algorithm) {
        checksum.kind = lst_checksum_of_name(algorithm);
        if (checksum.kind == LST_CHECKSUM_NONE) {
            lst_upload_checksum_fail_algorithm(exchange);
            return false;
        }
    } else if (has_type) {
        fail_request(exchange, "The x-amz-checksum-type header can only be used with the "
                               "x-amz-checksum-algorithm header.");
        return false;
    }
    checksum.is_composite = checksum.kind != LST_CHECKSUM_CRC64NVME;
    if (has_type) {
        checksum.is_composite = lst_slice_equal(type, LST_SLICE(LST_CHECKSUM_COMPOSITE));
        if (!checksum.is_composite && !lst_slice_equal(type, LST_SLICE(LST_CHECKSUM_FULL_OBJECT))) {
            fail_request(exchange, "Value for x-amz-checksum-type header is invalid.");
            return false;
        }
    }
    *ret_checksum = checksum;
    return check_type(exchange, &checksum);
}

const char *lst_upload_checksum_type(const struct lst_upload_checksum *checksum)
{
    return checksum->is_composite ? LST_CHECKSUM_COMPOSITE : LST_CHECKSUM_FULL_OBJECT;
}

/* ---- The note */

static const char note_over[] = " over";
static const char note_sniff[] = " sniff";
static const char note_total[] = " total ";

size_t lst_upload_checksum_write_note(const struct lst_upload_checksum *checksum,
                                      char ret_note[LST_UPLOAD_NOTE_MAX])
{
    const char *over = checksum->key_existed ? note_over : "";
    const char *sniff = checksum->is_sniffed ? note_sniff : "";

    char total[32] = "";

    if (checksum->total_max > 0) {
        (void)snprintf(total, sizeof(total), "%s%llu", note_total,
                       (unsigned long long)checksum->total_max);
    }
    /* The longest has 53 bytes: the total is LST_UPLOAD_SIZE_MAX at most. */
    if (checksum->is_declared) {
        (void)snprintf(ret_note, LST_UPLOAD_NOTE_MAX, "%s %s%s%s%s",
                       lst_checksum_name(checksum->kind), lst_upload_checksum_type(checksum), over,
                       sniff, total);
    } else {
        (void)snprintf(ret_note, LST_UPLOAD_NOTE_MAX, "%s%s%s", over, sniff, total);
    }
    return strlen(ret_note);
}

/* The number at the end of the note, which is taken off with its word; 0 if there is none. */
static uint64_t take_total(struct lst_slice *note)
{
    struct lst_slice word = lst_slice_of(note_total);
    size_t at = lst_slice_find_slice(*note, word);
    uint64_t total = 0;

    (void)lst_slice_to_number(lst_slice_after(*note, at + word.length), LST_UPLOAD_SIZE_MAX,
                              &total);
    *note = lst_slice_first(*note, at);
    return total;
}

/* Is the word at the end of the note? It is taken off. */
static bool take_word(struct lst_slice *note, const char *word)
{
    size_t at = lst_slice_find_slice(*note, lst_slice_of(word));
    bool is_there = at < note->length;

    *note = lst_slice_first(*note, at);
    return is_there;
}

struct lst_upload_checksum lst_upload_checksum_of_note(struct lst_slice note)
{
    uint64_t total_max = take_total(&note);
    bool is_sniffed = take_word(&note, note_sniff);
    bool key_existed = take_word(&note, note_over);
    size_t space = lst_slice_find(note, ' ');
    struct lst_slice type = lst_slice_after(note, space + 1);
    struct lst_upload_checksum checksum = {
        .kind = lst_checksum_of_name(lst_slice_first(note, space)),
        .is_composite = lst_slice_equal(type, LST_SLICE(LST_CHECKSUM_COMPOSITE)),
        .is_declared = true,
        .key_existed = key_existed,
        .is_sniffed = is_sniffed,
        .total_max = total_max,
    };

    if (checksum.kind == LST_CHECKSUM_NONE) {
        checksum.kind = LST_CHECKSUM_CRC64NVME;
        checksum.is_composite = false;
        checksum.is_declared = false;
    }
    return checksum;
}

static int read_note(void *context, const struct lst_open_upload *upload)
{
    struct lst_upload_checksum *checksum = context;

    *checksum = lst_upload_checksum_of_note(upload->note);
    checksum->created_ms = upload->created_ms;
    for (size_t i = 0; checksum->is_sniffed && i < upload->field_count; i++) {
        if (lst_slice_equal(upload->fields[i].name, LST_SLICE("Content-Type")) &&
            upload->fields[i].value.length < sizeof(checksum->type)) {
            memcpy(checksum->type, upload->fields[i].value.bytes, upload->fields[i].value.length);
        }
    }
    return LST_OK;
}

int lst_upload_checksum_see(struct lst_s3_exchange *exchange, const struct lst_upload_name *name,
                            struct lst_upload_checksum *ret_checksum)
{
    return lst_upload_see(exchange->s3->options.store, name, read_note, ret_checksum);
}

struct lst_upload_name lst_upload_name_of(struct lst_s3_exchange *exchange)
{
    struct lst_upload_name name = {.bucket = exchange->target.bucket, .key = exchange->target.key};

    (void)lst_s3_parameter(exchange, LST_PARAMETER_UPLOAD_ID, &name.upload);
    return name;
}

/* ---- Summing up the parts */

void lst_upload_sum_begin(struct lst_upload_sum *sum, const struct lst_upload_checksum *agreed)
{
    memset(sum, 0, sizeof(*sum));
    sum->agreed = *agreed;
    lst_checksum_init(&sum->running, agreed->kind);
}

void lst_upload_sum_add(struct lst_upload_sum *sum, const struct lst_part *part)
{
    size_t size = lst_checksum_size(sum->agreed.kind);
    uint8_t digest[LST_CHECKSUM_SIZE_MAX];
    struct lst_slice text;

    if (!lst_checksum_find(part->fields, part->field_count, sum->agreed.kind, &text) ||
        !lst_base64_decode(text, digest, size)) {
        sum->is_missing = true;
        return;
    }
    if (sum->agreed.is_composite) {
        lst_checksum_update(&sum->running, lst_slice_make(digest, size));
    } else if (sum->parts == 0) {
        memcpy(sum->combined, digest, size);
    } else {
        lst_checksum_combine(sum->agreed.kind, sum->combined, digest, part->size);
    }
    sum->parts++;
}

size_t lst_upload_sum_end(struct lst_upload_sum *sum, char ret_text[LST_CHECKSUM_TEXT_MAX])
{
    size_t size = lst_checksum_size(sum->agreed.kind);
    size_t length = LST_BASE64_LENGTH(size);

    if (sum->is_missing || sum->parts == 0) {
        return 0;
    }
    if (!sum->agreed.is_composite) {
        lst_base64_encode(sum->combined, size, ret_text);
        return length;
    }
    lst_checksum_digest(&sum->running, sum->combined);
    lst_base64_encode(sum->combined, size, ret_text);
    (void)snprintf(ret_text + length, LST_CHECKSUM_TEXT_MAX - length, "-%u", sum->parts);
    return length + strlen(ret_text + length);
}
