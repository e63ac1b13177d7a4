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
    TEXT("data", "DIR", data, "data", "data directory; created if it does not exist"),
    TEXT(
        "listen", "ADDR:PORT", listen, "127.0.0.1:9000",
        "address and port to listen on; '9000' means 127.0.0.1:9000, ':9000' every interface, port "
        "0 any free port"),
    TEXT("config", "FILE", file, NULL, "read settings from this file"),
    LIST("buckets", "NAME", buckets, NULL,
         "create this bucket at start if it does not exist; may be repeated"),
    TEXT("region", "REGION", region, NULL,
         "accept only signatures for this region; without it, for any region"),
    LIST("domain", "NAME", domains, NULL,
         "accept virtual-host style requests to BUCKET.NAME; may be repeated"),
    LIST("content-domain", "NAME", content_domains, NULL,
         "serve objects without a sandbox at this host name, which then has no API and no "
         "links; may be repeated"),
    LIST("public-url", "URL", public_urls, NULL,
         "URL that clients use if a proxy is in front: signatures for its host are accepted; may "
         "be repeated"),
    LIST("tls-cert", "FILE", tls_certificates, NULL,
         "certificate chain (PEM): serve HTTPS; may be repeated: clients get the one for the name "
         "that they ask for"),
    LIST("tls-key", "FILE", tls_keys, NULL,
         "private key of the certificate (PEM); one per certificate, in the same order"),
    LIST("trusted-proxy", "CIDR", trusted_proxies, NULL,
         "trust X-Forwarded-For, -Proto and -Host from these addresses; may be repeated"),
    LIST("cors-origin", "ORIGIN", cors_origins, "*",
         "web origin that may use this server; '*' allows every origin (a URL is its own "
         "authorization), 'none' allows none; may be repeated"),
    DURATION("expires-max", expires_max, 1, 315360000, "7d",
             "longest lifetime of an accepted presigned URL"),
    SWITCH("allow-signature-v2", allow_signature_v2,
           "also accept Signature Version 2, for old clients; it is less secure"),
    SIZE("body-max", body_max, 1, 5368709120U, "5GiB", "largest body of one upload"),
    NUMBER("threads", threads, 0, 256, "0", "worker threads; 0 means one per processor"),
    NUMBER("connections", connections, 1, 1000000, "4096",
           "maximum number of connections; further ones get 503 SlowDown"),
    DURATION("idle-timeout", idle_timeout, 1, 3600, "60s",
             "close a connection after this time with little or no traffic"),
    DURATION("drain-timeout", drain_timeout, 0, 3600, "30s",
             "on SIGTERM or Ctrl-C, wait at most this long for running requests"),
    SIZE("request-memory", request_memory, 8388608, 1099511627776U, "64MiB",
         "memory for bodies and answers that are held whole, for all requests together; requests "
         "beyond it get 503 SlowDown"),
    SIZE(
        "scrub-rate", scrub_rate, 0, 1099511627776U, "1MiB",
        "bytes per second that the scrubber reads, to find stored data that has rotted; 0 turns it "
        "off"),
    NUMBER(
        "api-rate", api_rate, 0, 1000000, "100",
        "API requests per second for each token, with bursts of twice as many; 0 means no limit"),
    NUMBER("anonymous-rate", anonymous_rate, 0, 1000000, "100",
           "requests per second from each address without a signature or a token, with bursts of "
           "twice as many; 0 means no limit"),
    TEXT("profiles", "DIR", profiles, NULL,
         "also read upload profiles from the NAME.json files in this directory"),
    TEXT("access-log", "PATH", access_log, "-", "a line for each request: a file, '-', or 'off'"),
    TEXT("log-format", "FORMAT", log_format, "text", "text or json"),
    TEXT("access-key", "ID", access_key, NULL, "access key ID of the root user"),
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
