/* config_test.c - settings: one table, three sources, and what is said about mistakes. */
#include "server/config.h"

#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

static const struct lst_setting *setting(const char *name)
{
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return &settings[i];
        }
    }
    CHECK(false, "there is a setting '%s'", name);
    return &settings[0];
}

static bool says(const struct lst_buffer *message, const char *part)
{
    return message->length > 0 &&
           memmem(message->bytes, message->length, part, strlen(part)) != NULL;
}

static void test_defaults(void)
{
    struct lst_config config;

    if (!CHECK(lst_config_init(&config) == LST_OK, "the defaults are valid")) {
        return;
    }
    CHECK(strcmp(config.listen, "127.0.0.1:9000") == 0, "listens on 127.0.0.1:9000");
    CHECK(strcmp(config.data, "data") == 0, "keeps its data in ./data");
    CHECK(config.region[0] == '\0', "takes any region");
    CHECK(config.expires_max == 604800, "takes links of seven days");
    CHECK(!config.allow_signature_v2, "takes no Signature Version 2");
    CHECK(config.cors_origins.count == 1 && config.cors_origins.values[0].bytes[0] == '*',
          "is open to every web origin");
    lst_config_release(&config);
}

static void test_precedence(void)
{
    char *const environment[] = {(char[]){"PATH=/bin"}, (char[]){"LATCHSTRING_LISTEN=:1"},
                                 (char[]){"LATCHSTRING_REGION=of-environment"},
                                 (char[]){"LATCHSTRING_DOMAIN=c.example,d.example"}, NULL};
    char path[] = "/tmp/latchstring-config-XXXXXX";
    static const char text[] = "# comment\nlisten = :2\nregion=of-file\nthreads = 3\n"
                               "domain = a.example, b.example\ndomain = e.example\n"
                               "trusted-proxy = 10.0.0.0/8\ntrusted-proxy = fd00::/8\n";
    int file = mkstemp(path);
    struct lst_buffer message;
    struct lst_config config;

    lst_buffer_init(&message, LST_CONFIG_MESSAGE_MAX);
    if (file < 0 || write(file, text, sizeof(text) - 1) < 0 || lst_config_init(&config) != LST_OK) {
        CHECK(false, "the test can be set up");
        return;
    }
    CHECK(lst_config_set(&config, setting("listen"), ":0", LST_CONFIG_FLAG, &message) == LST_OK &&
              lst_config_read_environment(&config, environment, &message) == LST_OK &&
              lst_config_read_file(&config, path, &message) == LST_OK &&
              lst_config_check(&config, &message) == LST_OK,
          "a flag, variables and a file are read");
    CHECK(strcmp(config.listen, ":0") == 0, "a flag wins over a variable and the file");
    CHECK(strcmp(config.region, "of-environment") == 0, "a variable wins over the file");
    CHECK(config.threads == 3, "the file wins over the default");
    CHECK(config.domains.count == 2 && strcmp(config.domains.values[1].bytes, "d.example") == 0,
          "a variable's list replaces the file's");
    CHECK(config.trusted_proxies.count == 2, "lines of the file add up to a list");
    lst_config_release(&config);
    lst_buffer_release(&message);
    close(file);
    (void)unlink(path);
}

static void check_file(const char *text, const char *part)
{
    char path[] = "/tmp/latchstring-config-XXXXXX";
    int file = mkstemp(path);
    struct lst_buffer message;
    struct lst_config config;
    int status;

    lst_buffer_init(&message, LST_CONFIG_MESSAGE_MAX);
    if (file < 0 || write(file, text, strlen(text)) < 0 || lst_config_init(&config) != LST_OK) {
        CHECK(false, "the test can be set up");
        return;
    }
    status = lst_config_read_file(&config, path, &message);
    CHECK(status != LST_OK && says(&message, part), "a wrong file is refused: %.*s",
          (int)message.length, message.bytes);
    lst_config_release(&config);
    lst_buffer_release(&message);
    close(file);
    (void)unlink(path);
}

static void check_refused(const char *name, const char *value, const char *part)
{
    struct lst_buffer message;
    struct lst_config config;
    int status;

    lst_buffer_init(&message, LST_CONFIG_MESSAGE_MAX);
    if (lst_config_init(&config) != LST_OK) {
        CHECK(false, "the test can be set up");
        return;
    }
    status = lst_config_set(&config, setting(name), value, LST_CONFIG_FLAG, &message);
    if (status == LST_OK) {
        status = lst_config_check(&config, &message);
    }
    CHECK(status == LST_ERR_MALFORMED && says(&message, part), "%s=%s is refused: %.*s", name,
          value, (int)message.length, message.bytes);
    lst_config_release(&config);
    lst_buffer_release(&message);
}

static void test_two_mistakes(void)
{
    struct lst_buffer message;
    struct lst_config config;

    lst_buffer_init(&message, LST_CONFIG_MESSAGE_MAX);
    if (lst_config_init(&config) != LST_OK) {
        CHECK(false, "the test can be set up");
        return;
    }
    CHECK(lst_config_set(&config, setting("data"), "", LST_CONFIG_FLAG, &message) == LST_OK &&
              lst_config_set(&config, setting("listen"), "x", LST_CONFIG_FLAG, &message) == LST_OK,
          "both are taken");
    CHECK(lst_config_check(&config, &message) == LST_ERR_MALFORMED &&
              says(&message, "data:") != says(&message, "listen:"),
          "of two mistakes one is told: %.*s", (int)message.length, message.bytes);
    lst_config_release(&config);
    lst_buffer_release(&message);
}

static void test_mistakes(void)
{
    char *const unknown[] = {(char[]){"LATCHSTRING_LISTNE=:1"}, NULL};
    struct lst_buffer message;
    struct lst_config config;

    check_file("listen=:1\nlistne = :2\n", "line 2");
    check_file("listne = :2\n", "is it listen?");
    check_file("trusted_proxys = 10.0.0.1\n", "is it trusted-proxy?");
    check_file("zzzzzzzzzz = 1\n", "'zzzzzzzzzz'. `latchstring serve --help`");
    check_file("[section]\nlisten = :2\n", "remove [section] above");
    check_file("threads = many\n", "many");
    check_file("just words\n", "name = value");
    check_refused("threads", "257", "256");
    check_refused("threads", "-1", "-1");
    check_refused("listen", "nowhere", "127.0.0.1:9000");
    check_refused("trusted-proxy", "10.0.0.0/33", "10.0.0.0/8");
    check_refused("public-url", "files.example.com", "https://");
    check_refused("public-url", "https://files.example.com/path", "path");
    check_refused("public-url", "https://", "https://");
    check_refused("region", "eu west", "eu-west-1");
    check_refused("domain", "s3.example.com:9000", "port");
    check_refused("content-domain", "https://files.example.com", "without scheme");
    check_refused("content-domain", "127.0.0.1", "listen");
    check_refused("cors-origin", "app.example.com", "https://");
    check_refused("cors-origin", "https://app.example.com/", "https://");
    check_refused("log-format", "xml", "json");
    check_refused("tls-cert", "cert.pem", "tls-key");
    check_refused("access-key", "AKIA", "LATCHSTRING_SECRET_KEY");
    lst_buffer_init(&message, LST_CONFIG_MESSAGE_MAX);
    if (lst_config_init(&config) == LST_OK) {
        CHECK(lst_config_read_environment(&config, unknown, &message) == LST_ERR_MALFORMED &&
                  says(&message, "LATCHSTRING_LISTNE"),
              "a misspelt variable is not ignored: %.*s", (int)message.length, message.bytes);
        lst_config_release(&config);
    }
    lst_buffer_release(&message);
}

int main(void)
{
    test_defaults();
    test_precedence();
    test_mistakes();
    test_two_mistakes();
    CHECK(setting("secret-key")->is_secret, "the secret can't be a flag");
    return tap_done();
}
