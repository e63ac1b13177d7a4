/* post_tagging.c - the tags that a form gives as a document, as PutObject's header has them. */
#include "s3/post_form.h"
#include "s3/xml_read.h"

enum { TEXT_MAX = 1024 }; /* bytes of one name or value: more than any may have */

struct reading {
    struct lst_buffer *tagging;
    struct lst_buffer key;
    struct lst_buffer value;
    unsigned keys; /* of the tag that is being read */
    unsigned values;
};

static int append_encoded(struct lst_buffer *out, const struct lst_buffer *text)
{
    char *room = text->length == 0 ? NULL : lst_buffer_reserve(out, 3 * text->length);
    size_t length = 0;

    if (room != NULL && lst_percent_encode(lst_buffer_slice(text), false, room, 3 * text->length,
                                           &length) == LST_OK) {
        out->length += length;
    }
    return lst_buffer_status(out);
}

static int end_tag(struct reading *reading)
{
    int status;

    if (reading->keys != 1 || reading->values != 1) {
        return LST_ERR_MALFORMED;
    }
    if (reading->tagging->length > 0) {
        lst_buffer_append_byte(reading->tagging, '&');
    }
    status = append_encoded(reading->tagging, &reading->key);
    lst_buffer_append_byte(reading->tagging, '=');
    if (status == LST_OK) {
        status = append_encoded(reading->tagging, &reading->value);
    }
    reading->keys = 0;
    reading->values = 0;
    lst_buffer_clear(&reading->key);
    lst_buffer_clear(&reading->value);
    return status;
}

static int visit(void *context, const char *path, struct lst_slice text)
{
    struct reading *reading = context;

    if (strcmp(path, "Tagging/TagSet/Tag/Key") == 0) {
        reading->keys++;
        lst_buffer_append(&reading->key, text);
        return lst_buffer_status(&reading->key);
    }
    if (strcmp(path, "Tagging/TagSet/Tag/Value") == 0) {
        reading->values++;
        lst_buffer_append(&reading->value, text);
        return lst_buffer_status(&reading->value);
    }
    if (strcmp(path, "Tagging/TagSet/Tag") == 0) {
        return end_tag(reading);
    }
    return strcmp(path, "Tagging/TagSet") == 0 || strcmp(path, "Tagging") == 0 ? LST_OK
                                                                               : LST_ERR_MALFORMED;
}

int lst_post_read_tagging(struct lst_slice document, struct lst_buffer *tagging)
{
    struct reading reading = {.tagging = tagging};
    int status;

    lst_buffer_init(&reading.key, 2 * (size_t)TEXT_MAX);
    lst_buffer_init(&reading.value, 2 * (size_t)TEXT_MAX);
    status = lst_xml_read(document, TEXT_MAX, visit, &reading);
    lst_buffer_release(&reading.key);
    lst_buffer_release(&reading.value);
    return status != LST_OK ? status : lst_buffer_status(tagging);
}
