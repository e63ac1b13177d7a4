/*
 * json.c - parsing JSON, with no doubt about what is malformed.
 *
 * jansson's reader does not look at whether the text that it collects could grow: without memory it
 * reads on beyond its end. So the first allocation that fails while it reads ends the reading here,
 * by a jump, and all that it has allocated until then is freed.
 *
 * This was written for jansson 2.14. From 2.14.1 on it converts real numbers with David Gay's
 * dtoa.c, which takes memory from malloc() itself, does not look at whether there was any, and
 * keeps what it no longer needs in a list of its own. None of that comes through here, so it is
 * safe from the jump, but a lack of memory there ends the process. A jansson that was built so that
 * dtoa.c allocates through json_set_alloc_funcs() must not be used: its list would keep blocks that
 * were freed here.
 */
#include "access/json.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdlib.h>

/* What the reader has allocated, and not freed: a hash table of addresses, at most half full. */
struct reading {
    bool is_under_way;
    jmp_buf out;
    void **slots; /* NULL: free */
    size_t count;
    size_t capacity; /* a power of two */
};

enum { SLOTS_MIN = 128 };

static _Thread_local struct reading reading;
static _Thread_local bool ran_out;

/* Where the search for an address begins. */
static size_t first_slot(const void *memory)
{
    return (size_t)(((uint64_t)(uintptr_t)memory * UINT64_C(0x9E3779B97F4A7C15)) >> 32) &
           (reading.capacity - 1);
}

static size_t next_slot(size_t slot)
{
    return (slot + 1) & (reading.capacity - 1);
}

static void insert(void *memory)
{
    size_t slot = first_slot(memory);

    while (reading.slots[slot] != NULL) {
        slot = next_slot(slot);
    }
    reading.slots[slot] = memory;
}

static bool grow(void)
{
    size_t before = reading.capacity;
    void **old = reading.slots;
    size_t capacity = before == 0 ? SLOTS_MIN : 2 * before;
    void **slots = calloc(capacity, sizeof(*slots));

    if (slots == NULL) {
        return false;
    }
    reading.slots = slots;
    reading.capacity = capacity;
    for (size_t i = 0; i < before; i++) {
        if (old[i] != NULL) {
            insert(old[i]);
        }
    }
    free(old);
    return true;
}

static bool note(void *memory)
{
    if (2 * reading.count >= reading.capacity && !grow()) {
        return false;
    }
    insert(memory);
    reading.count++;
    return true;
}

/* An address behind the free slot moves there if its search would pass it. */
static void close_gap(size_t gap)
{
    for (size_t slot = next_slot(gap); reading.slots[slot] != NULL; slot = next_slot(slot)) {
        size_t distance = (slot - first_slot(reading.slots[slot])) & (reading.capacity - 1);
        if (distance >= ((slot - gap) & (reading.capacity - 1))) {
            reading.slots[gap] = reading.slots[slot];
            reading.slots[slot] = NULL;
            gap = slot;
        }
    }
}

static void forget(const void *memory)
{
    size_t slot = first_slot(memory);

    while (reading.slots[slot] != memory && reading.slots[slot] != NULL) {
        slot = next_slot(slot);
    }
    if (reading.slots[slot] != NULL) {
        reading.slots[slot] = NULL;
        reading.count--;
        close_gap(slot);
    }
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

static void release(void *memory)
{
    if (reading.is_under_way && memory != NULL && reading.capacity > 0) {
        forget(memory);
    }
    free(memory);
}

/* Before main(): jansson has not allocated anything, and no other thread can be using it. */
__attribute__((constructor)) static void set_functions(void)
{
    json_set_alloc_funcs(allocate, release);
}

static void free_all(void)
{
    for (size_t i = 0; i < reading.capacity; i++) {
        free(reading.slots[i]);
    }
}

int lst_json_load(struct lst_slice text, size_t flags, json_t **ret_json, json_error_t *ret_error)
{
    ran_out = false;
    *ret_json = NULL;
    reading = (struct reading){.is_under_way = true};
    if (setjmp(reading.out) == 0) {
        *ret_json = json_loadb(text.length == 0 ? "" : text.bytes, text.length, flags, ret_error);
    } else {
        ran_out = true;
        free_all();
    }
    reading.is_under_way = false;
    free(reading.slots);
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

/* The buffer keeps the failure in mind, which jansson may pass over. */
static int append(const char *bytes, size_t length, void *buffer)
{
    lst_buffer_append(buffer, lst_slice_make(bytes, length));
    return lst_buffer_status(buffer) == LST_OK ? 0 : -1;
}

char *lst_json_dump(const json_t *json, size_t flags)
{
    struct lst_buffer text;
    int code;

    lst_buffer_init(&text, SIZE_MAX / 4);
    code = json == NULL ? -1 : json_dump_callback(json, append, &text, flags);
    lst_buffer_append_byte(&text, '\0');
    if (code != 0 || lst_buffer_status(&text) != LST_OK) {
        lst_buffer_release(&text);
        return NULL;
    }
    return text.bytes;
}
