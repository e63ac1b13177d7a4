/* tags.c - reading and writing tags. */
#include "s3/tags.h"

#include "s3/xml.h"
#include "s3/xml_read.h"

enum {
    KEY_CHARACTERS_MAX = 128,
    VALUE_CHARACTERS_MAX = 256,
    TEXT_MAX = 4096, /* bytes of one element */
};

void lst_tag_set_release(struct lst_tag_set *set)
{
    lst_buffer_release(&set->text);
    set->count = 0;
}

/* All the text that the set can need, so that it never moves. */
static bool make_room(struct lst_tag_set *set, size_t size)
{
    set->count = 0;
    lst_buffer_init(&set->text, size + 1);
    return lst_buffer_reserve(&set->text, size + 1) != NULL;
}

static struct lst_slice keep(struct lst_tag_set *set, struct lst_slice text)
{
    size_t start = set->text.length;

    lst_buffer_append(&set->text, text);
    return lst_slice_make(set->text.bytes + start, text.length);
}

/* ---- What a tag may be */

static size_t characters(struct lst_slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++) {
        count += ((uint8_t)text.bytes[i] & 0xC0) != 0x80;
    }
    return count;
}

/* Letters, digits, spaces and + - = . _ : / @, and all that is not ASCII. */
static bool has_fine_characters(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];
        bool is_alphanumeric = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                               (byte >= '0' && byte <= '9');
        if ((uint8_t)byte < 0x80 && !is_alphanumeric &&
            (byte == '\0' || strchr(" +-=._:/@\t\r\n", byte) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool is_text(struct lst_slice text)
{
    return has_fine_characters(text) && lst_slice_is_utf8(text);
}

static void fail_value(struct lst_s3_exchange *exchange, const struct lst_field *tag)
{
    struct lst_field details[] = {
        {LST_SLICE("TagKey"), tag->name},
        {LST_SLICE("TagValue"), tag->value},
    };

    lst_s3_fail_with(exchange, LST_S3_INVALID_TAG, "The TagValue you have provided is invalid",
                     details, 2);
}

/* False, having answered, if one of the tags may not be. */
static bool check_tags(struct lst_s3_exchange *exchange, const struct lst_tag_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct lst_field *tag = &set->list[i];
        if (tag->name.length == 0 || characters(tag->name) > KEY_CHARACTERS_MAX ||
            !is_text(tag->name)) {
            lst_s3_fail_about(exchange, LST_S3_INVALID_TAG,
                              "The TagKey you have provided is invalid", "TagKey", tag->name);
            return false;
        }
        if (lst_slice_starts_with_ignoring_case(tag->name, LST_SLICE("aws:"))) {
            lst_s3_fail_about(exchange, LST_S3_INVALID_TAG,
                              exchange->target.level == LST_LEVEL_BUCKET
                                  ? "System tags cannot be added/updated by requester"
                                  : "Your TagKey cannot be prefixed with aws:",
                              "TagKey", tag->name);
            return false;
        }
        if (characters(tag->value) > VALUE_CHARACTERS_MAX || !is_text(tag->value)) {
            fail_value(exchange, tag);
            return false;
        }
    }
    return true;
}

static bool has_key(const struct lst_tag_set *set, struct lst_slice key)
{
    for (size_t i = 0; i < set->count; i++) {
        if (lst_slice_equal(set->list[i].name, key)) {
            return true;
        }
    }
    return false;
}

static void fail_too_many(struct lst_s3_exchange *exchange, size_t most)
{
    lst_s3_fail_with(exchange, LST_S3_BAD_REQUEST,
                     most == LST_STORE_TAGS_MAX ? "Object tags cannot be greater than 10"
                                                : "Bucket tag count cannot be greater than 50",
                     NULL, 0);
}

/* ---- The header */

static bool decode(struct lst_tag_set *set, struct lst_slice raw, struct lst_slice *ret_text)
{
    char *room = lst_buffer_reserve(&set->text, raw.length);
    size_t length;

    if (room == NULL || lst_percent_decode(raw, true, room, raw.length, &length) != LST_OK) {
        return false;
    }
    set->text.length += length;
    *ret_text = lst_slice_make(room, length);
    return true;
}

bool lst_tags_parse_header(struct lst_s3_exchange *exchange, struct lst_slice header,
                           struct lst_tag_set *ret_set)
{
    struct lst_slice rest = header;
    struct lst_field raw;

    if (!make_room(ret_set, header.length)) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return false;
    }
    while (lst_http_next_parameter(&rest, &raw)) {
        struct lst_field tag;
        if (ret_set->count == LST_STORE_TAGS_MAX) {
            fail_too_many(exchange, LST_STORE_TAGS_MAX);
            return false;
        }
        if (!decode(ret_set, raw.name, &tag.name) || !decode(ret_set, raw.value, &tag.value) ||
            has_key(ret_set, tag.name) || !has_fine_characters(tag.name) ||
            !has_fine_characters(tag.value)) {
            lst_s3_fail_argument(exchange,
                                 "The header 'x-amz-tagging' shall be encoded as UTF-8 then "
                                 "URLEncoded URL query parameters without tag name duplicates.",
                                 "x-amz-tagging", header);
            return false;
        }
        ret_set->list[ret_set->count++] = tag;
    }
    return check_tags(exchange, ret_set);
}

/* ---- The document */

struct reading {
    struct lst_tag_set *set;
    size_t most;
    struct lst_field tag; /* the one that is being read */
    bool has_name;
    bool has_value;
    bool takes_any_root; /* of a form: what is no Tagging has no tags, as at S3 */
    bool has_root;
    bool has_set;
    bool too_many;
};

static int end_tag(struct reading *reading)
{
    if (!reading->has_name || !reading->has_value) {
        return LST_ERR_MALFORMED;
    }
    if (reading->set->count == reading->most) {
        reading->too_many = true;
        return LST_ERR_TOO_LARGE;
    }
    reading->set->list[reading->set->count++] = reading->tag;
    reading->has_name = false;
    reading->has_value = false;
    return LST_OK;
}

static int visit(void *context, const char *path, struct lst_slice text)
{
    struct reading *reading = context;
    bool is_name = strcmp(path, "Tagging/TagSet/Tag/Key") == 0;
    bool is_tagging = strcmp(path, "Tagging") == 0 || strncmp(path, "Tagging/", 8) == 0;

    if (!is_tagging && reading->takes_any_root) {
        reading->has_root = true;
        return LST_OK;
    }
    if (strcmp(path, "Tagging") == 0) { /* without a TagSet it is an empty one, as at S3 */
        reading->has_root = true;
        return LST_OK;
    }
    if (strcmp(path, "Tagging/TagSet") == 0 && !reading->has_set) {
        reading->has_set = true;
        return LST_OK;
    }
    if (strcmp(path, "Tagging/TagSet/Tag") == 0) {
        return end_tag(reading);
    }
    if (is_name && !reading->has_name) {
        reading->has_name = true;
        reading->tag.name = keep(reading->set, text);
        return lst_buffer_status(&reading->set->text);
    }
    if (strcmp(path, "Tagging/TagSet/Tag/Value") == 0 && !reading->has_value) {
        reading->has_value = true;
        reading->tag.value = keep(reading->set, text);
        return lst_buffer_status(&reading->set->text);
    }
    return LST_ERR_MALFORMED;
}

static bool check_duplicates(struct lst_s3_exchange *exchange, struct lst_tag_set *set)
{
    size_t count = set->count;
    struct lst_slice name = {NULL, 0};
    bool found = false;

    for (set->count = 0; set->count < count && !found; set->count++) {
        name = set->list[set->count].name;
        found = has_key(set, name);
    }
    set->count = count;
    if (found) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_TAG,
                          "Cannot provide multiple Tags with the same key", "TagKey", name);
    }
    return !found;
}

bool lst_tags_parse_xml(struct lst_s3_exchange *exchange, struct lst_slice document, size_t most,
                        struct lst_tag_set *ret_set)
{
    struct reading reading = {
        .set = ret_set, .most = most, .takes_any_root = exchange->post != NULL};
    int status;

    /* No text is longer than its XML. */
    if (!make_room(ret_set, document.length)) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return false;
    }
    status = lst_xml_read(document, TEXT_MAX, visit, &reading);
    if (reading.too_many) {
        fail_too_many(exchange, most);
        return false;
    }
    if (status == LST_ERR_MALFORMED || (status == LST_OK && !reading.has_root)) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_XML);
        return false;
    }
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return false;
    }
    return check_duplicates(exchange, ret_set) && check_tags(exchange, ret_set);
}

void lst_tags_write_xml(struct lst_buffer *body, const struct lst_field *tags, size_t count)
{
    lst_xml_begin(body, "Tagging");
    lst_xml_open(body, "TagSet");
    for (size_t i = 0; i < count; i++) {
        lst_xml_open(body, "Tag");
        lst_xml_text(body, "Key", tags[i].name);
        lst_xml_text(body, "Value", tags[i].value);
        lst_xml_close(body, "Tag");
    }
    lst_xml_close(body, "TagSet");
    lst_xml_close(body, "Tagging");
}
