/* link_input.c - reading what a caller asks for, when a link is to be made. */
#include "api/link_input.h"

#include "access/constraints.h"
#include "api/fields.h"
#include "api/profile.h"
#include "http/disposition.h"

enum {
    BUCKET_MIN = 3,
    BUCKET_MAX = 63,
    KEY_MAX = 1024,
    EXPIRES_USUAL = 3600,
    DISPOSITION_TEXT_MAX = 10,
};

/* A limit that is written as in a URL: would it be understood there? */
static void check_limit(struct lst_fields *fields, const char *field, const char *constraint,
                        struct lst_slice value)
{
    struct lst_constraints constraints = {0};
    const char *problem = "it was given twice";

    if (value.length > 0 &&
        lst_constraints_read(&constraints, lst_slice_of(constraint), value, &problem) != LST_OK) {
        lst_fields_refuse(fields, field, "%s", problem);
    }
}

/* Write a list of texts with commas between them. An entry with a comma of its own would be read as
 * two. */
static bool join(const json_t *list, char ret_text[LST_LINK_LIMIT_MAX + 1], size_t *ret_length)
{
    size_t length = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        struct lst_slice text = lst_slice_make(json_string_value(entry), json_string_length(entry));

        if (text.length == 0 || lst_slice_find(text, ',') < text.length ||
            length + 1 + text.length > LST_LINK_LIMIT_MAX) {
            return false;
        }
        if (i > 0) {
            ret_text[length++] = ',';
        }
        memcpy(ret_text + length, text.bytes, text.length);
        length += text.length;
    }
    *ret_length = length;
    return length > 0;
}

/* "ip": one text, or a list of texts. */
static void read_addresses(struct lst_fields *fields, struct lst_link_input *input,
                           struct lst_slice *ret_ip)
{
    json_t *value;
    size_t length;

    if (!lst_fields_value(fields, "ip", LST_FIELD_OPTIONAL, &value)) {
        return;
    }
    if (!json_is_array(value)) {
        lst_fields_text(fields, "ip", LST_FIELD_OPTIONAL, 1, LST_LINK_LIMIT_MAX, ret_ip);
    } else if (join(value, input->ip, &length)) {
        *ret_ip = lst_slice_make(input->ip, length);
    } else {
        lst_fields_refuse(fields, "ip",
                          "a list has 1 to %d addresses or networks, each a text of its own",
                          LST_CONSTRAINT_NETWORKS_MAX);
    }
    check_limit(fields, "ip", "ip", *ret_ip);
}

static bool is_method(struct lst_slice method)
{
    return lst_slice_equal(method, LST_SLICE("GET")) ||
           lst_slice_equal(method, LST_SLICE("HEAD")) || lst_slice_equal(method, LST_SLICE("PUT"));
}

static void check_disposition(struct lst_fields *fields, const struct lst_link *link)
{
    if (link->filename.length > 0 && !lst_filename_is_valid(link->filename)) {
        lst_fields_refuse(fields, "filename",
                          "it must be a file's name, without slashes and control characters");
    }
    if (link->disposition.length > 0 && !lst_slice_equal(link->disposition, LST_SLICE("inline")) &&
        !lst_slice_equal(link->disposition, LST_SLICE("attachment"))) {
        lst_fields_refuse(fields, "disposition", "it must be inline or attachment");
    }
}

/* What only a link for GET can have. */
static void check_download(struct lst_fields *fields, const struct lst_link *link,
                           const struct lst_link_input *input)
{
    const struct {
        const char *field;
        bool is_given;
    } wishes[] = {
        {"head", link->head},
        {"filename", link->filename.length > 0},
        {"disposition", link->disposition.length > 0},
        {"password", input->password.length > 0},
        {"stable", link->stable > 0},
        {"folder", link->folder},
    };

    if (!is_method(link->method)) {
        lst_fields_refuse(fields, "method", "it must be GET, HEAD or PUT");
    }
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        if (wishes[i].is_given && !lst_slice_equal(link->method, LST_SLICE("GET"))) {
            lst_fields_refuse(fields, wishes[i].field, "it needs a link for GET");
        }
    }
}

static void check_stable(struct lst_fields *fields, const struct lst_link *link,
                         const struct lst_link_input *input)
{
    if (link->stable == 0) {
        return;
    }
    if (link->max_uses > 0 || input->password.length > 0 || link->folder) {
        lst_fields_refuse(fields, "stable",
                          "it does not go with max_uses, password or folder, because everybody "
                          "gets the same URL");
    }
}

static void check_folder(struct lst_fields *fields, const struct lst_link *link)
{
    if (!link->folder) {
        return;
    }
    if (link->key.length == 0 || link->key.bytes[link->key.length - 1] != '/') {
        lst_fields_refuse(fields, "key", "the key of a folder ends with a slash: photos/2026/");
    }
    if (link->remote.length > 0 || link->max_uses > 0 || link->head || link->filename.length > 0) {
        lst_fields_refuse(fields, "folder",
                          "it does not go with remote, max_uses, head or filename");
    }
}

/* When it ends. The end of a stable link is rounded up, so that all links of one window have the
 * same one. */
static void set_times(struct lst_fields *fields, struct lst_link *link, int64_t life, int64_t most)
{
    int64_t start = link->created;

    if (link->stable > 0) {
        link->stable = life / 4 > LST_LINK_WINDOW_MIN ? life / 4 : LST_LINK_WINDOW_MIN;
        start -= start % link->stable;
        life += link->stable;
        if (life > most) {
            lst_fields_refuse(fields, "expires",
                              "with stable, a quarter (%d seconds at least) is added, and the sum "
                              "must be %lld or less",
                              LST_LINK_WINDOW_MIN, (long long)most);
        }
    }
    link->expires = start + life;
}

bool lst_link_input_read(struct lst_api_exchange *exchange, struct lst_link *link,
                         struct lst_link_input *ret_input)
{
    int64_t most = exchange->api->options.expires_max;
    bool is_stable = false;
    struct lst_fields fields;

    *ret_input = (struct lst_link_input){.life = most < EXPIRES_USUAL ? most : EXPIRES_USUAL};
    link->method = LST_SLICE("GET");
    link->created = lst_api_now(exchange);
    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_text(&fields, "bucket", LST_FIELD_REQUIRED, BUCKET_MIN, BUCKET_MAX, &link->bucket);
    lst_fields_text(&fields, "key", LST_FIELD_REQUIRED, 1, KEY_MAX, &link->key);
    lst_fields_text(&fields, "remote", LST_FIELD_OPTIONAL, 1, LST_PROFILE_NAME_MAX, &link->remote);
    lst_fields_text(&fields, "method", LST_FIELD_OPTIONAL, 1, 4, &link->method);
    lst_fields_integer(&fields, "expires", LST_FIELD_OPTIONAL, 1, most, &ret_input->life);
    lst_fields_integer(&fields, "max_uses", LST_FIELD_OPTIONAL, 0, LST_CONSTRAINT_USES_MAX,
                       &link->max_uses);
    read_addresses(&fields, ret_input, &link->ip);
    lst_fields_text(&fields, "not_before", LST_FIELD_OPTIONAL, 1, LST_LINK_LIMIT_MAX,
                    &link->not_before);
    lst_fields_boolean(&fields, "head", LST_FIELD_OPTIONAL, &link->head);
    lst_fields_text(&fields, "filename", LST_FIELD_OPTIONAL, 1, LST_FILENAME_MAX, &link->filename);
    lst_fields_text(&fields, "disposition", LST_FIELD_OPTIONAL, 1, DISPOSITION_TEXT_MAX,
                    &link->disposition);
    lst_fields_text(&fields, "password", LST_FIELD_OPTIONAL, LST_LINK_PASSWORD_MIN,
                    LST_LINK_PASSWORD_MAX, &ret_input->password);
    lst_fields_boolean(&fields, "folder", LST_FIELD_OPTIONAL, &link->folder);
    lst_fields_boolean(&fields, "stable", LST_FIELD_OPTIONAL, &is_stable);
    lst_fields_boolean(&fields, "dry_run", LST_FIELD_OPTIONAL, &ret_input->dry_run);
    link->stable = is_stable ? LST_LINK_WINDOW_MIN : 0;
    check_limit(&fields, "not_before", "not-before", link->not_before);
    check_disposition(&fields, link);
    check_download(&fields, link, ret_input);
    check_stable(&fields, link, ret_input);
    check_folder(&fields, link);
    set_times(&fields, link, ret_input->life, most);
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    return true;
}
