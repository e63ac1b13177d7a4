/* presign_form.c - print an upload form: its fields as JSON, and a curl command that sends it. */
#include "base/buffer.h"
#include "base/error.h"
#include "cli/json.h"
#include "cli/presign.h"

#include <stdio.h>
#include <strings.h>

enum {
    /* key and Content-Type; algorithm, credential, date, token, policy and signature */
    OWN_FIELDS = 8,
    FIELDS_MAX = 2 * LST_OPTION_REPEATS_MAX + OWN_FIELDS,
    CREDENTIAL_MAX = 320,
    POLICY_MAX = 1024 * 1024,
    COMMAND_MAX = 4 * 1024 * 1024,
};

/* S3's own limit on one POST or PUT, for a form that has only a lower limit. */
static const uint64_t size_max = UINT64_C(5) * 1024 * 1024 * 1024;

/* Replaced by the client's file name when the form is sent. */
#define FILE_NAME "${filename}"

struct form_maker {
    const struct lst_presign *presign;
    struct lst_form form;
    struct lst_condition conditions[FIELDS_MAX];
    struct lst_field fields[FIELDS_MAX];
    size_t field_count;
    struct lst_buffer key; /* the field's value when there is a prefix */
    struct lst_buffer policy;
    char credential[CREDENTIAL_MAX];
    char date[16];
    char signature[LST_SIGNATURE_LENGTH];
    char url[sizeof(((struct lst_place *)0)->host) + sizeof(((struct lst_place *)0)->root) + 16];
};

static void add_field(struct form_maker *maker, struct lst_slice name, struct lst_slice value)
{
    maker->fields[maker->field_count++] = (struct lst_field){name, value};
}

static void add_condition(struct form_maker *maker, struct lst_slice field, struct lst_slice value,
                          enum lst_match match)
{
    maker->conditions[maker->form.condition_count++] =
        (struct lst_condition){.field = field, .value = value, .match = match};
}

/* The key: this one, or every one that begins with the prefix. */
static bool set_key(struct form_maker *maker)
{
    const struct lst_usage *usage = maker->presign->usage;
    const char *prefix = maker->presign->options->key_prefix;
    struct lst_slice key = maker->presign->place.key;

    if ((key.length == 0) == (prefix == NULL)) {
        (void)lst_usage_error(usage, "a form is for one key, s3://BUCKET/KEY, or for those that "
                                     "begin with a prefix, s3://BUCKET --key-prefix PREFIX");
        return false;
    }
    if (prefix == NULL) {
        add_condition(maker, LST_SLICE("key"), key, LST_MATCH_EXACT);
    } else {
        lst_buffer_append_string(&maker->key, prefix);
        lst_buffer_append_string(&maker->key, FILE_NAME);
        if (lst_buffer_status(&maker->key) != LST_OK) {
            (void)lst_usage_error(usage, "the --key-prefix is longer than S3's keys, 1024 bytes");
            return false;
        }
        add_condition(maker, LST_SLICE("key"), lst_slice_of(prefix), LST_MATCH_STARTS_WITH);
        key = lst_buffer_slice(&maker->key);
    }
    if (key.length > LST_KEY_MAX || !lst_slice_is_utf8(key)) {
        (void)lst_usage_error(usage, "a key is UTF-8 and has at most 1024 bytes");
        return false;
    }
    add_field(maker, LST_SLICE("key"), key);
    return true;
}

static bool add_given_fields(struct form_maker *maker, const char *option,
                             const struct lst_option_list *given, enum lst_match match)
{
    for (size_t i = 0; i < given->count; i++) {
        struct lst_field field;

        if (!lst_presign_split(maker->presign->usage, option, given->values[i], '=', &field)) {
            return false;
        }
        if (lst_slice_equal_ignoring_case(field.name, LST_SLICE("key"))) {
            (void)lst_usage_error(maker->presign->usage, "the key is given as s3://BUCKET/KEY or "
                                                         "with --key-prefix");
            return false;
        }
        add_condition(maker, field.name, field.value, match);
        add_field(maker, field.name, field.value);
    }
    return true;
}

static bool set_sizes(struct form_maker *maker)
{
    const struct lst_presign_options *options = maker->presign->options;
    struct lst_form *form = &maker->form;

    if (options->min_size == NULL && options->max_size == NULL) {
        return true;
    }
    form->length_max = size_max;
    if (options->max_size != NULL &&
        !lst_option_size(maker->presign->usage, "max-size", options->max_size, 1, INT64_MAX,
                         &form->length_max)) {
        return false;
    }
    return options->min_size == NULL ||
           lst_option_size(maker->presign->usage, "min-size", options->min_size, 0,
                           form->length_max, &form->length_min);
}

static bool set_fields(struct form_maker *maker)
{
    const struct lst_presign_options *options = maker->presign->options;

    if (!set_key(maker) || !add_given_fields(maker, "field", &options->fields, LST_MATCH_EXACT) ||
        !add_given_fields(maker, "starts-with", &options->starts_with, LST_MATCH_STARTS_WITH)) {
        return false;
    }
    if (options->content_type != NULL) {
        add_condition(maker, LST_SLICE("Content-Type"), lst_slice_of(options->content_type),
                      LST_MATCH_EXACT);
        add_field(maker, LST_SLICE("Content-Type"), lst_slice_of(options->content_type));
    }
    return set_sizes(maker);
}

static int sign(struct form_maker *maker)
{
    const struct lst_key *key = &maker->presign->key;
    struct lst_form *form = &maker->form;
    size_t capacity;
    size_t length;
    char *text;
    int status;

    form->conditions = maker->conditions;
    capacity = lst_sign_form_bound(form, key);
    text = lst_buffer_reserve(&maker->policy, capacity);
    if (text == NULL) {
        return lst_buffer_status(&maker->policy);
    }
    status = lst_sign_form(form, key, text, capacity, &maker->policy.length, maker->signature);
    if (status == LST_OK) {
        status =
            lst_credential(form->access_key_id, key, maker->credential, CREDENTIAL_MAX, &length);
    }
    if (status == LST_OK) {
        status = lst_format_time(form->time, maker->date);
    }
    if (status != LST_OK) {
        return status;
    }
    add_field(maker, LST_SLICE("x-amz-algorithm"), LST_SLICE("AWS4-HMAC-SHA256"));
    add_field(maker, LST_SLICE("x-amz-credential"), lst_slice_make(maker->credential, length));
    add_field(maker, LST_SLICE("x-amz-date"), lst_slice_make(maker->date, sizeof(maker->date)));
    if (form->session_token.length > 0) {
        add_field(maker, LST_SLICE("x-amz-security-token"), form->session_token);
    }
    add_field(maker, LST_SLICE("policy"), lst_buffer_slice(&maker->policy));
    add_field(maker, LST_SLICE("x-amz-signature"),
              lst_slice_make(maker->signature, LST_SIGNATURE_LENGTH));
    return LST_OK;
}

/* Text between single quotes, for the shell. */
static void append_quoted(struct lst_buffer *command, struct lst_slice text)
{
    struct lst_slice part;

    while (lst_slice_split(&text, '\'', &part)) {
        lst_buffer_append(command, part);
        lst_buffer_append_string(command, text.bytes != NULL ? "'\\''" : "");
    }
}

static bool is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '-';
}

/* The file to send: the last part of the key, where curl and the shell take it as it stands. */
static struct lst_slice file_name(struct lst_slice key)
{
    size_t start = key.length;

    while (start > 0 && key.bytes[start - 1] != '/') {
        start--;
        if (!is_plain(key.bytes[start])) {
            return LST_SLICE("FILE");
        }
    }
    return start < key.length ? lst_slice_make(key.bytes + start, key.length - start)
                              : LST_SLICE("FILE");
}

/* "image/", which --starts-with allows, is no type yet: like the file's name, the rest is for the
 * reader to fill in. */
static void append_rest_of_type(struct lst_buffer *command, const struct lst_field *field)
{
    size_t length = field->value.length;

    if (!lst_slice_equal_ignoring_case(field->name, LST_SLICE("Content-Type"))) {
        return;
    }
    if (length == 0) {
        lst_buffer_append_string(command, "TYPE/SUBTYPE");
    } else if (field->value.bytes[length - 1] == '/') {
        lst_buffer_append_string(command, "SUBTYPE");
    }
}

static void append_command(struct form_maker *maker, struct lst_buffer *command)
{
    struct lst_slice file = file_name(maker->presign->place.key);

    lst_buffer_append_string(command, "curl --fail-with-body");
    for (size_t i = 0; i < maker->field_count; i++) {
        lst_buffer_append_string(command, " --form-string '");
        append_quoted(command, maker->fields[i].name);
        lst_buffer_append_byte(command, '=');
        append_quoted(command, maker->fields[i].value);
        append_rest_of_type(command, &maker->fields[i]);
        lst_buffer_append_byte(command, '\'');
    }
    lst_buffer_append_string(command, " --form 'file=@");
    lst_buffer_append(command, file);
    lst_buffer_append_string(command, "' ");
    lst_buffer_append_string(command, maker->url);
}

/* Print the form; the curl command within the JSON, or in a line after it. */
static int print_form(struct form_maker *maker, struct lst_buffer *command)
{
    const struct lst_presign *presign = maker->presign;
    json_t *fields = json_object();
    json_t *form;

    for (size_t i = 0; i < maker->field_count; i++) {
        json_object_setn_new(fields, maker->fields[i].name.bytes, maker->fields[i].name.length,
                             lst_json_text(maker->fields[i].value));
    }
    form = json_pack("{so so}", "url", lst_json_text(lst_slice_of(maker->url)), "fields", fields);
    if (presign->options->json && form != NULL) {
        json_object_set_new(form, "expires_at", lst_json_time(presign->time + presign->expires));
        json_object_set_new(form, "curl", lst_json_text(lst_buffer_slice(command)));
    }
    if (!lst_json_print(form, false)) {
        return LST_ERR_NO_MEMORY;
    }
    if (!presign->options->json) {
        printf("\n%.*s\n", (int)command->length, command->bytes);
    }
    return LST_OK;
}

static int make_form(struct form_maker *maker, struct lst_buffer *command)
{
    const struct lst_presign *presign = maker->presign;
    int status;

    maker->form = (struct lst_form){
        .bucket = presign->place.bucket,
        .access_key_id = lst_slice_of(presign->settings.credentials.access_key_id),
        .session_token = lst_slice_of(presign->settings.credentials.session_token),
        .time = presign->time,
        .expires = presign->expires,
    };
    snprintf(maker->url, sizeof(maker->url), "%s://%s/%.*s", presign->place.scheme,
             presign->place.host,
             (int)(presign->place.root[0] != '\0' ? strlen(presign->place.root) - 1 : 0),
             presign->place.root);
    if (!set_fields(maker)) {
        return LST_EXIT_USAGE;
    }
    status = sign(maker);
    if (status == LST_ERR_INVALID_ARGUMENT) {
        return lst_usage_error(presign->usage, "a --field or --starts-with can't be signed: the "
                                               "bucket, the policy and the x-amz-... fields of "
                                               "the signature are there already");
    }
    if (status == LST_OK) {
        append_command(maker, command);
        status = lst_buffer_status(command);
    }
    if (status == LST_OK) {
        status = print_form(maker, command);
    }
    if (status != LST_OK) {
        lst_report(presign->usage->command, "%s", lst_error_text(status));
    }
    return status == LST_OK ? LST_EXIT_OK : LST_EXIT_FAILED;
}

int lst_presign_form(const struct lst_presign *presign)
{
    struct form_maker maker = {.presign = presign};
    struct lst_buffer command;
    int status;

    lst_buffer_init(&command, COMMAND_MAX);
    lst_buffer_init(&maker.key, LST_KEY_MAX + sizeof(FILE_NAME));
    lst_buffer_init(&maker.policy, POLICY_MAX);
    status = make_form(&maker, &command);
    lst_buffer_release(&command);
    lst_buffer_release(&maker.key);
    lst_buffer_release(&maker.policy);
    return status;
}
