/* reclaim_test.c - what no object has is deleted, unless anything else is wrong. */
#include "upload_fixture.h"

#include "index/index.h"
#include "store/row.h"

enum { PARTITION = 1, LARGE = 20000 };

static size_t files;

static int count_file(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    files += kind == FTW_F && where->level == 4 && strstr(path, "/blobs/") != NULL ? 1U : 0U;
    return 0;
}

static size_t count_files(const struct fixture *fixture)
{
    files = 0;
    (void)nftw(fixture->folder, count_file, 16, FTW_PHYS);
    return files;
}

static struct lst_index *open_index(struct fixture *fixture, char path[160])
{
    struct lst_index_options options = {.path = path};
    struct lst_index *index = NULL;

    lst_store_close(fixture->store);
    fixture->store = NULL;
    (void)snprintf(path, 160, "%s/index.mdb", fixture->folder);
    CHECK(lst_index_open(&options, &index) == LST_OK, "the index is opened");
    return index;
}

/* Delete the first row of a kind. */
static bool delete_first(struct lst_index *index, char kind)
{
    struct lst_index_change change = {.kind = LST_INDEX_DELETE};
    struct lst_index_reader *reader;
    struct lst_slice value;
    bool ok;

    if (lst_index_read_begin(index, &reader) != LST_OK) {
        return false;
    }
    ok = lst_index_seek(reader, PARTITION, lst_slice_make(&kind, 1), &change.key, &value) ==
             LST_OK &&
         change.key.bytes[0] == kind && lst_index_apply(index, PARTITION, &change, 1) == LST_OK;
    lst_index_read_end(reader);
    return ok;
}

static bool change_byte(const char *path, const char *text)
{
    static char bytes[1 << 20];
    FILE *file = fopen(path, "r+b");
    size_t size = file == NULL ? 0 : fread(bytes, 1, sizeof(bytes), file);
    bool ok = false;

    for (size_t i = 0; i + strlen(text) <= size; i++) {
        if (memcmp(bytes + i, text, strlen(text)) == 0) {
            ok = fseek(file, (long)i + 3, SEEK_SET) == 0 && fputc('X', file) == 'X';
        }
    }
    return file != NULL && fclose(file) == 0 && ok;
}

/* An object and an upload whose rows are gone, and a damaged row that says what can be deleted. */
static void lose_rows(struct fixture *fixture)
{
    static const char garbage[] = {LST_ROW_GARBAGE,
                                   'a',
                                   'b',
                                   'c',
                                   'd',
                                   'e',
                                   'f',
                                   'g',
                                   'h',
                                   'i',
                                   'j',
                                   'k',
                                   'l',
                                   'm',
                                   'n',
                                   'o',
                                   'p',
                                   '\0'};
    struct lst_index_change put = {.kind = LST_INDEX_PUT,
                                   .key = lst_slice_make(garbage, sizeof(garbage) - 1),
                                   .value = LST_SLICE("")};
    char path[160];
    struct lst_index *index = open_index(fixture, path);

    CHECK(delete_first(index, LST_ROW_OBJECT) && delete_first(index, LST_ROW_UPLOAD) &&
              lst_index_apply(index, PARTITION, &put, 1) == LST_OK,
          "the rows of an object and an upload are lost");
    lst_index_close(index);
    CHECK(change_byte(path, "abcdefghijklmnop"), "a row is damaged");
}

static void take_fault(void *context, const struct lst_store_fault *fault)
{
    int *count = context;

    (*count)++;
    fixture_show_fault(NULL, fault);
}

static void fill(struct fixture *fixture)
{
    char *bytes = fixture_bytes(LARGE, 1);
    struct upload upload;

    CHECK(fixture_make_bucket(fixture, "bucket") == 0 &&
              fixture_put(fixture, "bucket", "lost", bytes, LARGE) == 0 &&
              fixture_put(fixture, "bucket", "there", bytes, LARGE) == 0 &&
              upload_begin(fixture, &upload, "bucket", "upload") == 0 &&
              upload_part(fixture, &upload, 1, bytes, LARGE) == 0 &&
              upload_part(fixture, &upload, 2, bytes, LARGE) == 0,
          "two objects, and an upload of two parts");
    free(bytes);
}

static void test_reclaim(void)
{
    struct fixture fixture = fixture_open();
    struct lst_store_census census;
    uint64_t count = 0;
    int faults = 0;

    fill(&fixture);
    CHECK(count_files(&fixture) == 4, "they have four files");
    lose_rows(&fixture);
    CHECK(fixture_start(&fixture) == LST_OK, "the store is opened again");
    CHECK(lst_store_check(fixture.store, take_fault, &faults, &census) == LST_OK && faults >= 3,
          "the check names them");
    faults = 0;
    CHECK(lst_store_recount(fixture.store) == LST_OK, "what is there is counted");
    CHECK(lst_store_reclaim(fixture.store, take_fault, &faults, &count) == LST_OK && faults == 0 &&
              count == 2,
          "a body and the parts are reclaimed");
    CHECK(count_files(&fixture) == 1, "one file is left");
    CHECK(lst_store_check(fixture.store, take_fault, &faults, &census) == LST_OK && faults == 0,
          "all is well");
    CHECK(lst_store_reclaim(fixture.store, take_fault, &faults, &count) == LST_OK && count == 0,
          "there is nothing more to reclaim");
    lst_store_close(fixture.store);
    fixture_remove(&fixture);
}

/* What the check has to say beside it keeps all of it. */
static void test_refusal(void)
{
    struct fixture fixture = fixture_open();
    uint64_t count = 0;
    int faults = 0;

    fill(&fixture);
    lose_rows(&fixture);
    CHECK(fixture_start(&fixture) == LST_OK, "the store is opened again");
    CHECK(lst_store_reclaim(fixture.store, take_fault, &faults, &count) == LST_ERR_CORRUPT &&
              faults == 1,
          "the counts are wrong");
    CHECK(count_files(&fixture) == 4, "nothing is deleted");
    lst_store_close(fixture.store);
    fixture_remove(&fixture);
}

int main(void)
{
    test_reclaim();
    test_refusal();
    return tap_done();
}
