/* aws_settings.c - credentials, region and endpoint, found where every AWS tool finds them. */
#include "cli/aws_settings.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"
#include "cli/options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A named profile, as both files together have it. */
struct both_files {
    char credentials_path[PATH_MAX];
    char config_path[PATH_MAX];
    struct lst_aws_profile credentials;
    struct lst_aws_profile config;
};

/* The variable's value, or NULL when it is not set or empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The path in the variable, or the one in the home folder; a leading ~ is the home folder. */
static void file_path(const char *name, const char *usual, char ret_path[PATH_MAX])
{
    const char *path = variable(name);
    const char *home = variable("HOME");

    path = path != NULL ? path : usual;
    if (strncmp(path, "~/", 2) == 0) {
        snprintf(ret_path, PATH_MAX, "%s%s", home != NULL ? home : "", path + 1);
    } else {
        snprintf(ret_path, PATH_MAX, "%s", path);
    }
}

static void find_files(struct both_files *files)
{
    file_path("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", files->credentials_path);
    file_path("AWS_CONFIG_FILE", "~/.aws/config", files->config_path);
}

static bool report_file(const char *command, const char *path, int status,
                        const struct lst_aws_file_problem *problem)
{
    if (status == LST_OK) {
        return true;
    }
    if (status != LST_ERR_MALFORMED) {
        lst_report(command, "cannot read %s: %s", path, lst_error_text(status));
    } else if (problem->too_long != NULL) {
        lst_report(command, "%s: the value of %s is too long; correct it there", path,
                   problem->too_long);
    } else {
        lst_report(command,
                   "%s: line %d is not understood: it should be [section] or name = value; "
                   "correct it there",
                   path, problem->line);
    }
    return false;
}

static bool read_profile(const char *command, struct both_files *files, const char *name)
{
    struct lst_aws_file_problem problem = {0};
    int status = lst_aws_profile_read(files->credentials_path, LST_AWS_CREDENTIALS_FILE, name,
                                      &files->credentials, &problem);

    if (!report_file(command, files->credentials_path, status, &problem)) {
        return false;
    }
    status = lst_aws_profile_read(files->config_path, LST_AWS_CONFIG_FILE, name, &files->config,
                                  &problem);
    return report_file(command, files->config_path, status, &problem);
}

/* The longest value that is copied fits everywhere: the limits are checked here. */
static bool copy(const char *command, const char *name, const char *value, char *text,
                 size_t capacity)
{
    size_t length = strlen(value);

    if (length >= capacity) {
        lst_report(command, "the value of %s is longer than %zu bytes; correct it", name,
                   capacity - 1);
        return false;
    }
    memcpy(text, value, length + 1);
    return true;
}

/* Copy the first variable of the list that is set. True too when none is. */
static bool copy_variable(const char *command, const char *const names[2], char *text,
                          size_t capacity)
{
    for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
        if (variable(names[i]) != NULL) {
            return copy(command, names[i], variable(names[i]), text, capacity);
        }
    }
    return true;
}

static bool environment_credentials(const char *command, struct lst_credentials *credentials)
{
    static const struct {
        const char *names[2];
        size_t offset;
        size_t capacity;
    } variables[] = {
#define ROW(member, ...)                                                                           \
    {{__VA_ARGS__},                                                                                \
     offsetof(struct lst_credentials, member),                                                     \
     sizeof(((struct lst_credentials *)0)->member)}
        ROW(access_key_id, "AWS_ACCESS_KEY_ID", NULL),
        ROW(secret, "AWS_SECRET_ACCESS_KEY", NULL),
        ROW(session_token, "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
        ROW(expires_at, "AWS_CREDENTIAL_EXPIRATION", NULL),
#undef ROW
    };

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (!copy_variable(command, variables[i].names, (char *)credentials + variables[i].offset,
                           variables[i].capacity)) {
            return false;
        }
    }
    if (credentials->access_key_id[0] != '\0' && credentials->secret[0] == '\0') {
        lst_report(command,
                   "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not: set it too");
        return false;
    }
    return true;
}

static bool report_other_source(const char *command, const char *name, const char *source)
{
    lst_report(command,
               "profile '%s' gets its credentials through '%s', which latchstring does not "
               "follow.\n"
               "Let the AWS CLI put them into the environment, then try again without --profile:\n"
               "  eval \"$(aws configure export-credentials --profile '%s' --format env)\"",
               name, source, name);
    return false;
}

/* Take the profile's credentials: of the credentials file, or else of the config file. */
static bool profile_credentials(const char *command, const struct both_files *files,
                                const char *name, struct lst_credentials *credentials)
{
    const struct lst_aws_profile *profile = files->credentials.credentials.access_key_id[0] != '\0'
                                                ? &files->credentials
                                                : &files->config;
    const char *source = files->credentials.other_source[0] != '\0'
                             ? files->credentials.other_source
                             : files->config.other_source;
    bool has_keys = profile->credentials.access_key_id[0] != '\0';

    if (source[0] != '\0' && !(has_keys && strcmp(source, "credential_process") == 0)) {
        return report_other_source(command, name, source);
    }
    if (has_keys && profile->credentials.secret[0] == '\0') {
        lst_report(command,
                   "profile '%s' has an aws_access_key_id but no aws_secret_access_key "
                   "beside it: add it",
                   name);
        return false;
    }
    if (has_keys) {
        *credentials = profile->credentials;
        return true;
    }
    lst_report(command,
               "no credentials found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or put "
               "aws_access_key_id and aws_secret_access_key under [%s] in %s",
               name, files->credentials_path);
    return false;
}

static const char *first_given(const char *first, const char *second)
{
    return first[0] != '\0' ? first : second;
}

static bool load_region(const char *command, const struct both_files *files,
                        struct lst_aws_settings *settings)
{
    static const char *const names[2] = {"AWS_REGION", "AWS_DEFAULT_REGION"};

    memcpy(settings->region, first_given(files->credentials.region, files->config.region),
           sizeof(settings->region));
    return copy_variable(command, names, settings->region, sizeof(settings->region));
}

static bool load_endpoint(const char *command, const struct both_files *files,
                          struct lst_aws_settings *settings)
{
    static const char *const names[2] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"};
    const char *services = first_given(files->credentials.services, files->config.services);
    const char *ignore = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    struct lst_aws_file_problem problem = {0};

    if (ignore != NULL
            ? strcasecmp(ignore, "true") == 0
            : files->credentials.ignore_endpoint_url || files->config.ignore_endpoint_url) {
        return true;
    }
    if (services[0] != '\0') {
        int status =
            lst_services_read(files->config_path, services, settings->endpoint_url, &problem);

        if (!report_file(command, files->config_path, status, &problem)) {
            return false;
        }
    }
    if (settings->endpoint_url[0] == '\0') {
        memcpy(settings->endpoint_url,
               first_given(files->credentials.endpoint_url, files->config.endpoint_url),
               sizeof(settings->endpoint_url));
    }
    return copy_variable(command, names, settings->endpoint_url, sizeof(settings->endpoint_url));
}

/* The name of the profile to use. False if it can't be one. */
static bool choose_profile(const char *command, const char *given, const char **ret_name)
{
    const char *name = given;

    name = name != NULL ? name : variable("AWS_PROFILE");
    name = name != NULL ? name : variable("AWS_DEFAULT_PROFILE");
    name = name != NULL ? name : "default";
    if (name[0] == '\0' || strlen(name) > LST_PROFILE_NAME_MAX) {
        lst_report(command, "a profile's name has 1 to %d bytes; '%s' has not",
                   LST_PROFILE_NAME_MAX, name);
        return false;
    }
    *ret_name = name;
    return true;
}

static bool load_all(const char *command, const char *given, bool with_credentials,
                     struct both_files *files, struct lst_aws_settings *settings)
{
    const char *name;

    find_files(files);
    if (!choose_profile(command, given, &name) || !read_profile(command, files, name)) {
        return false;
    }
    if (!files->credentials.found && !files->config.found && strcmp(name, "default") != 0) {
        lst_report(command, "there is no profile '%s' in %s or %s; check its name", name,
                   files->credentials_path, files->config_path);
        return false;
    }
    if (with_credentials && given == NULL &&
        !environment_credentials(command, &settings->credentials)) {
        return false;
    }
    if (with_credentials && settings->credentials.access_key_id[0] == '\0' &&
        !profile_credentials(command, files, name, &settings->credentials)) {
        return false;
    }
    memcpy(settings->addressing_style,
           first_given(files->credentials.addressing_style, files->config.addressing_style),
           sizeof(settings->addressing_style));
    return load_region(command, files, settings) && load_endpoint(command, files, settings);
}

static bool load(const char *command, const char *profile, bool with_credentials,
                 struct lst_aws_settings *ret_settings)
{
    struct lst_aws_settings settings = {0};
    struct both_files files = {0};
    bool ok = load_all(command, profile, with_credentials, &files, &settings);

    if (ok) {
        *ret_settings = settings;
    }
    lst_wipe(&settings, sizeof(settings));
    lst_wipe(&files, sizeof(files));
    return ok;
}

bool lst_aws_settings_load(const char *command, const char *profile,
                           struct lst_aws_settings *ret_settings)
{
    return load(command, profile, true, ret_settings);
}

bool lst_aws_settings_load_endpoint(const char *command, const char *profile,
                                    struct lst_aws_settings *ret_settings)
{
    return load(command, profile, false, ret_settings);
}

/* Look the access key id up in one file; *ret_found says whether its profile has the secret. */
static bool find_in_file(const char *command, const char *path, enum lst_aws_file kind,
                         const char *access_key_id, struct lst_credentials *credentials,
                         bool *ret_found)
{
    char name[LST_PROFILE_NAME_MAX + 1];
    struct lst_aws_file_problem problem = {0};
    struct lst_aws_profile profile = {0};
    int status = lst_aws_profile_find(path, kind, access_key_id, name, &problem);

    *ret_found = false;
    if (status == LST_OK && name[0] != '\0') {
        status = lst_aws_profile_read(path, kind, name, &profile, &problem);
    }
    if (!report_file(command, path, status, &problem)) {
        return false;
    }
    if (strcmp(profile.credentials.access_key_id, access_key_id) == 0 &&
        profile.credentials.secret[0] != '\0') {
        *credentials = profile.credentials;
        *ret_found = true;
    }
    lst_wipe(&profile, sizeof(profile));
    return true;
}

static bool find_in_files(const char *command, const char *access_key_id,
                          struct lst_credentials *credentials, bool *ret_found)
{
    struct both_files files = {0};

    find_files(&files);
    if (!find_in_file(command, files.credentials_path, LST_AWS_CREDENTIALS_FILE, access_key_id,
                      credentials, ret_found)) {
        return false;
    }
    return *ret_found || find_in_file(command, files.config_path, LST_AWS_CONFIG_FILE,
                                      access_key_id, credentials, ret_found);
}

bool lst_aws_credentials_find(const char *command, const char *profile, const char *access_key_id,
                              struct lst_credentials *ret_credentials, bool *ret_found)
{
    struct lst_aws_settings settings = {0};
    bool ok;

    if (profile != NULL) {
        ok = lst_aws_settings_load(command, profile, &settings);
        *ret_found = strcmp(settings.credentials.access_key_id, access_key_id) == 0;
    } else {
        ok = environment_credentials(command, &settings.credentials);
        *ret_found = strcmp(settings.credentials.access_key_id, access_key_id) == 0;
        if (ok && !*ret_found) {
            ok = find_in_files(command, access_key_id, &settings.credentials, ret_found);
        }
    }
    if (ok && *ret_found) {
        *ret_credentials = settings.credentials;
    }
    lst_wipe(&settings, sizeof(settings));
    return ok;
}

/* "+01:00" or "-0500" in seconds; 0 for "Z" and for nothing. False for anything else. */
static bool parse_offset(struct lst_slice text, int64_t *ret_seconds)
{
    uint64_t hours;
    uint64_t minutes;
    size_t colon = text.length == 6 && text.bytes[3] == ':' ? 1 : 0;

    if (text.length == 0 || lst_slice_equal(text, LST_SLICE("Z"))) {
        *ret_seconds = 0;
        return true;
    }
    if (text.length != 5 + colon || (text.bytes[0] != '+' && text.bytes[0] != '-') ||
        !lst_slice_to_number(lst_slice_make(text.bytes + 1, 2), 23, &hours) ||
        !lst_slice_to_number(lst_slice_after(text, 3 + colon), 59, &minutes)) {
        return false;
    }
    *ret_seconds = (int64_t)(hours * 3600 + minutes * 60) * (text.bytes[0] == '-' ? -1 : 1);
    return true;
}

bool lst_credentials_expiry(const struct lst_credentials *credentials, int64_t *ret_time)
{
    char text[] = "YYYY-MM-DDThh:mm:ssZ";
    struct lst_slice rest = lst_slice_of(credentials->expires_at);
    size_t fraction;
    int64_t time_ms;
    int64_t offset;

    if (rest.length < sizeof(text) - 2) {
        return false;
    }
    memcpy(text, rest.bytes, sizeof(text) - 2);
    text[10] = text[10] == ' ' ? 'T' : text[10];
    rest = lst_slice_after(rest, sizeof(text) - 2);
    fraction =
        rest.length > 0 && rest.bytes[0] == '.' ? 1 + strspn(rest.bytes + 1, "0123456789") : 0;
    if (!parse_offset(lst_slice_after(rest, fraction), &offset) ||
        !lst_clock_parse_iso8601(lst_slice_of(text), &time_ms)) {
        return false;
    }
    *ret_time = time_ms / 1000 - offset;
    return true;
}
