/* share_file.c - the file that is shared: its size, its name, its type, and where it goes. */
#include "api/template.h"
#include "base/random.h"
#include "base/slice.h"
#include "cli/share.h"
#include "http/disposition.h"
#include "s3/content_magic.h"
#include "s3/content_types.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_LENGTH = 26 }; /* of 32 letters and digits: 130 bits */

/* ---- Its type */

/* The type that the extension of its name stands for; empty if it stands for none. */
static struct lst_slice type_of_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot == NULL ? LST_SLICE("") : lst_template_type(lst_slice_of(dot + 1));
}

/* Is it text, as far as its beginning shows? Of a longer file, a character may be cut there. */
static bool is_text(struct lst_slice head)
{
    size_t cut_max = head.length == LST_CONTENT_WINDOW ? 3 : 0;
    size_t cut = 0;

    while (cut < cut_max && !lst_slice_is_utf8(lst_slice_first(head, head.length - cut))) {
        cut++;
    }
    return lst_slice_find(head, '\0') == head.length &&
           lst_slice_is_utf8(lst_slice_first(head, head.length - cut));
}

/* What its content is, in the light of its name: that is believed where the content agrees. */
static struct lst_slice choose_type(struct lst_slice named, struct lst_slice head,
                                    const struct lst_content_reports *reports)
{
    for (size_t i = 0; i < reports->count; i++) {
        if (named.length > 0 && lst_content_types_agree(named, reports->types[i])) {
            return named;
        }
    }
    if (named.length > 0 &&
        (head.length == 0 || (lst_content_is_text_type(named) && is_text(head)) ||
         (reports->count == 0 && !lst_content_is_recognisable(named)))) {
        return named;
    }
    return reports->count > 0 ? reports->types[0] : LST_SLICE("application/octet-stream");
}

static int find_type(struct lst_share *share)
{
    char bytes[LST_CONTENT_WINDOW];
    ssize_t length = pread(share->file, bytes, sizeof(bytes), 0);
    struct lst_content_reports reports = {0};
    struct lst_content_pool *pool = NULL;
    struct lst_slice head;
    struct lst_slice type;

    if (length < 0) {
        lst_report(share->usage->command, "cannot read '%s': %s", share->path, strerror(errno));
        return LST_EXIT_FAILED;
    }
    head = lst_slice_make(bytes, (size_t)length);
    if (lst_content_pool_open(&pool) != LST_OK ||
        lst_content_pool_look(pool, head, &reports) != LST_OK) {
        reports.count = 0; /* without libmagic's database: the name has to do */
    }
    lst_content_pool_close(pool);
    type = choose_type(type_of_name(share->name), head, &reports);
    (void)snprintf(
        share->type, sizeof(share->type), "%.*s%s", (int)type.length, type.bytes,
        lst_slice_starts_with(type, LST_SLICE("text/")) && is_text(head) ? "; charset=utf-8" : "");
    return LST_EXIT_OK;
}

static int take_type(struct lst_share *share)
{
    struct lst_slice given = lst_slice_of(share->content_type);

    for (size_t i = 0; i < given.length; i++) {
        if (given.bytes[i] < ' ' || given.bytes[i] > '~') {
            given.length = 0;
        }
    }
    if (given.length == 0 || given.length > LST_SHARE_TYPE_MAX ||
        lst_slice_find(given, '/') == given.length) {
        return lst_usage_error(share->usage, "--content-type must be of the form image/png");
    }
    memcpy(share->type, given.bytes, given.length + 1);
    return LST_EXIT_OK;
}

/* ---- The file */

static int refuse_large(const struct lst_share *share)
{
    lst_report(share->usage->command,
               "'%s' has more than 5 GiB, which is all that one PUT can carry: upload it in parts, "
               "as with `aws s3 cp`, then share it with `latchstring link create`",
               share->path);
    return LST_EXIT_FAILED;
}

static int check_file(struct lst_share *share)
{
    struct stat about;

    if (fstat(share->file, &about) != 0) {
        lst_report(share->usage->command, "cannot look at '%s': %s", share->path, strerror(errno));
        return LST_EXIT_FAILED;
    }
    if (S_ISDIR(about.st_mode)) {
        lst_report(share->usage->command,
                   "'%s' is a folder: pack it into one file first, as with `tar -czf`",
                   share->path);
        return LST_EXIT_FAILED;
    }
    if (!S_ISREG(about.st_mode)) {
        lst_report(
            share->usage->command,
            "'%s' is no regular file, so its size is not known beforehand, which a PUT needs: "
            "save it to a file first",
            share->path);
        return LST_EXIT_FAILED;
    }
    share->size = (int64_t)about.st_size;
    return share->size > LST_SHARE_SIZE_MAX ? refuse_large(share) : LST_EXIT_OK;
}

int lst_share_open(struct lst_share *share)
{
    const char *slash = strrchr(share->path, '/');
    const char *name = slash == NULL ? share->path : slash + 1;
    int status;

    if (strcmp(share->path, "-") == 0) {
        return lst_usage_error(share->usage,
                               "standard input has no size that is known beforehand, which a PUT "
                               "needs: save it to a file first");
    }
    /* A FIFO would be waited for. */
    share->file = open(share->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (share->file < 0) {
        lst_report(share->usage->command, "cannot open '%s': %s", share->path, strerror(errno));
        return LST_EXIT_FAILED;
    }
    status = check_file(share);
    if (status != LST_EXIT_OK) {
        return status;
    }
    if (lst_filename_is_valid(lst_slice_of(name))) {
        (void)snprintf(share->name, sizeof(share->name), "%s", name);
    }
    return share->content_type != NULL ? take_type(share) : find_type(share);
}

/* ---- Where it goes */

int lst_share_place(struct lst_share *share, const char *target)
{
    size_t length = strlen(target);
    bool is_bucket = strchr(strncmp(target, "s3://", 5) == 0 ? target + 5 : target, '/') == NULL;
    bool is_folder = is_bucket || target[length - 1] == '/';
    char folder[FOLDER_LENGTH + 1] = "";
    struct lst_place_request request = {
        .uri = share->uri,
        .endpoint_url = share->api.settings.endpoint_url,
        .region = share->api.settings.region,
        .addressing = lst_addressing_of(share->api.settings.addressing_style)};
    int written;

    if (is_folder && share->name[0] == '\0') {
        return lst_usage_error(share->usage,
                               "the file's name can't be part of a link: it must be UTF-8 without "
                               "control characters and backslashes. Name the key, as "
                               "s3://BUCKET/KEY");
    }
    lst_random_text(LST_SLICE("abcdefghijklmnopqrstuvwxyz234567"), folder, FOLDER_LENGTH);
    written = snprintf(share->uri, sizeof(share->uri), "%s%s%s%s%s", target, is_bucket ? "/" : "",
                       is_folder ? folder : "", is_folder ? "/" : "", is_folder ? share->name : "");
    if (written < 0 || (size_t)written >= sizeof(share->uri)) {
        return lst_usage_error(share->usage, "the key is longer than S3's %d bytes", LST_KEY_MAX);
    }
    if (!lst_place_find(share->usage, &request, &share->place)) {
        return LST_EXIT_USAGE;
    }
    if (share->place.key.length > LST_KEY_MAX || !lst_slice_is_utf8(share->place.key)) {
        return lst_usage_error(share->usage, "a key is at most %d bytes of UTF-8", LST_KEY_MAX);
    }
    return LST_EXIT_OK;
}
