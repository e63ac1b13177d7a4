/* aws_files.c - what one profile says in the files that all AWS tools share. */
#include "cli/aws_files.h"

#include "base/error.h"
#include "base/slice.h"
#include "cli/aws_lines.h"

#include <strings.h>

struct reading {
    enum lst_aws_file kind;
    const char *wanted; /* the profile's name, the services section's, or the access key id */
    struct lst_aws_profile *profile;
    char *text; /* the one thing looked for, when it is not a profile */
    const char *too_long;
};

/* Settings that are kept as text. */
static const struct {
    const char *name;
    const char *outer;
    size_t offset;
    size_t capacity;
} text_settings[] = {
#define ROW(outer, name, member)                                                                   \
    {                                                                                              \
        name, outer, offsetof(struct lst_aws_profile, member),                                     \
            sizeof(((struct lst_aws_profile *)0)->member)                                          \
    }
    ROW(NULL, "aws_access_key_id", credentials.access_key_id),
    ROW(NULL, "aws_secret_access_key", credentials.secret),
    ROW(NULL, "aws_session_token", credentials.session_token),
    ROW(NULL, "aws_security_token", credentials.session_token), /* its name before 2014 */
    ROW(NULL, "aws_expiration", credentials.expires_at),
    ROW(NULL, "x_security_token_expires", credentials.expires_at), /* written by saml2aws */
    ROW(NULL, "region", region),
    ROW(NULL, "endpoint_url", endpoint_url),
    ROW(NULL, "services", services),
    ROW("s3", "addressing_style", addressing_style),
#undef ROW
};

/* Settings that say that the credentials come from elsewhere. */
static const char *const other_sources[] = {
    "role_arn",      "web_identity_token_file", "sso_session",
    "sso_start_url", "credential_process",      "login_session",
};

/* The bare name of "profile NAME" or "services NAME", where NAME may be quoted; or nothing. */
static struct lst_slice section_name(struct lst_slice section, struct lst_slice word)
{
    struct lst_slice name = lst_slice_trim(lst_slice_after(section, word.length));

    if (!lst_slice_starts_with(section, word) || name.length == section.length - word.length) {
        return (struct lst_slice){0};
    }
    if (name.length >= 2 && (name.bytes[0] == '"' || name.bytes[0] == '\'') &&
        name.bytes[name.length - 1] == name.bytes[0]) {
        return lst_slice_make(name.bytes + 1, name.length - 2);
    }
    return name;
}

/* The profile that a section is about, or nothing. */
static struct lst_slice section_profile(enum lst_aws_file kind, const char *section)
{
    struct lst_slice whole = lst_slice_of(section);

    if (kind == LST_AWS_CREDENTIALS_FILE || lst_slice_equal(whole, LST_SLICE("default"))) {
        return whole;
    }
    return section_name(whole, LST_SLICE("profile"));
}

static void set_text(struct reading *reading, char *text, size_t capacity, const char *name,
                     struct lst_slice value)
{
    if (value.length >= capacity) {
        reading->too_long = name;
        return;
    }
    if (value.length > 0) {
        memcpy(text, value.bytes, value.length);
    }
    text[value.length] = '\0';
}

static void take_profile_setting(void *user, const char *section, const char *outer,
                                 const char *name, const char *value)
{
    struct reading *reading = user;
    struct lst_aws_profile *profile = reading->profile;

    if (!lst_slice_equal(section_profile(reading->kind, section), lst_slice_of(reading->wanted))) {
        return;
    }
    profile->found = true;
    for (size_t i = 0; i < sizeof(text_settings) / sizeof(text_settings[0]); i++) {
        const char *wanted_outer = text_settings[i].outer;

        if (strcasecmp(name, text_settings[i].name) == 0 &&
            (outer == NULL) == (wanted_outer == NULL) &&
            (outer == NULL || strcasecmp(outer, wanted_outer) == 0)) {
            set_text(reading, (char *)profile + text_settings[i].offset, text_settings[i].capacity,
                     text_settings[i].name, lst_slice_of(value));
        }
    }
    for (size_t i = 0; outer == NULL && i < sizeof(other_sources) / sizeof(other_sources[0]); i++) {
        if (strcasecmp(name, other_sources[i]) == 0) {
            set_text(reading, profile->other_source, sizeof(profile->other_source), name,
                     lst_slice_of(other_sources[i]));
        }
    }
    if (strcasecmp(name, "ignore_configured_endpoint_urls") == 0) {
        profile->ignore_endpoint_url = strcasecmp(value, "true") == 0;
    }
}

static void take_services_setting(void *user, const char *section, const char *outer,
                                  const char *name, const char *value)
{
    struct reading *reading = user;
    struct lst_slice services = section_name(lst_slice_of(section), LST_SLICE("services"));

    if (lst_slice_equal(services, lst_slice_of(reading->wanted)) && outer != NULL &&
        strcasecmp(outer, "s3") == 0 && strcasecmp(name, "endpoint_url") == 0) {
        set_text(reading, reading->text, LST_URL_MAX, "endpoint_url", lst_slice_of(value));
    }
}

static void take_key_id_setting(void *user, const char *section, const char *outer,
                                const char *name, const char *value)
{
    struct reading *reading = user;
    struct lst_slice profile = section_profile(reading->kind, section);

    if (outer == NULL && profile.length <= LST_PROFILE_NAME_MAX &&
        strcasecmp(name, "aws_access_key_id") == 0 && strcmp(value, reading->wanted) == 0) {
        set_text(reading, reading->text, LST_PROFILE_NAME_MAX + 1, "profile", profile);
    }
}

static int read_file(const char *path, lst_aws_setting *take, struct reading *reading,
                     struct lst_aws_file_problem *ret_problem)
{
    int line = 0;
    int status = lst_aws_lines_parse(path, take, reading, &line);

    if (status == LST_ERR_NOT_FOUND) {
        return LST_OK;
    }
    if (status == LST_OK && reading->too_long != NULL) {
        status = LST_ERR_MALFORMED;
    }
    if (status == LST_ERR_MALFORMED) {
        *ret_problem = (struct lst_aws_file_problem){.line = line, .too_long = reading->too_long};
    }
    return status;
}

int lst_aws_profile_read(const char *path, enum lst_aws_file kind, const char *name,
                         struct lst_aws_profile *ret_profile,
                         struct lst_aws_file_problem *ret_problem)
{
    struct lst_aws_profile profile = {0};
    struct reading reading = {.kind = kind, .wanted = name, .profile = &profile};
    int status = read_file(path, take_profile_setting, &reading, ret_problem);

    if (status == LST_OK) {
        *ret_profile = profile;
    }
    lst_wipe(&profile, sizeof(profile));
    return status;
}

int lst_services_read(const char *path, const char *name, char ret_endpoint_url[LST_URL_MAX],
                      struct lst_aws_file_problem *ret_problem)
{
    struct reading reading = {.kind = LST_AWS_CONFIG_FILE, .wanted = name};

    ret_endpoint_url[0] = '\0';
    reading.text = ret_endpoint_url;
    return read_file(path, take_services_setting, &reading, ret_problem);
}

int lst_aws_profile_find(const char *path, enum lst_aws_file kind, const char *access_key_id,
                         char ret_name[LST_PROFILE_NAME_MAX + 1],
                         struct lst_aws_file_problem *ret_problem)
{
    struct reading reading = {.kind = kind, .wanted = access_key_id};

    ret_name[0] = '\0';
    reading.text = ret_name;
    return read_file(path, take_key_id_setting, &reading, ret_problem);
}
