/*
 * json.c - parsing JSON, with no doubt about what is malformed.
 *
 * jansson's reader does not look at whether the text that it collects could grow: without memory it
 * reads on beyond its end. So the first allocation that fails while it reads ends the reading here,
 * by a jump, and all that it has allocated until then is freed.
 */
#include "access/json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>

struct reading {
    bool is_under_way;
    jmp_buf out;
    void **blocks; /* what the reader has allocated, and not freed */
    size_t count;
    size_t capacity;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct reading reading;
static _Thread_local bool ran_out;

static bool note(void *memory)
{
    if (reading.count == reading.capacity) {
        size_t capacity = reading.capacity == 0 ? 64 : 2 * reading.capacity;
        void **blocks = reallocarray(reading.blocks, capacity, sizeof(*blocks));

        if (blocks == NULL) {
            return false;
        }
        reading.blocks = blocks;
        reading.capacity = capacity;
    }
    reading.blocks[reading.count++] = memory;
    return true;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    ran_out = ran_out || memory == NULL;
    if (reading.is_under_way && (memory == NULL || !note(memory))) {
        free(memory);
        longjmp(reading.out, 1);
    }
    return memory;
}

/* What it frees is mostly what it allocated last. */
static void release(void *memory)
{
    for (size_t i = reading.is_under_way && memory != NULL ? reading.count : 0; i > 0; i--) {
        if (reading.blocks[i - 1] == memory) {
            reading.blocks[i - 1] = reading.blocks[--reading.count];
            break;
        }
    }
    free(memory);
}

/* What jansson allocated before comes from malloc() too, so that free() fits it. */
static void set_functions(void)
{
    json_set_alloc_funcs(allocate, release);
}

int lst_json_load(struct lst_slice text, size_t flags, json_t **ret_json, json_error_t *ret_error)
{
    (void)pthread_once(&once, set_functions);
    ran_out = false;
    *ret_json = NULL;
    reading = (struct reading){.is_under_way = true};
    if (setjmp(reading.out) == 0) {
        *ret_json = json_loadb(text.length == 0 ? "" : text.bytes, text.length, flags, ret_error);
    } else {
        ran_out = true;
        while (reading.count > 0) {
            free(reading.blocks[--reading.count]);
        }
    }
    reading.is_under_way = false;
    free(reading.blocks);
    if (*ret_json != NULL) {
        return LST_OK;
    }
    return ran_out ? LST_ERR_NO_MEMORY : LST_ERR_MALFORMED;
}

bool lst_json_ran_out(void)
{
    return ran_out;
}

int lst_json_read(struct lst_slice text, json_t **ret_json)
{
    json_error_t error;
    int status = lst_json_load(text, 0, ret_json, &error);

    return status == LST_ERR_MALFORMED ? LST_ERR_CORRUPT : status;
}
