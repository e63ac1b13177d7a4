/* config_table.c - the one table of settings: flags, environment, file, --help and defaults. */
#include "server/config.h"

#define TEXT(setting_name, setting_value, member, default_text, help_text)                         \
    {                                                                                              \
        .name = (setting_name), .value_name = (setting_value), .help = (help_text),                \
        .kind = LST_SETTING_TEXT, .preset = (default_text),                                        \
        .offset = offsetof(struct lst_config, member)                                              \
    }
#define LIST(setting_name, setting_value, member, default_text, help_text)                         \
    {                                                                                              \
        .name = (setting_name), .value_name = (setting_value), .help = (help_text),                \
        .kind = LST_SETTING_LIST, .preset = (default_text),                                        \
        .offset = offsetof(struct lst_config, member)                                              \
    }
#define QUANTITY(setting_kind, setting_name, setting_value, member, low, high, default_text,       \
                 help_text)                                                                        \
    {                                                                                              \
        .name = (setting_name), .value_name = (setting_value), .help = (help_text),                \
        .kind = (setting_kind), .minimum = (low), .maximum = (high), .preset = (default_text),     \
        .offset = offsetof(struct lst_config, member)                                              \
    }
#define NUMBER(name, member, low, high, default_text, help_text)                                   \
    QUANTITY(LST_SETTING_NUMBER, name, "N", member, low, high, default_text, help_text)
#define DURATION(name, member, low, high, default_text, help_text)                                 \
    QUANTITY(LST_SETTING_DURATION, name, "DURATION", member, low, high, default_text, help_text)
#define SIZE(name, member, low, high, default_text, help_text)                                     \
    QUANTITY(LST_SETTING_SIZE, name, "SIZE", member, low, high, default_text, help_text)
#define SWITCH(setting_name, member, help_text)                                                    \
    {                                                                                              \
        .name = (setting_name), .help = (help_text), .kind = LST_SETTING_SWITCH, .preset = "no",   \
        .offset = offsetof(struct lst_config, member)                                              \
    }

static const struct lst_setting settings[] = {
    TEXT("data", "DIR", data, "data", "where everything is kept; made if it is not there"),
    TEXT("listen", "ADDR:PORT", listen, "127.0.0.1:9000",
         "address to listen on; ':9000' is every interface, port 0 takes a free one"),
    TEXT("config", "FILE", file, NULL, "read settings from this file"),
    LIST("buckets", "NAME", buckets, NULL, "make this bucket at start, if it is not there"),
    TEXT("region", "REGION", region, NULL,
         "accept signatures for this region alone; without it for any"),
    LIST("domain", "NAME", domains, NULL,
         "virtual-host style: BUCKET.NAME means the bucket; may be repeated"),
    LIST("content-domain", "NAME", content_domains, NULL,
         "serve objects without a sandbox at this host name, which then has no API, links or "
         "console; may be repeated"),
    LIST("public-url", "URL", public_urls, NULL,
         "what clients call this server when a proxy stands before it: signatures for that host "
         "are accepted; may be repeated"),
    TEXT("tls-cert", "FILE", tls_certificate, NULL, "certificate chain (PEM): serve HTTPS"),
    TEXT("tls-key", "FILE", tls_key, NULL, "its private key (PEM)"),
    LIST("trusted-proxy", "CIDR", trusted_proxies, NULL,
         "believe X-Forwarded-For, -Proto and -Host from these addresses; may be repeated"),
    LIST("cors-origin", "ORIGIN", cors_origins, "*",
         "web origins that may use this server; '*' is any (links carry their own authority), "
         "'none' is none; may be repeated"),
    DURATION("expires-max", expires_max, 1, 315360000, "7d",
             "longest life of a presigned URL that is accepted"),
    SWITCH("allow-signature-v2", allow_signature_v2,
           "accept Signature Version 2 too, for old clients: it protects less"),
    SIZE("body-max", body_max, 1, 5368709120U, "5GiB", "largest body of one upload"),
    NUMBER("threads", threads, 0, 256, "0", "worker threads; 0 is one for each processor"),
    NUMBER("connections", connections, 1, 1000000, "4096",
           "connections at once; more are answered 503 SlowDown"),
    DURATION("idle-timeout", idle_timeout, 1, 3600, "60s",
             "close a connection on which nothing, or hardly anything, moves for so long"),
    DURATION("drain-timeout", drain_timeout, 0, 3600, "30s",
             "on SIGTERM, wait so long for running requests"),
    SIZE(
        "request-memory", request_memory, 8388608, 1099511627776U, "64MiB",
        "memory for bodies and answers that are held whole, of all requests together; those beyond "
        "it are answered 503 SlowDown"),
    NUMBER(
        "api-rate", api_rate, 0, 1000000, "100",
        "requests a second that one token may make of the API, apart from bursts; 0 is any number"),
    NUMBER(
        "anonymous-rate", anonymous_rate, 0, 1000000, "100",
        "requests a second, apart from bursts, that one address may make without a signature or a "
        "token; 0 is any number"),
    TEXT("profiles", "DIR", profiles, NULL,
         "read profiles of uploads from the NAME.json files of this folder too"),
    TEXT("access-log", "PATH", access_log, "-", "a line for each request: a file, '-', or 'off'"),
    TEXT("log-format", "FORMAT", log_format, "text", "text or json"),
    TEXT("access-key", "ID", access_key, NULL, "the root user's access key id"),
    {.name = "secret-key",
     .value_name = "SECRET",
     .help = "the root user's secret access key",
     .kind = LST_SETTING_TEXT,
     .offset = offsetof(struct lst_config, secret_key),
     .is_secret = true},
};

const struct lst_setting *lst_settings(size_t *ret_count)
{
    *ret_count = sizeof(settings) / sizeof(settings[0]);
    return settings;
}
