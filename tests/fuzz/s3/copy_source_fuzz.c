/* copy_source_fuzz.c - x-amz-copy-source: what is read of one is the name of an object. */
#include "s3/copy_source.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool is_within(const struct lst_copy_source *source, struct lst_slice text)
{
    return text.length == 0 || (text.bytes >= source->text &&
                                text.bytes + text.length <= source->text + sizeof(source->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_copy_source *source = malloc(sizeof(*source));

    if (source == NULL) {
        return 0;
    }
    const struct lst_object_name *name = &source->name;
    int status = lst_copy_source_parse(lst_slice_make(bytes, size), source);

    if (status == LST_OK && (lst_bucket_name_check(name->bucket) != LST_OK ||
                             name->key.length == 0 || name->key.length > LST_STORE_KEY_MAX ||
                             !lst_slice_is_utf8(name->key) || !is_within(source, name->bucket) ||
                             !is_within(source, name->key) || !is_within(source, name->version))) {
        abort();
    }
    free(source);
    return 0;
}
