/* copy_test.c - copies share their bytes, and each lives as long as it is not deleted itself. */
#include "base/encoding.h"
#include "upload_fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <nettle/md5.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { SIZE = 2 * PART + 777 };
static char *bytes;

/* Whether the ETag is the MD5 of so many of the bytes. */
static bool etag_is_md5(const struct lst_store_write *write, size_t length)
{
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];
    char text[2 * MD5_DIGEST_SIZE];

    md5_init(&md5);
    md5_update(&md5, length, (const uint8_t *)bytes);
    md5_digest(&md5, sizeof(digest), digest);
    lst_hex_encode(digest, sizeof(digest), text);
    return lst_slice_equal(lst_slice_make(text, sizeof(text)),
                           lst_slice_make(write->etag, write->etag_length));
}

static void test_kinds(struct fixture *fixture)
{
    struct lst_store_write write;
    struct lst_object object;
    struct upload upload;
    struct stat first;
    struct stat second;
    uint64_t offset;
    struct lst_blob_reader *blobs[2] = {NULL};
    int files[2];

    CHECK(fixture_make_bucket(fixture, "cop") == 0 &&
              fixture_put(fixture, "cop", "small", bytes, 100) == 0 &&
              fixture_put(fixture, "cop", "empty", bytes, 0) == 0 &&
              fixture_put(fixture, "cop", "large", bytes, 200000) == 0 &&
              upload_whole(fixture, &upload, "cop", "film", bytes, SIZE) == 0,
          "objects of all kinds");
    CHECK(copy_object(fixture, "cop", "small", "small-2", &write) == 0 &&
              fixture_holds(fixture, "cop", "small-2", bytes, 100),
          "a small one is copied");
    CHECK(copy_object(fixture, "cop", "empty", "empty-2", &write) == 0 &&
              fixture_holds(fixture, "cop", "empty-2", bytes, 0),
          "an empty one");
    CHECK(copy_object(fixture, "cop", "large", "large-2", &write) == 0 &&
              fixture_holds(fixture, "cop", "large-2", bytes, 200000),
          "one in a blob");
    CHECK(open_object(fixture, "cop", "large", &object) == 0, "it is opened");
    CHECK(lst_slice_equal(object.etag, lst_slice_make(write.etag, write.etag_length)),
          "both have the same ETag");
    files[0] = lst_object_take_file(&object, 0, 200000, &blobs[0], &offset);
    lst_object_close(&object);
    CHECK(open_object(fixture, "cop", "large-2", &object) == 0, "so is its copy");
    files[1] = lst_object_take_file(&object, 0, 200000, &blobs[1], &offset);
    lst_object_close(&object);
    CHECK(fstat(files[0], &first) == 0 && fstat(files[1], &second) == 0 &&
              first.st_ino == second.st_ino,
          "both have the same bytes on the disk");
    lst_blob_close(blobs[0]);
    lst_blob_close(blobs[1]);
    CHECK(copy_object(fixture, "cop", "film", "film-2", &write) == 0 &&
              upload_holds(fixture, "cop", "film-2", bytes, SIZE),
          "one in parts");
    CHECK(etag_is_md5(&write, SIZE), "its ETag is the MD5 of its bytes");
    CHECK(copy_object(fixture, "cop", "film-2", "film-3", &write) == 0 &&
              upload_holds(fixture, "cop", "film-3", bytes, SIZE) && etag_is_md5(&write, SIZE) &&
              fixture_delete(fixture, "cop", "film-3") == 0,
          "and so is that of its copy");
    CHECK(fixture_is_clean(fixture, 8), "the check finds nothing wrong");
    CHECK(fixture_delete(fixture, "cop", "film") == 0 &&
              fixture_delete(fixture, "cop", "large") == 0 && fixture_wait_blob_files(fixture, 3),
          "the sources are deleted");
    CHECK(upload_holds(fixture, "cop", "film-2", bytes, SIZE) &&
              upload_holds(fixture, "cop", "large-2", bytes, 200000),
          "the copies stay");
    CHECK(copy_object(fixture, "cop", "film-2", "film-2", &write) == 0 &&
              copy_object(fixture, "cop", "large-2", "large-2", &write) == 0 &&
              copy_object(fixture, "cop", "small-2", "small-2", &write) == 0 &&
              fixture_wait_blob_files(fixture, 3) &&
              upload_holds(fixture, "cop", "film-2", bytes, SIZE) &&
              upload_holds(fixture, "cop", "large-2", bytes, 200000),
          "each is copied onto itself");
    fixture_reopen(fixture);
    CHECK(fixture_is_clean(fixture, 6), "the check finds nothing wrong");
}

/* Sees what is copied. */
struct looker {
    struct md5_ctx md5;
    uint64_t size;
};

static void look(void *context, struct lst_slice piece)
{
    struct looker *looker = context;

    looker->size += piece.length;
    md5_update(&looker->md5, piece.length, (const uint8_t *)piece.bytes);
}

static int add_checksum(void *context, struct lst_put *put)
{
    struct looker *looker = context;

    return looker->size == SIZE ? lst_put_add_field(put, slice("seen"), slice("all")) : LST_ERR_IO;
}

static int refuse(void *context, struct lst_put *put)
{
    (void)context;
    (void)put;
    return LST_ERR_BAD_DIGEST;
}

static void test_look(struct fixture *fixture)
{
    struct lst_put_options options = {.bucket = slice("cop"), .key = slice("seen")};
    struct looker looker = {.size = 0};
    struct lst_object object;
    struct lst_copy copy = {.source = &object,
                            .length = SIZE,
                            .look = look,
                            .finish = add_checksum,
                            .context = &looker};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *put;

    md5_init(&looker.md5);
    CHECK(lst_put_begin(fixture->store, &options, &put) == 0 &&
              open_object(fixture, "cop", "film-2", &object) == 0,
          "a copy is begun");
    lst_put_copy(put, &copy, &write);
    CHECK(waiter_wait(&waiter) == 0 && open_object(fixture, "cop", "seen", &object) == 0 &&
              object.field_count == 1,
          "its bytes are seen, and a field follows from them");
    copy.finish = refuse;
    write = waiter_write(&waiter);
    CHECK(lst_put_begin(fixture->store, &options, &put) == 0, "the same again");
    lst_put_copy(put, &copy, &write);
    CHECK(waiter_wait(&waiter) == LST_ERR_BAD_DIGEST && fixture_wait_blob_files(fixture, 5),
          "refused at its end it leaves nothing");
    CHECK(fixture_delete(fixture, "cop", "seen") == 0, "it is deleted");
    CHECK(fixture_wait_blob_files(fixture, 3) && fixture_is_clean(fixture, 6), "all of it");
}

static void test_parts(struct fixture *fixture)
{
    struct lst_part_options options = {.number = 1};
    struct lst_store_write write;
    struct lst_object object;
    struct upload upload;
    struct lst_put *put;
    bool ok = upload_begin(fixture, &upload, "cop", "joined") == 0;

    options.name = upload_name(&upload);
    ok = ok && lst_put_begin_part(fixture->store, &options, &put) == 0;
    CHECK(ok && copy_into(fixture, put, "cop", "film-2", 3, PART + 100, &write) == 0,
          "a part is copied from a range over two parts");
    memcpy(upload.etags[0], write.etag, LST_ETAG_MAX);
    upload.parts[0] = (struct lst_completed_part){1, lst_slice_make(upload.etags[0], 32)};
    options.number = 2;
    CHECK(lst_put_begin_part(fixture->store, &options, &put) == 0 &&
              copy_into(fixture, put, "cop", "large-2", 0, UINT64_MAX, &write) == 0,
          "one from a whole blob");
    memcpy(upload.etags[1], write.etag, LST_ETAG_MAX);
    upload.parts[1] = (struct lst_completed_part){2, lst_slice_make(upload.etags[1], 32)};
    upload.part_count = 2;
    options.number = 3;
    CHECK(lst_put_begin_part(fixture->store, &options, &put) == 0 &&
              copy_into(fixture, put, "cop", "film-2", 0, UINT64_MAX, &write) == 0 &&
              write.etag_length == 32,
          "one from all of an object in parts");
    CHECK(lst_put_begin_part(fixture->store, &options, &put) == 0 &&
              copy_into(fixture, put, "cop", "film-2", 1, SIZE, &write) == LST_ERR_RANGE,
          "not from what is not there");
    CHECK(upload_complete(fixture, &upload) == 0, "they are completed");
    CHECK(open_object(fixture, "cop", "joined", &object) == 0 && object.size == PART + 100 + 200000,
          "to an object");
    {
        struct lst_object_stream *stream;
        char *expected = malloc(PART + 100 + 200000);
        memcpy(expected, bytes + 3, PART + 100);
        memcpy(expected + PART + 100, bytes, 200000);
        CHECK(lst_object_stream_open(&object, 0, object.size, &stream) == 0 &&
                  stream_gives(stream, expected, PART + 100 + 200000),
              "of these bytes");
        free(expected);
    }
    lst_object_close(&object);
    CHECK(fixture_is_clean(fixture, 7), "the check finds nothing wrong");
}

/* A stream goes on while its object is overwritten, deleted, and the bucket too. */
static void test_streams(struct fixture *fixture)
{
    static const char *const keys[] = {"film", "large", "small"};
    static const size_t sizes[] = {SIZE, 200000, 100};
    struct lst_object_stream *streams[3];
    struct lst_object object;
    struct upload upload;
    bool ok = fixture_make_bucket(fixture, "gone") == 0 &&
              upload_whole(fixture, &upload, "gone", "film", bytes, SIZE) == 0 &&
              fixture_put(fixture, "gone", "large", bytes, 200000) == 0 &&
              fixture_put(fixture, "gone", "small", bytes, 100) == 0;

    CHECK(ok, "objects");
    for (size_t i = 0; i < 3 && ok; i++) {
        ok = open_object(fixture, "gone", keys[i], &object) == 0 &&
             lst_object_stream_open(&object, 0, sizes[i], &streams[i]) == 0;
        lst_object_close(&object);
        ok = ok && fixture_put(fixture, "gone", keys[i], "x", 1) == 0 &&
             fixture_delete(fixture, "gone", keys[i]) == 0;
    }
    ok = ok && fixture_delete_bucket(fixture, "gone") == 0 && usleep(200000) == 0;
    CHECK(ok, "are streamed, overwritten and deleted with their bucket");
    for (size_t i = 0; i < 3 && ok; i++) {
        ok = stream_gives(streams[i], bytes, sizes[i]);
    }
    CHECK(ok, "the streams go on to the end");
    CHECK(fixture_wait_blob_files(fixture, 5), "then the bytes are gone");
    CHECK(fixture_is_clean(fixture, 7), "the check finds nothing wrong");
}

/* From here on these system calls fail with this error. */
static bool forbid(unsigned call, unsigned other, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int copy_without_links(unsigned other, int error)
{
    struct fixture fixture;
    struct lst_store_write write;
    struct upload upload;
    bool ok;

    if (!forbid(SYS_linkat, other, error)) {
        return 77;
    }
    fixture = fixture_open();
    ok = fixture_make_bucket(&fixture, "nolinks") == 0 &&
         fixture_put(&fixture, "nolinks", "large", bytes, 200000) == 0 &&
         upload_whole(&fixture, &upload, "nolinks", "film", bytes, SIZE) == 0 &&
         copy_object(&fixture, "nolinks", "large", "large-2", &write) == 0 &&
         copy_object(&fixture, "nolinks", "film", "film-2", &write) == 0 &&
         fixture_delete(&fixture, "nolinks", "large") == 0 &&
         fixture_delete(&fixture, "nolinks", "film") == 0 && fixture_wait_blob_files(&fixture, 3) &&
         upload_holds(&fixture, "nolinks", "large-2", bytes, 200000) &&
         upload_holds(&fixture, "nolinks", "film-2", bytes, SIZE) && fixture_is_clean(&fixture, 2);
    fixture_close(&fixture);
    return ok ? 0 : 1;
}

static void test_without_links(const char *what, unsigned other, int error)
{
    int result = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        _exit(copy_without_links(other, error));
    }
    waitpid(child, &result, 0);
    if (WIFEXITED(result) && WEXITSTATUS(result) == 77) {
        tap_skip(what, "system calls can't be forbidden here");
    } else {
        CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0, "%s", what);
    }
}

int main(void)
{
    struct fixture fixture;

    bytes = fixture_bytes(SIZE, 5);
    test_without_links("with too many links bytes are copied", SYS_linkat, EMLINK);
    test_without_links("where the kernel can't copy they are copied by hand", SYS_copy_file_range,
                       EXDEV);
    fixture = fixture_open();
    test_kinds(&fixture);
    test_look(&fixture);
    test_parts(&fixture);
    test_streams(&fixture);
    fixture_close(&fixture);
    free(bytes);
    return tap_done();
}
