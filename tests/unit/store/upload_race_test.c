/* upload_race_test.c - uploads and copies under each other's feet: whoever is told that it worked
 * has what it asked for, and nothing is left of the others. */
#include "upload_fixture.h"

#include <stdatomic.h>

enum {
    THREADS = 8,
    ROUNDS = 25,
    SMALL_ROUNDS = 300,
    SMALL = 200, /* bytes of a body in the index: nothing to wait for but the commit */
};

static char *bytes;
static struct fixture fixture;

struct racer {
    int number;
    struct upload upload; /* a copy of one's own */
    int status;
    atomic_bool *stop;
    int done;
    int wrong;
};

static void run_all(void *(*const bodies[])(void *), size_t count, const struct upload *upload,
                    struct racer *racers)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < count; i++) {
        racers[i] = (struct racer){.number = (int)i};
        if (upload != NULL) {
            racers[i].upload = *upload;
            for (size_t j = 0; j < upload->part_count; j++) {
                racers[i].upload.parts[j].etag.bytes = racers[i].upload.etags[j];
            }
        }
        pthread_create(&threads[i], NULL, bodies[i], &racers[i]);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void *complete(void *argument)
{
    struct racer *racer = argument;

    racer->status = upload_complete(&fixture, &racer->upload);
    return NULL;
}

static void *give_up(void *argument)
{
    struct racer *racer = argument;

    racer->status = upload_abort(&fixture, &racer->upload);
    return NULL;
}

static void *put_part_again(void *argument)
{
    struct racer *racer = argument;

    racer->status = upload_part(&fixture, &racer->upload, 1, bytes + 1 + racer->number, SMALL);
    return NULL;
}

static bool begin_one(struct upload *upload)
{
    return upload_begin(&fixture, upload, "race", "k") == 0 &&
           upload_part(&fixture, upload, 1, bytes, 20000) == 0;
}

/* Either the old part is completed and the new ones are refused or lost, or the completion finds a
 * part that it was not told of. */
static void test_complete_and_part(void)
{
    void *(*const bodies[])(void *) = {complete, put_part_again, put_part_again};
    struct racer racers[THREADS];
    struct upload upload;
    bool ok = true;

    for (int round = 0; round < SMALL_ROUNDS && ok; round++) {
        ok = upload_begin(&fixture, &upload, "race", "k") == 0 &&
             upload_part(&fixture, &upload, 1, bytes, SMALL) == 0;
        run_all(bodies, 3, &upload, racers);
        if (racers[0].status == 0) {
            ok = ok && upload_holds(&fixture, "race", "k", bytes, SMALL);
            ok = ok && fixture_delete(&fixture, "race", "k") == 0;
        } else {
            ok = ok && racers[0].status == LST_ERR_PART_INVALID && racers[0].upload.culprit == 1;
            ok = ok && racers[1].status == 0 && racers[2].status == 0;
            ok = ok && upload_abort(&fixture, &upload) == 0;
        }
        for (int i = 1; i < 3; i++) {
            ok = ok && (racers[i].status == 0 || racers[i].status == LST_ERR_UPLOAD_NOT_FOUND);
        }
    }
    CHECK(ok, "a completion against parts of the same number");
    CHECK(fixture_wait_blob_files(&fixture, 0) && fixture_is_clean(&fixture, 0), "leaves nothing");
}

static void test_complete_and_abort(void)
{
    void *(*const bodies[])(void *) = {complete, give_up, complete};
    struct racer racers[THREADS];
    struct upload upload;
    bool ok = true;

    for (int round = 0; round < ROUNDS && ok; round++) {
        ok = begin_one(&upload);
        run_all(bodies, 3, &upload, racers);
        ok = ok && racers[0].status == racers[2].status;
        ok = ok && (racers[0].status == 0) == (racers[1].status == LST_ERR_UPLOAD_NOT_FOUND);
        if (racers[0].status == 0) {
            ok = ok && upload_holds(&fixture, "race", "k", bytes, 20000) &&
                 fixture_delete(&fixture, "race", "k") == 0;
        } else {
            ok = ok && racers[0].status == LST_ERR_UPLOAD_NOT_FOUND && racers[1].status == 0;
        }
    }
    CHECK(ok, "two completions against an abort: those or this");
    CHECK(fixture_wait_blob_files(&fixture, 0) && fixture_is_clean(&fixture, 0), "leaves nothing");
}

static void test_completions(void)
{
    void *(*const bodies[])(void *) = {complete, complete, complete, complete};
    struct racer racers[THREADS];
    struct upload upload;
    bool ok = true;

    for (int round = 0; round < ROUNDS && ok; round++) {
        ok = begin_one(&upload);
        run_all(bodies, 4, &upload, racers);
        for (int i = 0; i < 4; i++) {
            ok = ok && racers[i].status == 0 &&
                 memcmp(racers[i].upload.write.etag, racers[0].upload.write.etag, 34) == 0;
        }
        ok = ok && fixture_delete(&fixture, "race", "k") == 0;
    }
    CHECK(ok, "of several completions all have the same answer");
    CHECK(fixture_wait_blob_files(&fixture, 0) && fixture_is_clean(&fixture, 0), "leaves nothing");
}

/* ---- Copies */

static const char *const keys[] = {"blob", "parts"};
static const size_t sizes[] = {20000, PART + 9000};
static atomic_bool stop;

static void *copy(void *argument)
{
    struct racer *racer = argument;
    char to[20];

    (void)snprintf(to, sizeof(to), "copy-%d", racer->number);
    for (int i = 0; racer->wrong == 0 && (i < 60 || racer->done < 5); i++) {
        struct lst_store_write write;
        int which = (racer->number + i) % 2;
        /* Every third onto itself. */
        bool onto_itself = i % 3 == 0;
        int status =
            copy_object(&fixture, "race", keys[which], onto_itself ? keys[which] : to, &write);
        racer->done += status == 0 ? 1 : 0;
        racer->wrong +=
            status != 0 && status != LST_ERR_CONFLICT && status != LST_ERR_KEY_NOT_FOUND;
        if (status == 0 && !onto_itself) {
            racer->wrong += upload_holds(&fixture, "race", to, bytes, sizes[which]) ? 0 : 1;
        }
    }
    return NULL;
}

/* Deletes and writes the sources, until the copies are done. */
static void *rewrite(void *argument)
{
    struct racer *racer = argument;
    struct upload upload;

    while (!atomic_load(&stop)) {
        racer->wrong += fixture_delete(&fixture, "race", "blob") == 0 ? 0 : 1;
        racer->wrong += fixture_put(&fixture, "race", "blob", bytes, sizes[0]) == 0 ? 0 : 1;
        racer->wrong +=
            upload_whole(&fixture, &upload, "race", "parts", bytes, sizes[1]) == 0 ? 0 : 1;
        racer->done++;
        (void)usleep(1000);
    }
    return NULL;
}

static void *read_all(void *argument)
{
    struct racer *racer = argument;

    while (!atomic_load(&stop)) {
        struct lst_object_stream *stream;
        struct lst_object object;
        int status = open_object(&fixture, "race", keys[racer->done % 2], &object);
        if (status == 0) {
            status = lst_object_stream_open(&object, 0, object.size, &stream);
            lst_object_close(&object);
            racer->wrong +=
                status == 0 && stream_gives(stream, bytes, sizes[racer->done % 2]) ? 0 : 1;
        } else {
            racer->wrong += status == LST_ERR_KEY_NOT_FOUND ? 0 : 1;
        }
        racer->done++;
    }
    return NULL;
}

static void *copy_then_stop(void *argument)
{
    (void)copy(argument);
    atomic_store(&stop, true);
    return NULL;
}

static void test_copies(void)
{
    void *(*const bodies[])(void *) = {copy_then_stop, copy, copy, rewrite, read_all, read_all};
    struct racer racers[THREADS];
    struct upload upload;
    char key[20];
    int wrong = 0;
    bool ok = fixture_put(&fixture, "race", "blob", bytes, sizes[0]) == 0 &&
              upload_whole(&fixture, &upload, "race", "parts", bytes, sizes[1]) == 0;

    run_all(bodies, 6, NULL, racers);
    for (int i = 0; i < 6; i++) {
        wrong += racers[i].wrong;
        printf("# racer %d: %d done, %d wrong\n", i, racers[i].done, racers[i].wrong);
    }
    CHECK(ok && wrong == 0, "copies of objects that are deleted and written meanwhile are whole, "
                            "and so are streams");
    for (int i = 0; i < 3; i++) {
        (void)snprintf(key, sizeof(key), "copy-%d", i);
        ok = ok && fixture_delete(&fixture, "race", key) == 0;
    }
    ok = ok && fixture_delete(&fixture, "race", "blob") == 0 &&
         fixture_delete(&fixture, "race", "parts") == 0;
    CHECK(ok && fixture_wait_blob_files(&fixture, 0) && fixture_is_clean(&fixture, 0),
          "nothing is left when all are deleted");
}

int main(void)
{
    bytes = fixture_bytes(PART + 9000, 31);
    fixture = fixture_open();
    CHECK(fixture_make_bucket(&fixture, "race") == 0, "a bucket is made");
    test_complete_and_part();
    test_complete_and_abort();
    test_completions();
    test_copies();
    fixture_close(&fixture);
    free(bytes);
    return tap_done();
}
