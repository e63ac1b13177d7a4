/* config.c - the settings of `latchstring serve`. */
#include "server/config.h"

#include "base/quantity.h"
#include "server/address.h"
#include "store/store.h"

#include <stdlib.h>

static void *member_of(struct lst_config *config, const struct lst_setting *setting)
{
    return (char *)config + setting->offset;
}

static void list_release(struct lst_config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free((void *)list->values[i].bytes);
    }
    list->count = 0;
}

static void text_release(const struct lst_setting *setting, char **text)
{
    if (*text != NULL && setting->is_secret) {
        explicit_bzero(*text, strlen(*text));
    }
    free(*text);
    *text = NULL;
}

void lst_config_release(struct lst_config *config)
{
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);

    for (size_t i = 0; i < count; i++) {
        if (settings[i].kind == LST_SETTING_TEXT) {
            text_release(&settings[i], member_of(config, &settings[i]));
        } else if (settings[i].kind == LST_SETTING_LIST) {
            list_release(member_of(config, &settings[i]));
        }
    }
    free(config->sources);
    config->sources = NULL;
}

int lst_config_init(struct lst_config *config)
{
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);
    struct lst_buffer message;
    int status = LST_OK;

    memset(config, 0, sizeof(*config));
    config->sources = calloc(count, 1);
    lst_buffer_init(&message, LST_CONFIG_MESSAGE_MAX);
    for (size_t i = 0; config->sources != NULL && i < count && status == LST_OK; i++) {
        const char *preset = settings[i].preset == NULL ? "" : settings[i].preset;

        if (settings[i].kind != LST_SETTING_LIST || settings[i].preset != NULL) {
            status = lst_config_set(config, &settings[i], preset, LST_CONFIG_DEFAULT, &message);
        }
    }
    lst_buffer_release(&message);
    if (config->sources == NULL || status != LST_OK) {
        lst_config_release(config);
        return LST_ERR_NO_MEMORY;
    }
    return LST_OK;
}

static int set_number(uint64_t *number, const struct lst_setting *setting, const char *value,
                      struct lst_buffer *message)
{
    struct lst_slice text = lst_slice_of(value);
    const char *kind = "number";
    const char *examples = "";
    char durations[LST_DURATION_EXAMPLES_MAX] = "";
    uint64_t parsed = 0;
    bool is_one;

    if (setting->kind == LST_SETTING_DURATION) {
        kind = "duration";
        examples = " seconds, such as ";
        lst_duration_examples(setting->minimum, setting->maximum, durations);
        is_one = lst_duration_parse(text, setting->maximum, &parsed);
    } else if (setting->kind == LST_SETTING_SIZE) {
        kind = "size";
        examples = " bytes, such as " LST_SIZE_EXAMPLES;
        is_one = lst_size_parse(text, setting->maximum, &parsed);
    } else {
        is_one = lst_slice_to_number(text, setting->maximum, &parsed);
    }
    if (is_one && parsed >= setting->minimum) {
        *number = parsed;
        return LST_OK;
    }
    lst_buffer_append_format(message, "%s: '%s' is not a %s from %llu to %llu%s%s", setting->name,
                             value, kind, (unsigned long long)setting->minimum,
                             (unsigned long long)setting->maximum, examples, durations);
    return LST_ERR_MALFORMED;
}

static int set_switch(bool *is_on, const struct lst_setting *setting, const char *value,
                      struct lst_buffer *message)
{
    static const char *const words[] = {"no", "yes", "false", "true", "0", "1", "off", "on"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (lst_slice_equal_ignoring_case(lst_slice_of(value), lst_slice_of(words[i]))) {
            *is_on = i % 2 == 1;
            return LST_OK;
        }
    }
    lst_buffer_append_format(message, "%s: '%s' is neither yes nor no", setting->name, value);
    return LST_ERR_MALFORMED;
}

static int add_to_list(struct lst_config_list *list, const struct lst_setting *setting,
                       const char *value, struct lst_buffer *message)
{
    struct lst_slice rest = lst_slice_of(value);
    struct lst_slice part;

    while (lst_slice_split(&rest, ',', &part)) {
        char *copy;

        part = lst_slice_trim(part);
        if (part.length == 0) {
            continue;
        }
        if (list->count == LST_CONFIG_LIST_MAX) {
            lst_buffer_append_format(message, "%s: more than %d values", setting->name,
                                     LST_CONFIG_LIST_MAX);
            return LST_ERR_MALFORMED;
        }
        copy = lst_slice_to_string(part);
        if (copy == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        list->values[list->count++] = lst_slice_make(copy, part.length);
    }
    return LST_OK;
}

static int set_text(char **text, const struct lst_setting *setting, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    text_release(setting, text);
    *text = copy;
    return LST_OK;
}

int lst_config_set(struct lst_config *config, const struct lst_setting *setting, const char *value,
                   enum lst_config_source source, struct lst_buffer *message)
{
    size_t count;
    uint8_t *giver = &config->sources[setting - lst_settings(&count)];
    void *member = member_of(config, setting);
    bool is_first = *giver < source;

    if (*giver > source) {
        return LST_OK;
    }
    *giver = (uint8_t)source;
    if (strlen(value) > LST_CONFIG_TEXT_MAX) {
        lst_buffer_append_format(message, "%s: longer than %d bytes", setting->name,
                                 LST_CONFIG_TEXT_MAX);
        return LST_ERR_MALFORMED;
    }
    switch (setting->kind) {
    case LST_SETTING_TEXT:
        return set_text(member, setting, value);
    case LST_SETTING_NUMBER:
    case LST_SETTING_DURATION:
    case LST_SETTING_SIZE:
        return set_number(member, setting, value, message);
    case LST_SETTING_SWITCH:
        return set_switch(member, setting, value, message);
    case LST_SETTING_LIST:
        break;
    }
    if (is_first) {
        list_release(member);
    }
    return add_to_list(member, setting, value, message);
}

/* A value that parses as what its setting takes. */
static int check_addresses(const struct lst_config *config, struct lst_buffer *message)
{
    char host[LST_HOST_TEXT_MAX];
    uint16_t port;

    if (!lst_listen_parse(lst_slice_of(config->listen), host, &port)) {
        lst_buffer_append_format(message,
                                 "listen: '%s' is not ADDR:PORT; try 127.0.0.1:9000, :9000 (every "
                                 "interface) or [::1]:9000",
                                 config->listen);
        return LST_ERR_MALFORMED;
    }
    for (size_t i = 0; i < config->trusted_proxies.count; i++) {
        struct lst_network network;

        if (!lst_network_parse(config->trusted_proxies.values[i], &network)) {
            lst_buffer_append_format(message,
                                     "trusted-proxy: '%s' is not an address or a range of "
                                     "addresses; try 10.0.0.0/8",
                                     config->trusted_proxies.values[i].bytes);
            return LST_ERR_MALFORMED;
        }
    }
    return LST_OK;
}

static int check_public_urls(const struct lst_config *config, struct lst_buffer *message)
{
    for (size_t i = 0; i < config->public_urls.count; i++) {
        struct lst_slice url = config->public_urls.values[i];
        size_t scheme = lst_slice_find_slice(url, LST_SLICE("://"));
        struct lst_slice host = lst_slice_after(url, scheme + 3);
        size_t slash = lst_slice_find(host, '/');

        if (!(lst_slice_starts_with(url, LST_SLICE("http://")) ||
              lst_slice_starts_with(url, LST_SLICE("https://"))) ||
            slash == 0 || slash + 1 < host.length) {
            lst_buffer_append_format(message,
                                     "public-url: '%s' is not https://HOST or https://HOST:PORT "
                                     "(a path would not be covered by signatures)",
                                     url.bytes);
            return LST_ERR_MALFORMED;
        }
    }
    return LST_OK;
}

/* Letters and digits, '-', and what else is given. */
static bool is_name(struct lst_slice text, char also)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == also)) {
            return false;
        }
    }
    return true;
}

/* What would never match is a slip. */
static int check_names(const struct lst_config *config, struct lst_buffer *message)
{
    struct lst_slice region = lst_slice_of(config->region);

    if (region.length > LST_REGION_MAX || !is_name(region, '_')) {
        lst_buffer_append_format(message, "region: '%s' can't be a region; try eu-west-1",
                                 config->region);
        return LST_ERR_MALFORMED;
    }
    for (size_t i = 0; i < config->buckets.count; i++) {
        if (lst_bucket_name_check(config->buckets.values[i]) != LST_OK) {
            lst_buffer_append_format(message,
                                     "buckets: '%s' can't be a bucket's name: 3 to 63 lower-case "
                                     "letters, digits, hyphens and dots; try photos",
                                     config->buckets.values[i].bytes);
            return LST_ERR_MALFORMED;
        }
    }
    for (size_t i = 0; i < config->domains.count; i++) {
        if (!is_name(config->domains.values[i], '.')) {
            lst_buffer_append_format(message,
                                     "domain: '%s' is not the name of a host, without scheme and "
                                     "port; try s3.example.com",
                                     config->domains.values[i].bytes);
            return LST_ERR_MALFORMED;
        }
    }
    return LST_OK;
}

/* A name that serves pages of strangers as they are must not be one that serves ours. */
static int check_content_domain(const struct lst_config *config, struct lst_slice name,
                                struct lst_buffer *message)
{
    struct lst_slice listen = lst_slice_of(config->listen);
    struct lst_slice url_host;
    bool is_ours =
        lst_slice_equal_ignoring_case(name, lst_slice_first(listen, lst_slice_find(listen, ':')));

    if (name.length == 0 || !is_name(name, '.')) {
        lst_buffer_append_format(message,
                                 "content-domain: '%s' is not the name of a host, without scheme "
                                 "and port; try files.example-content.com",
                                 name.bytes);
        return LST_ERR_MALFORMED;
    }
    for (size_t i = 0; i < config->domains.count; i++) {
        is_ours |= lst_slice_equal_ignoring_case(name, config->domains.values[i]);
    }
    for (size_t i = 0; i < config->public_urls.count; i++) {
        url_host = config->public_urls.values[i];
        url_host = lst_slice_after(url_host, lst_slice_find_slice(url_host, LST_SLICE("://")) + 3);
        url_host = lst_slice_first(url_host, lst_slice_find(url_host, '/'));
        url_host = lst_slice_first(url_host, lst_slice_find(url_host, ':'));
        is_ours |= lst_slice_equal_ignoring_case(name, url_host);
    }
    if (is_ours) {
        lst_buffer_append_format(message,
                                 "content-domain: '%s' is also the host of public-url, domain or "
                                 "listen, which serves the API and links: a stranger's page there "
                                 "could act for their visitors. Give objects a name of their own",
                                 name.bytes);
        return LST_ERR_MALFORMED;
    }
    return LST_OK;
}

static int check_content_domains(const struct lst_config *config, struct lst_buffer *message)
{
    int status = LST_OK;

    for (size_t i = 0; status == LST_OK && i < config->content_domains.count; i++) {
        status = check_content_domain(config, config->content_domains.values[i], message);
    }
    return status;
}

static int check_origins(const struct lst_config *config, struct lst_buffer *message)
{
    for (size_t i = 0; i < config->cors_origins.count; i++) {
        struct lst_slice origin = config->cors_origins.values[i];
        size_t scheme = lst_slice_find_slice(origin, LST_SLICE("://"));
        struct lst_slice host = lst_slice_after(origin, scheme + 3);
        bool is_word = lst_slice_equal(origin, LST_SLICE("*")) ||
                       lst_slice_equal(origin, LST_SLICE("none")) ||
                       lst_slice_equal(origin, LST_SLICE("null"));

        if (!is_word &&
            (scheme == 0 || host.length == 0 || lst_slice_find(host, '/') < host.length ||
             lst_slice_find(origin, ' ') < origin.length)) {
            lst_buffer_append_format(message,
                                     "cors-origin: '%s' is not *, none or an origin as a browser "
                                     "sends it; try https://app.example.com",
                                     origin.bytes);
            return LST_ERR_MALFORMED;
        }
    }
    return LST_OK;
}

int lst_config_check(const struct lst_config *config, struct lst_buffer *message)
{
    int status;

    if (config->data[0] == '\0') {
        lst_buffer_append_string(message, "data: the name of the folder is empty; try "
                                          "/srv/latchstring, or leave the setting out for ./data");
        return LST_ERR_MALFORMED;
    }
    status = check_addresses(config, message);
    if (status == LST_OK) {
        status = check_public_urls(config, message);
    }
    if (status == LST_OK) {
        status = check_names(config, message);
    }
    if (status == LST_OK) {
        status = check_content_domains(config, message);
    }
    if (status == LST_OK) {
        status = check_origins(config, message);
    }
    if (status != LST_OK) {
        return status;
    }
    if (config->tls_certificates.count != config->tls_keys.count) {
        lst_buffer_append_string(message, "tls-cert and tls-key go together: give one key for each "
                                          "certificate, in the same order, or neither");
        return LST_ERR_MALFORMED;
    }
    if ((config->access_key[0] == '\0') != (config->secret_key[0] == '\0')) {
        lst_buffer_append_string(message, "LATCHSTRING_ACCESS_KEY and LATCHSTRING_SECRET_KEY go "
                                          "together: give both or neither");
        return LST_ERR_MALFORMED;
    }
    if (strcmp(config->log_format, "text") != 0 && strcmp(config->log_format, "json") != 0) {
        lst_buffer_append_format(message, "log-format: '%s' is neither text nor json",
                                 config->log_format);
        return LST_ERR_MALFORMED;
    }
    return LST_OK;
}
