/* stored_test.c - values as they are stored: whoever is given a value, or the head of one, is never
 * given one that changed. */
#include "tap.h"

#include "index/checksum.h"

#include <stdlib.h>

enum { HEAD = 23, ALL = 61 };

static const struct lst_slice key = {"12345678a key", 13};
static char value[ALL];

static struct lst_slice store(char *out, struct lst_slice of_key, size_t length, size_t head)
{
    lst_stored_write(out, of_key, lst_slice_make(value, length), head);
    return lst_slice_make(out, lst_stored_size(length, head));
}

static bool gives(struct lst_slice of_key, struct lst_slice stored, enum lst_stored_part part,
                  size_t length)
{
    struct lst_slice found;

    return lst_stored_read(of_key, stored, part, &found) == LST_OK &&
           lst_slice_equal(found, lst_slice_make(value, length));
}

static void test_whole(size_t length, size_t head)
{
    char bytes[ALL + LST_STORED_EXTRA_MAX];
    struct lst_slice stored = store(bytes, key, length, head);
    struct lst_slice other = lst_slice_make("12345678a kez", key.length);

    CHECK(stored.length - length <= LST_STORED_EXTRA_MAX, "a value takes %zu bytes more",
          stored.length - length);
    CHECK(gives(key, stored, LST_STORED_ALL, length), "a value of %zu is read again", length);
    CHECK(gives(key, stored, LST_STORED_HEAD, head > 0 ? head : length), "its head, too");
    CHECK(!gives(other, stored, LST_STORED_ALL, length) &&
              !gives(other, stored, LST_STORED_HEAD, head > 0 ? head : length) &&
              !gives(lst_slice_first(key, 12), stored, LST_STORED_HEAD, head > 0 ? head : length),
          "not at another key");
}

/* Every bit that changes: none is ever handed out. */
static void test_bits(size_t length, size_t head)
{
    char bytes[ALL + LST_STORED_EXTRA_MAX];
    struct lst_slice stored = store(bytes, key, length, head);
    size_t head_end = stored.length - length - LST_CHECKSUM_SIZE + head;
    size_t given = 0;
    size_t unseen = 0;

    for (size_t i = 0; i < 8 * stored.length; i++) {
        struct lst_slice found;
        bytes[i / 8] ^= (char)(1 << i % 8);
        given += lst_stored_read(key, stored, LST_STORED_ALL, &found) == LST_OK;
        if (lst_stored_read(key, stored, LST_STORED_HEAD, &found) == LST_OK) {
            unseen++;
            given += head == 0 || i / 8 < head_end ||
                     !lst_slice_equal(found, lst_slice_make(value, head));
        }
        bytes[i / 8] ^= (char)(1 << i % 8);
    }
    CHECK(given == 0, "of %zu bytes no bit can change", stored.length);
    CHECK(unseen == (head == 0 ? 0 : 8 * (stored.length - head_end)),
          "a head is told what is in it, and not what stands behind it");
}

static void test_cut(void)
{
    char bytes[ALL + LST_STORED_EXTRA_MAX];
    struct lst_slice stored = store(bytes, key, ALL, HEAD);
    struct lst_slice found;
    bool all = true;

    for (size_t i = 0; i < stored.length; i++) {
        char *piece = malloc(i + 1); /* so that reading behind it is seen */
        memcpy(piece, bytes, i);
        all = all &&
              lst_stored_read(key, lst_slice_make(piece, i), LST_STORED_ALL, &found) ==
                  LST_ERR_CORRUPT &&
              found.length <= i;
        lst_ignore_status(lst_stored_read(key, lst_slice_make(piece, i), LST_STORED_HEAD, &found));
        all = all && found.length <= i;
        free(piece);
    }
    CHECK(all, "what was cut off is no value");
}

int main(void)
{
    for (size_t i = 0; i < ALL; i++) {
        value[i] = (char)(i * 37);
    }
    test_whole(0, 0);
    test_whole(ALL, 0);
    test_whole(ALL, HEAD);
    test_whole(ALL, ALL);
    test_bits(0, 0);
    test_bits(ALL, 0);
    test_bits(ALL, HEAD);
    test_bits(ALL, ALL);
    test_cut();
    return tap_done();
}
