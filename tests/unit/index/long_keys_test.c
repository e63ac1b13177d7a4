/* long_keys_test.c - keys of every length are in exact byte order: the index against a sorted
 * array, over thousands of random changes. */
#include "index_fixture.h"

enum {
    MODEL_MAX = 4000,
    KEY_MAX = LST_INDEX_KEY_MAX,
    ROUNDS = 400,
    CHANGES = 24,
};

struct entry {
    size_t length;
    uint32_t value;
    char key[KEY_MAX];
};

/* What must be in the index: sorted. */
static struct entry *model[MODEL_MAX];
static size_t model_count;

static struct lst_slice entry_key(const struct entry *entry)
{
    return lst_slice_make(entry->key, entry->length);
}

/* Where the key is, or would be. */
static size_t model_find(struct lst_slice key, bool *ret_found)
{
    size_t low = 0;
    size_t high = model_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (lst_slice_compare(entry_key(model[middle]), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_found = low < model_count && lst_slice_equal(entry_key(model[low]), key);
    return low;
}

static void model_put(struct lst_slice key, uint32_t value)
{
    bool found;
    size_t at = model_find(key, &found);

    if (!found) {
        struct entry *entry = malloc(sizeof(*entry));
        memcpy(entry->key, key.bytes, key.length);
        entry->length = key.length;
        memmove(&model[at + 1], &model[at], (model_count - at) * sizeof(model[0]));
        model[at] = entry;
        model_count++;
    }
    model[at]->value = value;
}

static void model_delete(struct lst_slice key)
{
    bool found;
    size_t at = model_find(key, &found);

    if (found) {
        free(model[at]);
        model_count--;
        memmove(&model[at], &model[at + 1], (model_count - at) * sizeof(model[0]));
    }
}

/* A key around one of the lengths where something changes, out of few different bytes, so that
 * keys share long prefixes and begin one another. */
static struct lst_slice random_key(uint64_t *random, char *room)
{
    static const size_t lengths[] = {1,   2,   100, 478, 479,  480,  481,  482,  483,  600,  958,
                                     959, 960, 961, 962, 1200, 1440, 1441, 1920, 1921, 2099, 2100};
    static const char bytes[] = {'a', 'a', 'a', 'b', '\0', '\xff', '\1'};
    size_t length = lengths[fixture_random(random) % (sizeof(lengths) / sizeof(lengths[0]))];
    static const size_t places[] = {0,   1,   99,  477, 478,  479,  480,  481,  482,
                                    958, 959, 960, 961, 1439, 1440, 1920, 2098, 2099};

    memset(room, 'a', KEY_MAX);
    if (fixture_random(random) % 4 == 0) {
        memset(room, '\xff', KEY_MAX);
    }
    for (int i = 0; i < 4; i++) {
        room[places[fixture_random(random) % (sizeof(places) / sizeof(places[0]))]] =
            bytes[fixture_random(random) % sizeof(bytes)];
    }
    return lst_slice_make(room, length);
}

/* Change index and model in the same way. */
static bool change_randomly(struct fixture *fixture, uint64_t *random, bool mostly_delete)
{
    struct lst_index_change changes[CHANGES];
    static char keys[CHANGES][KEY_MAX];
    uint32_t values[CHANGES];

    for (size_t i = 0; i < CHANGES; i++) {
        bool is_put = fixture_random(random) % 8 < (mostly_delete ? 2 : 5);
        struct lst_slice key = random_key(random, keys[i]);
        if (!is_put && model_count > 0 && fixture_random(random) % 3 > 0) {
            const struct entry *entry = model[fixture_random(random) % model_count];
            memcpy(keys[i], entry->key, entry->length);
            key.length = entry->length;
        }
        values[i] = fixture_random(random);
        changes[i] =
            (struct lst_index_change){.kind = is_put ? LST_INDEX_PUT : LST_INDEX_DELETE,
                                      .key = key,
                                      .value = lst_slice_make(&values[i], sizeof(values[i]))};
        if (is_put) {
            model_put(key, values[i]);
        } else {
            model_delete(key);
        }
    }
    return lst_index_apply(fixture->index, 7, changes, CHANGES) == 0;
}

static bool same(const struct entry *entry, struct lst_slice key, struct lst_slice value)
{
    return lst_slice_equal(entry_key(entry), key) && value.length == sizeof(entry->value) &&
           memcmp(value.bytes, &entry->value, sizeof(entry->value)) == 0;
}

/* From the key on, up to so many steps, the index gives what the model has. */
static bool agrees_from(struct lst_index_reader *reader, struct lst_slice from, size_t steps)
{
    struct lst_slice key;
    struct lst_slice value;
    bool found;
    size_t at = model_find(from, &found);
    int status = lst_index_seek(reader, 7, from, &key, &value);

    for (size_t i = 0; i < steps && at < model_count; i++, at++) {
        if (status != 0 || !same(model[at], key, value)) {
            return false;
        }
        status = lst_index_next(reader, &key, &value);
    }
    return at < model_count || status == LST_ERR_NOT_FOUND;
}

static bool gets_agree(struct lst_index_reader *reader, struct lst_slice key)
{
    struct lst_slice value;
    bool found;
    size_t at = model_find(key, &found);
    int status = lst_index_get(reader, 7, key, &value);

    return found ? status == 0 && same(model[at], key, value) : status == LST_ERR_NOT_FOUND;
}

static bool agrees(struct fixture *fixture, uint64_t *random)
{
    struct lst_index_reader *reader;
    char room[KEY_MAX];
    bool ok;

    if (lst_index_read_begin(fixture->index, &reader) != 0) {
        return false;
    }
    ok = agrees_from(reader, lst_slice_make(NULL, 0), SIZE_MAX);
    for (int i = 0; i < 60 && ok; i++) {
        struct lst_slice key = random_key(random, room);
        ok = gets_agree(reader, key) && agrees_from(reader, key, 3);
    }
    for (int i = 0; i < 20 && ok && model_count > 0; i++) {
        struct lst_slice key = entry_key(model[fixture_random(random) % model_count]);
        ok = gets_agree(reader, key) && agrees_from(reader, key, 3);
    }
    lst_index_read_end(reader);
    return ok;
}

int main(void)
{
    struct fixture fixture = fixture_open(0);
    struct lst_index_statistics before;
    struct lst_index_statistics after;
    uint64_t random = 42;
    bool changed = true;
    bool ok = true;
    size_t most = 0;

    /* Neighbours on both sides, to see that nothing runs over into them. */
    CHECK(fixture_put(&fixture, 6, slice("\xff\xff"), slice("six")) == 0 &&
              fixture_put(&fixture, 8, slice("a"), slice("eight")) == 0,
          "other partitions have keys");
    CHECK(fixture_put(&fixture, 7, slice("x"), slice("")) == 0 &&
              fixture_delete(&fixture, 7, slice("x")) == 0,
          "a key comes and goes");
    lst_index_statistics(fixture.index, &before);
    for (int i = 0; i < ROUNDS && changed && ok; i++) {
        changed = change_randomly(&fixture, &random, i / 50 % 2 == 1);
        most = model_count > most ? model_count : most;
        ok = i % 4 != 0 || agrees(&fixture, &random);
    }
    CHECK(changed, "thousands of random changes are made");
    CHECK(ok && agrees(&fixture, &random), "at every step keys and order are the model's");
    CHECK(most > 200, "with up to %zu keys at a time", most);
    lst_index_close(fixture.index);
    CHECK(fixture_start(&fixture, 0) == 0 && agrees(&fixture, &random), "also when opened again");
    while (model_count > 0) {
        ok = ok && fixture_delete(&fixture, 7, entry_key(model[model_count / 2])) == 0;
        model_delete(entry_key(model[model_count / 2]));
    }
    CHECK(ok && agrees(&fixture, &random), "all keys are deleted");
    lst_index_statistics(fixture.index, &after);
    CHECK(after.entries <= before.entries + 1, "and no row is left of them (%d, before %d)",
          (int)after.entries, (int)before.entries);
    fixture_close(&fixture);
    return tap_done();
}
