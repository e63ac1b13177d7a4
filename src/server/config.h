/*
 * config.h - the settings of `latchstring serve`, from one table.
 *
 * Every setting has one name, "trusted-proxy". It can be given as
 *   a flag                  --trusted-proxy 10.0.0.0/8
 *   an environment variable LATCHSTRING_TRUSTED_PROXY=10.0.0.0/8
 *   a line of the file      trusted-proxy = 10.0.0.0/8       (--config FILE)
 * and the first of these that gives it wins. A list may be repeated, or be separated by commas; one
 * source replaces the whole list of another. Secrets can't be flags, because every process can read
 * the arguments of every other.
 */
#ifndef LST_SERVER_CONFIG_H
#define LST_SERVER_CONFIG_H

#include "base/buffer.h"
#include "base/error.h"

#define LST_CONFIG_LIST_MAX    64          /* values of one list */
#define LST_CONFIG_TEXT_MAX    4096        /* bytes of one value */
#define LST_CONFIG_FILE_MAX    (64 * 1024) /* bytes of the file */
#define LST_CONFIG_MESSAGE_MAX 1024        /* bytes of an error message */

struct lst_config_list {
    struct lst_slice values[LST_CONFIG_LIST_MAX]; /* each ends in NUL as well */
    size_t count;
};

/* All settings. Strings are owned and never NULL; an empty one is not given. */
struct lst_config {
    char *data;
    char *listen;
    char *region;
    struct lst_config_list domains;
    struct lst_config_list content_domains;
    struct lst_config_list public_urls;
    struct lst_config_list buckets;
    char *access_key;
    char *secret_key;
    struct lst_config_list tls_certificates;
    struct lst_config_list tls_keys; /* one for each certificate */
    struct lst_config_list trusted_proxies;
    struct lst_config_list cors_origins;
    uint64_t expires_max;    /* seconds */
    uint64_t body_max;       /* bytes */
    uint64_t threads;        /* 0: one for each processor */
    uint64_t connections;    /* at once */
    uint64_t idle_timeout;   /* seconds */
    uint64_t drain_timeout;  /* seconds */
    uint64_t request_memory; /* bytes */
    uint64_t scrub_rate;     /* bytes a second; 0: no scrubbing */
    uint64_t api_rate;       /* requests a second of one token; 0: any number */
    uint64_t anonymous_rate; /* unsigned requests a second of one address; 0: any number */
    bool allow_signature_v2;
    char *profiles;
    char *access_log;
    char *log_format;
    char *file;

    uint8_t *sources; /* of each row of the table: who has given it. Private */
};

enum lst_config_source {
    LST_CONFIG_DEFAULT = 0,
    LST_CONFIG_FILE = 1,
    LST_CONFIG_ENVIRONMENT = 2,
    LST_CONFIG_FLAG = 3,
};

enum lst_setting_kind {
    LST_SETTING_TEXT,
    LST_SETTING_NUMBER,
    LST_SETTING_DURATION, /* seconds, as base/quantity.h reads them */
    LST_SETTING_SIZE,     /* bytes, likewise */
    LST_SETTING_LIST,
    LST_SETTING_SWITCH, /* yes or no; as a flag it needs no value */
};

/* One row of the table. */
struct lst_setting {
    const char *name;       /* "trusted-proxy" */
    const char *value_name; /* "CIDR", as --help shows it; NULL of a switch */
    const char *help;
    enum lst_setting_kind kind;
    bool is_secret;     /* not a flag, and wiped */
    const char *preset; /* the default as it would be typed; NULL if there is none */
    uint64_t minimum;   /* of a number, a duration or a size */
    uint64_t maximum;
    size_t offset; /* of its member in struct lst_config */
};

/* The table, in the order in which --help shows it. */
const struct lst_setting *lst_settings(size_t *ret_count);

/* Set everything to its default. LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_config_init(struct lst_config *config);
void lst_config_release(struct lst_config *config);

/*
 * Take one value. It is ignored when a stronger source has given the setting. LST_ERR_MALFORMED:
 * message then says what is wrong and what would be right.
 */
LST_MUST_CHECK int lst_config_set(struct lst_config *config, const struct lst_setting *setting,
                                  const char *value, enum lst_config_source source,
                                  struct lst_buffer *message);

/* Take every LATCHSTRING_... variable of the environment; an unknown one is an error, because it
 * would be ignored silently. The message names settings that are similar. */
LST_MUST_CHECK int lst_config_read_environment(struct lst_config *config, char *const *environment,
                                               struct lst_buffer *message);

/* Take a file of `name = value` lines (settings_file.h). */
LST_MUST_CHECK int lst_config_read_file(struct lst_config *config, const char *path,
                                        struct lst_buffer *message);

/* Is it all together possible? Call it when every source was read. */
LST_MUST_CHECK int lst_config_check(const struct lst_config *config, struct lst_buffer *message);

#endif
