/* serve.c - `latchstring serve`: run the private store. */
#include "cli/command.h"
#include "cli/options.h"
#include "server/config.h"
#include "server/server.h"

#include <stdlib.h>
#include <unistd.h>

#define SETTINGS_MAX 48

#define LISTEN_ADVICE                                                                              \
    "address and port are one option: --listen 127.0.0.1:9001, or --listen :9001 for every "       \
    "interface"
#define KEY_ADVICE                                                                                 \
    "the root user's keys are given as LATCHSTRING_ACCESS_KEY and LATCHSTRING_SECRET_KEY, in the " \
    "environment, where other users of the machine can't read them"

/* What other servers call it. */
static const struct lst_option_elsewhere elsewhere[] = {
    {"port", LISTEN_ADVICE},
    {"p", LISTEN_ADVICE},
    {"host", LISTEN_ADVICE},
    {"bind", LISTEN_ADVICE},
    {"address", LISTEN_ADVICE},
    {"addr", LISTEN_ADVICE},
    {"secret-key", KEY_ADVICE},
    {"secret", KEY_ADVICE},
    {"password", KEY_ADVICE},
    {"dir", "the folder of the data is --data DIR"},
    {"path", "the folder of the data is --data DIR"},
    {"data-dir", "the folder of the data is --data DIR"},
    {"root", "the folder of the data is --data DIR"},
    {"d", "the folder of the data is --data DIR"},
    {"cert", "write --tls-cert FILE and --tls-key FILE"},
    {"certs-dir", "write --tls-cert FILE and --tls-key FILE"},
    {"verbose", "every request is logged already; see --access-log and --log-format"},
    {"v", "every request is logged already; see --access-log and --log-format"},
    {"debug", "every request is logged already; see --access-log and --log-format"},
    {NULL, NULL},
};

/* What the flags gave, in the order of the table of settings. */
struct given {
    const struct lst_setting *settings;
    size_t count;
    struct lst_option options[SETTINGS_MAX];
    const char *texts[SETTINGS_MAX];
    struct lst_option_list lists[SETTINGS_MAX];
    bool switches[SETTINGS_MAX];
    struct lst_buffer helps[SETTINGS_MAX];
};

/* "address to listen on; ... [127.0.0.1:9000]" */
static const char *make_help(struct lst_buffer *out, const struct lst_setting *setting)
{
    lst_buffer_init(out, 1024);
    lst_buffer_append_string(out, setting->help);
    if (setting->preset != NULL && setting->preset[0] != '\0') {
        lst_buffer_append_format(out, " [%s]", setting->preset);
    }
    lst_buffer_append_byte(out, '\0');
    return lst_buffer_status(out) == LST_OK ? out->bytes : setting->help;
}

/* A row for each setting; those that can't be flags are left out. */
static size_t make_options(struct given *given)
{
    size_t rows = 0;

    given->settings = lst_settings(&given->count);
    for (size_t i = 0; i < given->count && i < SETTINGS_MAX; i++) {
        const struct lst_setting *setting = &given->settings[i];
        struct lst_option *option = &given->options[rows];

        if (setting->is_secret) {
            continue;
        }
        option->name = setting->name;
        option->value_name = setting->value_name;
        option->help = make_help(&given->helps[i], setting);
        if (setting->kind == LST_SETTING_LIST) {
            option->list = &given->lists[i];
        } else if (setting->kind == LST_SETTING_SWITCH) {
            option->flag = &given->switches[i];
        } else {
            option->text = &given->texts[i];
        }
        rows++;
    }
    return rows;
}

static int apply_flags(const struct given *given, struct lst_config *config,
                       struct lst_buffer *message)
{
    int status = LST_OK;

    for (size_t i = 0; i < given->count && status == LST_OK; i++) {
        const struct lst_setting *setting = &given->settings[i];

        if (given->texts[i] != NULL) {
            status = lst_config_set(config, setting, given->texts[i], LST_CONFIG_FLAG, message);
        }
        if (given->switches[i]) {
            status = lst_config_set(config, setting, "yes", LST_CONFIG_FLAG, message);
        }
        for (size_t value = 0; value < given->lists[i].count && status == LST_OK; value++) {
            status = lst_config_set(config, setting, given->lists[i].values[value], LST_CONFIG_FLAG,
                                    message);
        }
    }
    return status;
}

/* The file last: its name may come from a flag or from the environment, and it is the weakest. */
static int read_all(const struct given *given, struct lst_config *config,
                    struct lst_buffer *message)
{
    int status = apply_flags(given, config, message);

    if (status == LST_OK) {
        status = lst_config_read_environment(config, environ, message);
    }
    if (status == LST_OK && config->file[0] != '\0') {
        status = lst_config_read_file(config, config->file, message);
    }
    if (status == LST_OK) {
        status = lst_config_check(config, message);
    }
    return status;
}

static int serve(const struct given *given, const struct lst_usage *usage)
{
    struct lst_buffer message;
    struct lst_config config;
    int result;
    int status = lst_config_init(&config);

    if (status != LST_OK) {
        lst_report(usage->command, "%s", lst_error_text(status));
        return LST_EXIT_FAILED;
    }
    lst_buffer_init(&message, LST_CONFIG_MESSAGE_MAX);
    status = read_all(given, &config, &message);
    if (status == LST_OK) {
        result = lst_server_run(&config) == 0 ? LST_EXIT_OK : LST_EXIT_FAILED;
    } else if (message.length > 0) {
        result = lst_usage_error(usage, "%.*s", (int)message.length, message.bytes);
    } else {
        lst_report(usage->command, "%s", lst_error_text(status));
        result = LST_EXIT_FAILED;
    }
    lst_buffer_release(&message);
    lst_config_release(&config);
    return result;
}

static int refuse_operand(const struct lst_usage *usage, const char *operand)
{
    bool is_address = strspn(operand, "0123456789") > 0 || strchr(":[", operand[0]) != NULL;

    return lst_usage_error(
        usage,
        is_address ? "unexpected '%s'; did you mean '--listen %s%s'?"
                   : "unexpected '%s'; did you mean '--data %s%s'?",
        operand, is_address && strpbrk(operand, ":.") == NULL ? "127.0.0.1:" : "", operand);
}

int lst_command_serve(int argument_count, char **arguments)
{
    struct given *given = calloc(1, sizeof(*given));
    struct lst_usage usage = {
        .command = "serve",
        .synopsis = "[OPTION]...",
        .elsewhere = elsewhere,
        .summary =
            "Run the private store. Every option can also be set as an environment variable "
            "(LATCHSTRING_TRUSTED_PROXY for --trusted-proxy) or in the configuration file "
            "(trusted-proxy = ...). A flag overrides a variable, and a variable overrides the "
            "file. Set the root user's secret as LATCHSTRING_SECRET_KEY; there is no flag for it.",
        .examples = "  latchstring serve\n"
                    "  LATCHSTRING_BUCKETS=photos latchstring serve --data /srv/latchstring\n"
                    "  latchstring serve --listen :443 --tls-cert chain.pem --tls-key key.pem\n"
                    "  latchstring serve --config /etc/latchstring.conf\n",
    };
    struct lst_operands operands;
    int status;

    if (given == NULL) {
        lst_report(usage.command, "out of memory");
        return LST_EXIT_FAILED;
    }
    usage.options = given->options;
    usage.option_count = make_options(given);
    if (lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        status =
            operands.count == 0 ? serve(given, &usage) : refuse_operand(&usage, operands.values[0]);
    }
    for (size_t i = 0; i < SETTINGS_MAX; i++) {
        lst_buffer_release(&given->helps[i]);
    }
    free(given);
    return status;
}
