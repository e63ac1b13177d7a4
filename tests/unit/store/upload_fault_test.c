/* upload_fault_test.c - a full index, damaged parts: clear errors, nothing lost, nothing served
 * that is not what was stored. */
#include "upload_fixture.h"

#include <fcntl.h>

/* Put objects until none finds room, wherever its key stands: first large ones, then small ones. */
static bool fill(struct fixture *fixture, const char *bytes)
{
    enum { LARGE = 200, MOST = 4000, FAILURES = 100 };
    int failures = 0;

    for (int count = 0; count < MOST && failures < FAILURES; count++) {
        char key[20];
        int status;
        (void)snprintf(key, sizeof(key), "%c%d", count < LARGE ? 'k' : 'a' + count % 26, count);
        status = fixture_put(fixture, "full", key, bytes, count < LARGE ? 8000 : 1);
        if (status == LST_ERR_NO_SPACE && count < LARGE) {
            count = LARGE;
        } else if (status == LST_OK || status == LST_ERR_NO_SPACE) {
            failures = status == LST_OK ? 0 : failures + 1;
        } else {
            return false;
        }
    }
    return failures == FAILURES;
}

static void test_full_index(void)
{
    struct fixture fixture = fixture_open_sized(1024 * 1024);
    char *bytes = fixture_bytes(PART + 100, 3);
    struct lst_store_write write;
    struct upload upload;
    struct upload other;
    struct lst_object object;
    int status = 0;

    CHECK(fixture_make_bucket(&fixture, "full") == 0 &&
              upload_begin(&fixture, &upload, "full", "film") == 0 &&
              upload_part(&fixture, &upload, 1, bytes, PART) == 0 &&
              upload_part(&fixture, &upload, 2, bytes + PART, 100) == 0 &&
              upload_whole(&fixture, &other, "full", "other", bytes, PART + 100) == 0,
          "an upload in a small store, and an object that was one");
    CHECK(fill(&fixture, bytes), "it is filled");
    CHECK(upload_complete(&fixture, &upload) == LST_ERR_NO_SPACE, "a completion finds no room");
    CHECK(open_object(&fixture, "full", "film", &object) == LST_ERR_KEY_NOT_FOUND,
          "and makes no object");
    CHECK(copy_object(&fixture, "full", "other", "other-2", &write) == LST_ERR_NO_SPACE,
          "nor does a copy");
    CHECK(upload_holds(&fixture, "full", "other", bytes, PART + 100), "reads go on");
    for (int i = 0; i < 20; i++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%d", i);
        status = fixture_delete(&fixture, "full", key);
    }
    CHECK(status == 0, "something is deleted");
    CHECK(upload_complete(&fixture, &upload) == 0 &&
              upload_holds(&fixture, "full", "film", bytes, PART + 100),
          "then the upload is completed");
    CHECK(copy_object(&fixture, "full", "other", "other-2", &write) == 0 &&
              upload_holds(&fixture, "full", "other-2", bytes, PART + 100),
          "and the object is copied");
    CHECK(fixture_wait_blob_files(&fixture, 3), "nothing is left of the failed copy");
    free(bytes);
    fixture_close(&fixture);
}

/* The path of the largest blob. */
static char blob_path[256];
static off_t blob_size;

static int find_blob(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    if (kind == FTW_F && where->level == 4 && state->st_size > blob_size) {
        blob_size = state->st_size;
        (void)snprintf(blob_path, sizeof(blob_path), "%s", path);
    }
    return 0;
}

static char fault_text[200];

static void keep_fault(void *context, const struct lst_store_fault *fault)
{
    (void)context;
    (void)snprintf(fault_text, sizeof(fault_text), "%.*s: %s", (int)fault->key.length,
                   fault->key.bytes, fault->text);
}

static bool has_fault(struct fixture *fixture, const char *text)
{
    struct lst_store_census census = {0};

    fault_text[0] = '\0';
    if (lst_store_check(fixture->store, keep_fault, NULL, &census) != 0 || census.faults != 1 ||
        strcmp(fault_text, text) != 0) {
        printf("# %d faults, %s\n", (int)census.faults, fault_text);
        return false;
    }
    return true;
}

static int read_to_end(struct fixture *fixture, const char *key)
{
    struct lst_object_stream *stream;
    struct lst_object object;
    size_t length = 1;
    char *piece = malloc(1000000);
    int status = open_object(fixture, "dmg", key, &object);

    if (status == 0) {
        status = lst_object_stream_open(&object, 0, object.size, &stream);
        lst_object_close(&object);
        while (status == 0 && length > 0) {
            status = lst_object_stream_read(stream, piece, 1000000, &length);
        }
        lst_object_stream_close(stream);
    }
    free(piece);
    return status;
}

static void test_damage(void)
{
    struct fixture fixture = fixture_open();
    char *bytes = fixture_bytes(PART + 20000, 4);
    struct upload upload;
    int file;

    CHECK(fixture_make_bucket(&fixture, "dmg") == 0 &&
              upload_whole(&fixture, &upload, "dmg", "film", bytes, PART + 20000) == 0,
          "an object in two parts");
    (void)nftw(fixture.folder, find_blob, 16, FTW_PHYS);
    file = open(blob_path, O_WRONLY | O_CLOEXEC);
    CHECK(pwrite(file, "x", 1, 10000) == 1, "one byte of the first is changed");
    CHECK(has_fault(&fixture, "film: part 1: the body does not match its MD5"),
          "the check finds it");
    CHECK(ftruncate(file, PART - 1) == 0 &&
              has_fault(&fixture, "film: part 1: the body's blob has another size"),
          "a file too short is found");
    CHECK(read_to_end(&fixture, "film") == LST_ERR_CORRUPT, "and not served");
    close(file);
    CHECK(unlink(blob_path) == 0 && has_fault(&fixture, "film: part 1: the body's blob is missing"),
          "a missing file is found");
    CHECK(read_to_end(&fixture, "film") == LST_ERR_CORRUPT, "and not served");
    CHECK(fixture_delete(&fixture, "dmg", "film") == 0 && fixture_wait_blob_files(&fixture, 0) &&
              fixture_is_clean(&fixture, 0),
          "it can be deleted");
    free(bytes);
    fixture_close(&fixture);
}

int main(void)
{
    test_full_index();
    test_damage();
    return tap_done();
}
