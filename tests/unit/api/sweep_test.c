/* sweep_test.c - what the API forgets, and what it must not forget. */
#include "api/idempotency.h"
#include "api/link.h"
#include "api/upload_note.h"

#include "../store/upload_fixture.h"

#include <stdlib.h>
#include <unistd.h>

#define NOW 1800000000
#define DAY 86400

static struct lst_ledger *ledger;
static char position[LST_LINK_ID_LENGTH + 1];
static struct lst_note_position note_position;
static struct fixture store;

static void put(struct lst_slice key, struct lst_slice value)
{
    const struct lst_index_change change = {.kind = LST_INDEX_PUT, .key = key, .value = value};

    CHECK(lst_index_apply(lst_ledger_index(ledger), LST_LEDGER_PARTITION, &change, 1) == LST_OK,
          "a row is put");
}

static bool is_there(struct lst_slice key)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    int status = lst_index_read_begin(lst_ledger_index(ledger), &reader);

    if (status == LST_OK) {
        status = lst_index_get(reader, LST_LEDGER_PARTITION, key, &value);
        lst_index_read_end(reader);
    }
    return status == LST_OK;
}

static int sweep(void *context, int64_t now_ms, struct lst_ledger_changes *more)
{
    struct lst_index *index = lst_ledger_index(ledger);
    int status = lst_idempotency_sweep(index, now_ms / 1000, more);

    (void)context;
    if (status == LST_OK) {
        status = lst_upload_note_sweep(index, store.store, now_ms / 1000, &note_position, more);
    }
    return status == LST_OK ? lst_link_sweep(index, now_ms / 1000, position, more) : status;
}

/* ---- Links */

static void make_id(char letter, int number, char ret_id[LST_LINK_ID_LENGTH + 1])
{
    (void)snprintf(ret_id, LST_LINK_ID_LENGTH + 1, "%c%023d", letter, number);
}

static void link_keys(const char *id, char ret_link[32], char ret_owner[64], size_t *ret_length)
{
    (void)snprintf(ret_link, 32, "l%s", id);
    (void)snprintf(ret_owner, 64, "ome%c%s", '\0', id);
    memcpy(ret_owner + 4, id, LST_LINK_ID_LENGTH);
    *ret_length = 4 + LST_LINK_ID_LENGTH;
}

static void put_link(const char *id, int64_t expires)
{
    char link[32];
    char owner[64];
    char json[256];
    size_t length;

    link_keys(id, link, owner, &length);
    (void)snprintf(json, sizeof(json),
                   "{\"owner\":\"me\",\"user\":\"me\",\"method\":\"GET\",\"expires\":%lld}",
                   (long long)expires);
    put(lst_slice_of(link), lst_slice_of(json));
    put(lst_slice_make(owner, length), LST_SLICE(""));
}

static int count_rows(const char *id)
{
    char link[32];
    char owner[64];
    size_t length;

    link_keys(id, link, owner, &length);
    return is_there(lst_slice_of(link)) + is_there(lst_slice_make(owner, length));
}

static void test_links(void)
{
    char old[LST_LINK_ID_LENGTH + 1];
    char recent[LST_LINK_ID_LENGTH + 1];
    char alive[LST_LINK_ID_LENGTH + 1];
    char many[LST_LINK_ID_LENGTH + 1];
    int left = 0;

    make_id('a', 1, alive);
    make_id('b', 1, old);
    make_id('c', 1, recent);
    put_link(alive, NOW + 1000 * DAY);
    put_link(old, NOW - 31 * DAY);
    put_link(recent, NOW - 29 * DAY);
    for (int i = 0; i < 300; i++) {
        make_id('d', i, many);
        put_link(many, NOW - 40 * DAY);
    }
    put(LST_SLICE("lzzzzzzzzzzzzzzzzzzzzzzzz"), LST_SLICE("no json"));
    put(LST_SLICE("l"), LST_SLICE("no key of a link"));
    put(LST_SLICE("lazzzz"), LST_SLICE("nor is this"));
    CHECK(lst_ledger_sweep(ledger, (int64_t)NOW * 1000) == LST_OK, "a sweep");
    CHECK(count_rows(old) == 0, "a link that has long expired is gone, from its owner's list too");
    CHECK(count_rows(alive) == 2, "one that lives stays");
    CHECK(count_rows(recent) == 2, "so does one that expired lately");
    CHECK(is_there(LST_SLICE("lzzzzzzzzzzzzzzzzzzzzzzzz")), "and what is no link");
    CHECK(lst_ledger_sweep(ledger, (int64_t)NOW * 1000) == LST_OK, "another sweep");
    for (int i = 0; i < 300; i++) {
        make_id('d', i, many);
        left += count_rows(many);
    }
    CHECK(left == 0, "however many there are (%d left)", left);
    CHECK(lst_ledger_sweep(ledger, (int64_t)(NOW + 2 * DAY) * 1000) == LST_OK &&
              count_rows(recent) == 0 && count_rows(alive) == 2,
          "later the next one goes");
}

/* ---- Answers with an Idempotency-Key */

#define HASH "0123456789abcdef0123456789abcdef"

static void test_answers(void)
{
    put(LST_SLICE("x0"), LST_SLICE("no key of an answer"));
    put(LST_SLICE("x0017999999990123"), LST_SLICE("nor is this"));
    put(LST_SLICE("i" HASH), LST_SLICE("the old answer"));
    put(LST_SLICE("x001799999999" HASH), LST_SLICE(""));
    CHECK(lst_ledger_sweep(ledger, (int64_t)(NOW - 1) * 1000) == LST_OK &&
              is_there(LST_SLICE("i" HASH)),
          "an answer is kept until its time");
    CHECK(lst_ledger_sweep(ledger, (int64_t)NOW * 1000) == LST_OK &&
              !is_there(LST_SLICE("i" HASH)) && !is_there(LST_SLICE("x001799999999" HASH)),
          "then it is forgotten, although what is no such row stands before it");
    CHECK(is_there(LST_SLICE("x0")) && is_there(LST_SLICE("x0017999999990123")),
          "that stays: somebody should look at it");
}

static int amid_count;

/* Somebody else forgets the old answer, and a new one is kept, while this sweep is on its way. */
static int sweep_amid(void *context, int64_t now_ms, struct lst_ledger_changes *more)
{
    struct lst_index *index = lst_ledger_index(ledger);
    const struct lst_index_change changes[] = {
        {.kind = LST_INDEX_DELETE, .key = LST_SLICE("x001799999999" HASH), .value = LST_SLICE("")},
        {.kind = LST_INDEX_PUT, .key = LST_SLICE("i" HASH), .value = LST_SLICE("the new answer")},
        {.kind = LST_INDEX_PUT, .key = LST_SLICE("x001800086400" HASH), .value = LST_SLICE("")},
    };
    int status = lst_idempotency_sweep(index, now_ms / 1000, more);

    (void)context;
    if (status != LST_OK || amid_count++ > 0) { /* a sweep calls until nothing is added */
        return status;
    }
    return lst_index_apply(index, LST_LEDGER_PARTITION, changes, 3);
}

static void test_a_fresh_answer(void)
{
    put(LST_SLICE("i" HASH), LST_SLICE("the old answer"));
    put(LST_SLICE("x001799999999" HASH), LST_SLICE(""));
    lst_ledger_on_settled(ledger, &(struct lst_ledger_hook){.sweep = sweep_amid});
    CHECK(lst_ledger_sweep(ledger, (int64_t)NOW * 1000) == LST_OK, "a sweep meets a new answer");
    CHECK(is_there(LST_SLICE("i" HASH)) && is_there(LST_SLICE("x001800086400" HASH)),
          "which it does not forget");
}

/* ---- Notes of uploads */

static void note(const char *ticket, int64_t expires)
{
    struct lst_changes changes = {.count = 0};
    struct lst_upload upload;

    lst_upload_init(&upload, NOW);
    lst_buffer_append_string(&upload.id, ticket);
    lst_buffer_append_string(&upload.id, "~place");
    upload.ticket_length = strlen(ticket);
    upload.expires = expires;
    CHECK(lst_upload_note_add(&upload, &changes) == LST_OK && changes.count == 0,
          "an upload of which there is nothing to say has no note");
    upload.metadata = json_pack("{s:s}", "album", "summer");
    CHECK(lst_upload_note_add(&upload, &changes) == LST_OK &&
              lst_index_apply(lst_ledger_index(ledger), LST_LEDGER_PARTITION, changes.list,
                              changes.count) == LST_OK,
          "a note is written");
    json_decref(upload.metadata);
    lst_upload_release(&upload);
    lst_changes_release(&changes);
}

static bool is_noted(const char *ticket)
{
    json_t *found = NULL;
    bool is_noted =
        lst_upload_note_find(lst_ledger_index(ledger), lst_slice_of(ticket), &found) == LST_OK &&
        found != NULL;

    json_decref(found);
    return is_noted;
}

static void test_notes(void)
{
    put(LST_SLICE("w0"), LST_SLICE("no key of a note"));
    note("the-one", NOW - DAY);
    note("the-other", NOW - DAY + 1);
    CHECK(is_noted("the-one") && !is_noted("the-on") && !is_noted(""), "it is found");
    CHECK(lst_ledger_sweep(ledger, (int64_t)NOW * 1000) == LST_OK && is_noted("the-one"),
          "it is kept for a day after the upload has expired");
    CHECK(lst_ledger_sweep(ledger, (int64_t)(NOW + 1) * 1000) == LST_OK && !is_noted("the-one") &&
              is_noted("the-other"),
          "then it is forgotten, and no other");
    CHECK(lst_ledger_sweep(ledger, (int64_t)(NOW + 2) * 1000) == LST_OK && !is_noted("the-other") &&
              !is_there(LST_SLICE("w001800000001the-other")),
          "with the row of its expiry");
}

/* ---- Uploads in parts that nobody completes */

static int see(void *context, const struct lst_open_upload *open)
{
    (void)context;
    (void)open;
    return LST_OK;
}

static bool is_under_way(const struct upload *upload)
{
    struct lst_upload_name name = upload_name(upload);

    return lst_upload_see(store.store, &name, see, NULL) == LST_OK;
}

/* Its parts are let go of on another thread. */
static bool is_given_up(const struct upload *upload)
{
    for (int i = 0; i < 1000 && is_under_way(upload); i++) {
        (void)usleep(10000);
    }
    return !is_under_way(upload);
}

static void note_parts(const char *ticket, int64_t expires, const struct upload *parts,
                       bool is_id_known)
{
    static const struct lst_profile profile = {.bucket = "photos"};
    struct lst_changes changes = {.count = 0};
    struct lst_upload upload;

    lst_upload_init(&upload, NOW);
    upload.profile = &profile;
    lst_buffer_append_string(&upload.key, parts->key);
    lst_buffer_append_string(&upload.id, ticket);
    upload.ticket_length = strlen(ticket);
    upload.expires = expires;
    upload.is_in_parts = true;
    if (is_id_known) {
        upload.store_id = upload_name(parts).upload;
    }
    CHECK(lst_upload_note_add(&upload, &changes) == LST_OK &&
              lst_index_apply(lst_ledger_index(ledger), LST_LEDGER_PARTITION, changes.list,
                              changes.count) == LST_OK,
          "an upload in parts is noted");
    upload.profile = NULL;
    lst_upload_release(&upload);
    lst_changes_release(&changes);
}

static void test_parts(void)
{
    struct upload old;
    struct upload recent;

    CHECK(fixture_make_bucket(&store, "photos") == LST_OK, "a bucket");
    CHECK(upload_begin(&store, &old, "photos", "old \xC3\xA4") == LST_OK &&
              upload_begin(&store, &recent, "photos", "recent") == LST_OK,
          "two uploads in parts");
    note_parts("old", NOW - DAY, &old, true);
    note_parts("recent", NOW, &recent, true);
    CHECK(lst_ledger_sweep(ledger, (int64_t)NOW * 1000) == LST_OK && is_under_way(&old),
          "one that expired a day ago may still be noted");
    CHECK(lst_ledger_sweep(ledger, (int64_t)(NOW + 1) * 1000) == LST_OK && is_given_up(&old),
          "then it is given up");
    CHECK(is_under_way(&recent) && is_noted("recent"), "and no other");
    CHECK(upload_abort(&store, &recent) == LST_OK &&
              lst_ledger_sweep(ledger, (int64_t)(NOW + 2 * DAY) * 1000) == LST_OK &&
              !is_noted("recent"),
          "one that is gone already is forgotten as well");
}

/* Begun as by a URL that s3/sign gave: with a ticket. */
static int begin_with_ticket(struct upload *upload, const char *key, const char *ticket)
{
    const struct lst_field field = {LST_SLICE("x-latch-id"), lst_slice_of(ticket)};
    struct lst_upload_options options = {.bucket = LST_SLICE("photos"),
                                         .key = lst_slice_of(key),
                                         .fields = &field,
                                         .field_count = 1};
    struct waiter waiter;
    int status;

    *upload = (struct upload){.bucket = "photos"};
    (void)snprintf(upload->key, sizeof(upload->key), "%s", key);
    upload->write = waiter_write(&waiter);
    status = lst_upload_create(store.store, &options, upload->id, &upload->write);
    return status == LST_OK ? waiter_wait(&waiter) : status;
}

/* Who signs does not learn the store's id, and the URL may be used often. */
static void test_parts_of_unknown_ids(void)
{
    enum { FOREIGN = 250, OWN = 3 };
    static struct upload foreign[FOREIGN];
    static struct upload own[OWN];
    struct upload longer;
    bool ok = true;

    for (int i = 0; i < FOREIGN; i++) {
        ok = ok && begin_with_ticket(&foreign[i], "same", "theirs") == LST_OK;
    }
    for (int i = 0; i < OWN; i++) {
        ok = ok && begin_with_ticket(&own[i], "same", "signed") == LST_OK;
    }
    CHECK(ok && begin_with_ticket(&longer, "same-but-longer", "signed") == LST_OK,
          "uploads of one key, and one of another");
    note_parts("signed", NOW - DAY, &own[0], false);
    CHECK(lst_ledger_sweep(ledger, (int64_t)(NOW + 1) * 1000) == LST_OK, "a sweep");
    for (int i = 0; i < OWN; i++) {
        CHECK(is_given_up(&own[i]), "each that was begun with the ticket is given up");
    }
    ok = is_under_way(&longer);
    for (int i = 0; i < FOREIGN; i++) {
        ok = ok && is_under_way(&foreign[i]);
    }
    CHECK(ok, "and no other");
    CHECK(is_noted("signed") && lst_ledger_sweep(ledger, (int64_t)(NOW + 1) * 1000) == LST_OK &&
              !is_noted("signed"),
          "the note stays until none is left");
}

/* Notes of parts that can't be given up (of a store that may not be written) stay. More of them
 * than one call looks at must not hide the others. */
static void test_notes_that_stay(void)
{
    enum { STUCK = 450, CALLS = 3 };
    struct lst_store_options options = {.path = store.folder, .read_only = true};
    struct upload parts;
    char ticket[32];
    bool ok = true;
    int kept = 0;

    CHECK(upload_begin(&store, &parts, "photos", "stuck") == LST_OK, "an upload in parts");
    for (int i = 0; i < STUCK; i++) {
        (void)snprintf(ticket, sizeof(ticket), "stuck-%03d", i);
        note_parts(ticket, NOW - 2 * DAY, &parts, true);
    }
    note("behind-them", NOW - DAY);
    lst_store_close(store.store);
    ok = lst_store_open(&options, &store.recovery, &store.store) == LST_OK;
    for (int i = 0; i < CALLS && ok; i++) {
        ok = lst_ledger_sweep(ledger, (int64_t)(NOW + 1) * 1000) == LST_OK;
    }
    CHECK(ok && !is_noted("behind-them"), "one behind them is forgotten");
    for (int i = 0; i < STUCK; i++) {
        (void)snprintf(ticket, sizeof(ticket), "stuck-%03d", i);
        kept += is_noted(ticket);
    }
    CHECK(kept == STUCK, "they are kept");
}

int main(void)
{
    char folder[] = "/tmp/sweep_test.XXXXXX";
    char command[64];

    if (mkdtemp(folder) == NULL || lst_ledger_open(folder, false, &ledger) != LST_OK) {
        return 1;
    }
    lst_ledger_on_settled(ledger, &(struct lst_ledger_hook){.sweep = sweep});
    test_links();
    test_answers();
    test_notes();
    store = fixture_open();
    test_parts();
    test_parts_of_unknown_ids();
    test_notes_that_stay();
    fixture_close(&store);
    test_a_fresh_answer();
    lst_ledger_close(ledger);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    CHECK(system(command) == 0, "the folder is removed");
    return tap_done();
}
