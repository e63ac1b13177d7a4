/* list_test.c - listings against a plain model: every prefix, delimiter, start and size of page. */
#include "store_fixture.h"

enum { ENTRIES_MAX = 600 };

struct listing {
    size_t count;
    size_t stop_at;             /* end the listing after so many, with a code of our own */
    char *entries[ENTRIES_MAX]; /* common prefixes begin with '>' , keys with '=' */
};

static char *keys[ENTRIES_MAX];
static size_t key_count;

static void listing_add(struct listing *listing, char kind, struct lst_slice text)
{
    char *entry = malloc(text.length + 2);

    entry[0] = kind;
    memcpy(entry + 1, text.bytes, text.length);
    entry[text.length + 1] = '\0';
    listing->entries[listing->count++] = entry;
}

static void listing_release(struct listing *listing)
{
    while (listing->count > 0) {
        free(listing->entries[--listing->count]);
    }
}

static bool listing_equal(const struct listing *a, const struct listing *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (strcmp(a->entries[i], b->entries[i]) != 0) {
            return false;
        }
    }
    return a->count == b->count;
}

static int visit(void *context, const struct lst_list_entry *entry)
{
    struct listing *listing = context;

    listing_add(listing, entry->is_prefix ? '>' : '=', entry->key);
    return listing->count == listing->stop_at ? 77 : 0;
}

/* The model: go through all keys, in order. */
static struct listing expected(const struct lst_list_options *options, bool *ret_truncated)
{
    struct listing listing = {0};

    *ret_truncated = false;
    for (size_t i = 0; i < key_count; i++) {
        struct lst_slice entry = slice(keys[i]);
        struct lst_slice rest = lst_slice_after(entry, options->prefix.length);
        size_t at = lst_slice_find_slice(rest, options->delimiter);
        bool is_prefix = options->delimiter.length > 0 && at < rest.length;
        if (!lst_slice_starts_with(entry, options->prefix)) {
            continue;
        }
        if (is_prefix) {
            entry = lst_slice_first(entry, options->prefix.length + at + options->delimiter.length);
        }
        if (options->after.length > 0 &&
            (lst_slice_compare(entry, options->after) <= 0 ||
             (is_prefix && lst_slice_starts_with(options->after, entry)))) {
            continue;
        }
        if (is_prefix && listing.count > 0 && listing.entries[listing.count - 1][0] == '>' &&
            lst_slice_equal(entry, slice(listing.entries[listing.count - 1] + 1))) {
            continue;
        }
        if (listing.count == options->max_entries) {
            *ret_truncated = true;
            return listing;
        }
        listing_add(&listing, is_prefix ? '>' : '=', entry);
    }
    return listing;
}

static bool agrees(struct fixture *fixture, const struct lst_list_options *options)
{
    bool want_truncated;
    bool got_truncated = false;
    struct listing want = expected(options, &want_truncated);
    struct listing got = {0};
    int status = lst_store_list(fixture->store, options, visit, &got, &got_truncated);
    bool ok = status == 0 && listing_equal(&want, &got) &&
              (options->max_entries == 0 || want_truncated == got_truncated);

    if (!ok) {
        printf("# prefix '%.*s' delimiter '%.*s' after '%.*s' max %zu: got %zu, want %zu\n",
               (int)options->prefix.length, options->prefix.bytes, (int)options->delimiter.length,
               options->delimiter.bytes, (int)options->after.length, options->after.bytes,
               options->max_entries, got.count, want.count);
    }
    listing_release(&want);
    listing_release(&got);
    return ok;
}

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Keys out of few letters, so that they share and cross prefixes; some are very long. */
static void make_keys(void)
{
    static const char *const parts[] = {"a", "b", "/", "//", "ab", "\xc3\xa9", "\xf4\x8f\xbf\xbf",
                                        "-"};
    uint64_t state = 5;

    for (size_t i = 0; i < 400; i++) {
        char key[1025] = "";
        size_t length = 0;
        if (i % 8 == 0) {
            length = i % 16 == 0 ? 478 : 955;
            memset(key, 'L', length);
        }
        for (size_t j = 0; j < 1 + i % 6; j++) {
            const char *part;
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            part = parts[(state >> 40) % (sizeof(parts) / sizeof(parts[0]))];
            memcpy(key + length, part, strlen(part) + 1);
            length += strlen(part);
        }
        keys[key_count++] = strdup(key);
    }
    qsort(keys, key_count, sizeof(keys[0]), by_bytes);
    size_t kept = 1;
    for (size_t i = 1; i < key_count; i++) {
        if (strcmp(keys[i], keys[kept - 1]) == 0) {
            free(keys[i]);
        } else {
            keys[kept++] = keys[i];
        }
    }
    key_count = kept;
}

/* All combinations of some of each. */
static bool all_agree(struct fixture *fixture, int *ret_count)
{
    static const char *const prefixes[] = {"", "a", "a/", "ab", "/", "L", "zz", "\xf4\x8f\xbf\xbf"};
    static const char *const delimiters[] = {"", "/", "//", "b", "\xf4\x8f\xbf\xbf", "LLL"};
    static const size_t sizes[] = {0, 1, 2, 7, 1000};
    bool ok = true;

    for (size_t p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
        for (size_t d = 0; d < sizeof(delimiters) / sizeof(delimiters[0]); d++) {
            for (size_t a = 0; a < 60; a++) {
                struct lst_list_options options = {
                    .bucket = slice("list"),
                    .prefix = slice(prefixes[p]),
                    .delimiter = slice(delimiters[d]),
                    .after = a == 0 ? slice("") : slice(keys[(a * 37) % key_count]),
                    .max_entries = sizes[a % 5],
                };
                if (a % 3 == 2) {
                    options.after.length -= options.after.length / 2;
                }
                ok = agrees(fixture, &options) && ok;
                ++*ret_count;
            }
        }
    }
    return ok;
}

/* Page after page, each going on after the last entry of the one before. */
static bool pages_agree(struct fixture *fixture, const char *delimiter)
{
    struct lst_list_options options = {
        .bucket = slice("list"), .delimiter = slice(delimiter), .max_entries = 1000};
    bool truncated;
    struct listing want = expected(&options, &truncated);
    struct listing got = {0};
    bool ok = true;

    options.max_entries = 3;
    truncated = true;
    while (truncated && ok) {
        options.after = got.count == 0 ? slice("") : slice(got.entries[got.count - 1] + 1);
        ok = lst_store_list(fixture->store, &options, visit, &got, &truncated) == 0;
    }
    ok = ok && listing_equal(&want, &got);
    listing_release(&want);
    listing_release(&got);
    return ok;
}

int main(void)
{
    struct fixture fixture = fixture_open();
    struct listing some = {.stop_at = 2};
    struct lst_list_options options = {.bucket = slice("list"), .max_entries = 1000};
    char long_text[2000];
    bool truncated = false;
    bool all_put = true;
    int count = 0;

    make_keys();
    CHECK(fixture_make_bucket(&fixture, "list") == 0, "a bucket is made");
    for (size_t i = 0; i < key_count; i++) {
        /* Out of order, and some with blobs, whose rows are beside those of the keys. */
        const char *key = keys[(i * 7919) % key_count];
        static char body[9000];
        all_put = fixture_put(&fixture, "list", key, body, i % 40 == 0 ? 9000 : 1) == 0 && all_put;
    }
    for (size_t i = 0; i < key_count; i++) {
        all_put = fixture_put(&fixture, "list", keys[i], "x", 1) == 0 && all_put;
    }
    CHECK(all_put, "%zu keys are put", key_count);
    bool all = all_agree(&fixture, &count);
    CHECK(all, "all of %d listings are the model's", count);
    CHECK(pages_agree(&fixture, ""), "pages of keys add up");
    CHECK(pages_agree(&fixture, "/"), "and pages of common prefixes");
    CHECK(lst_store_list(fixture.store, &options, visit, &some, &truncated) == 77 &&
              some.count == 2,
          "who is shown the entries can end the listing");
    memset(long_text, 'L', sizeof(long_text));
    options.after = lst_slice_make(long_text, sizeof(long_text));
    CHECK(agrees(&fixture, &options), "a start longer than any key");
    options.after = slice("");
    options.prefix = lst_slice_make(long_text, sizeof(long_text));
    CHECK(agrees(&fixture, &options), "a prefix longer than any key");
    options.bucket = slice("none");
    CHECK(lst_store_list(fixture.store, &options, visit, &some, &truncated) ==
              LST_ERR_BUCKET_NOT_FOUND,
          "a bucket that is not there");
    listing_release(&some);
    for (size_t i = 0; i < key_count; i++) {
        free(keys[i]);
    }
    fixture_close(&fixture);
    return tap_done();
}
