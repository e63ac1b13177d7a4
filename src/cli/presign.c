/* presign.c - the command `latchstring presign`: its options, and what is checked before signing.
 */
#include "cli/presign.h"

#include "base/clock.h"
#include "base/slice.h"
#include "cli/command.h"

/* A role's session ends after 12 hours at the latest. */
enum { SESSION_MAX = 12 * 3600 };

bool lst_presign_split(const struct lst_usage *usage, const char *option, const char *given,
                       char separator, struct lst_field *ret_field)
{
    struct lst_slice rest = lst_slice_of(given);
    bool separated = lst_slice_find(rest, separator) < rest.length;

    (void)lst_slice_split(&rest, separator, &ret_field->name);
    ret_field->value = separator == ':' ? lst_slice_trim(rest) : rest;
    if (ret_field->name.length == 0 || (separator == ':' && !separated) ||
        !lst_slice_is_utf8(lst_slice_of(given))) {
        (void)lst_usage_error(usage, "--%s '%s' must be UTF-8 text of the form %s", option, given,
                              separator == ':' ? "'Name: value'" : "name=value");
        return false;
    }
    return true;
}

static bool check_combination(const struct lst_usage *usage,
                              const struct lst_presign_options *options)
{
    bool for_form = options->max_size != NULL || options->min_size != NULL ||
                    options->key_prefix != NULL || options->fields.count > 0 ||
                    options->starts_with.count > 0;
    bool for_url = options->method != NULL || options->headers.count > 0 ||
                   options->query.count > 0 || options->batch;

    if (for_form && !options->post) {
        (void)lst_usage_error(usage, "--max-size, --min-size, --key-prefix, --field and "
                                     "--starts-with belong to a form: add --post. A presigned PUT "
                                     "can't limit the size");
        return false;
    }
    if (for_url && options->post) {
        (void)lst_usage_error(usage, "--method, --header, --query and --batch belong to a URL: "
                                     "leave --post away");
        return false;
    }
    if (options->path_style && options->virtual_host) {
        (void)lst_usage_error(usage, "choose one of --path-style and --virtual-host");
        return false;
    }
    return true;
}

static enum lst_addressing addressing(const struct lst_presign *presign)
{
    if (presign->options->path_style) {
        return LST_ADDRESSING_PATH;
    }
    if (presign->options->virtual_host) {
        return LST_ADDRESSING_VIRTUAL_ALWAYS;
    }
    return lst_addressing_of(presign->settings.addressing_style);
}

static bool find_place(struct lst_presign *presign, const char *uri)
{
    const char *endpoint_url = presign->options->endpoint_url;
    struct lst_place_request request = {
        .uri = uri,
        .endpoint_url = endpoint_url != NULL ? endpoint_url : presign->settings.endpoint_url,
        .region = presign->settings.region,
        .addressing = addressing(presign),
    };

    return lst_place_find(presign->usage, &request, &presign->place);
}

static bool choose_times(struct lst_presign *presign)
{
    const struct lst_presign_options *options = presign->options;
    uint64_t expires = 3600;

    presign->time = lst_clock_now_ms() / 1000;
    if (options->date != NULL &&
        lst_parse_time(lst_slice_of(options->date), &presign->time) != LST_OK) {
        (void)lst_usage_error(presign->usage,
                              "--date must be a time in UTC of the form 20130524T000000Z, not '%s'",
                              options->date);
        return false;
    }
    if (options->expires_in != NULL &&
        !lst_option_duration(presign->usage, "expires-in", options->expires_in, 1, UINT32_MAX,
                             &expires)) {
        return false;
    }
    presign->expires = (int64_t)expires;
    return true;
}

/* Refuse what AWS would refuse; warn of what other stores may. Forms have no limit of their own. */
static bool check_expiry(const struct lst_presign *presign)
{
    const char *command = presign->usage->command;

    if (presign->expires <= LST_EXPIRES_MAX || presign->options->post) {
        return true;
    }
    if (presign->place.is_aws) {
        lst_report(command,
                   "AWS accepts at most %d seconds (seven days): give --expires-in %d or "
                   "less, and presign again when it has ended",
                   LST_EXPIRES_MAX, LST_EXPIRES_MAX);
        return false;
    }
    lst_report(command, "warning: most stores refuse more than %d seconds (seven days)",
               LST_EXPIRES_MAX);
    return true;
}

void lst_presign_warn(const char *command, const struct lst_credentials *credentials, int64_t time,
                      int64_t expires, const char *thing)
{
    int64_t end;

    if (credentials->session_token[0] == '\0') {
        if (strncmp(credentials->access_key_id, "ASIA", 4) == 0) {
            lst_report(command,
                       "warning: %s is a temporary key, but no session token is set: "
                       "AWS will refuse the %s. Set AWS_SESSION_TOKEN too",
                       credentials->access_key_id, thing);
        }
    } else if (!lst_credentials_expiry(credentials, &end)) {
        if (expires > SESSION_MAX) {
            lst_report(command,
                       "warning: temporary credentials sign this %s, and it ends when "
                       "they do: at most 12 hours for a role. Sign with a user's own "
                       "keys for a longer life",
                       thing);
        }
    } else if (end <= time) {
        lst_report(command,
                   "warning: the temporary credentials have expired (%s): the %s will be "
                   "refused. Get new ones first",
                   credentials->expires_at, thing);
    } else if (end < time + expires) {
        lst_report(command,
                   "warning: the %s will stop working after %lld seconds instead of "
                   "%lld, when the temporary credentials expire (%s). Sign with a user's "
                   "own keys for a longer life",
                   thing, (long long)(end - time), (long long)expires, credentials->expires_at);
    }
}

static int make_key(struct lst_presign *presign)
{
    int status =
        lst_key_init(&presign->key, lst_slice_of(presign->settings.credentials.secret),
                     presign->time, lst_slice_of(presign->settings.region), LST_SLICE("s3"));

    if (status != LST_OK) {
        lst_report(presign->usage->command,
                   "cannot sign for the time %s: give a --date between "
                   "the years 1970 and 9999",
                   presign->options->date != NULL ? presign->options->date : "of the clock");
    }
    return status;
}

static int presign_to(struct lst_presign *presign, const char *uri)
{
    if (!choose_times(presign) || !check_combination(presign->usage, presign->options)) {
        return LST_EXIT_USAGE;
    }
    if (!lst_aws_settings_load(presign->usage->command, presign->options->profile,
                               &presign->settings)) {
        return LST_EXIT_FAILED;
    }
    if (!lst_place_region(presign->usage, presign->options->region, presign->settings.region) ||
        !find_place(presign, uri)) {
        return LST_EXIT_USAGE;
    }
    if (!check_expiry(presign) || make_key(presign) != LST_OK) {
        return LST_EXIT_FAILED;
    }
    lst_presign_warn(presign->usage->command, &presign->settings.credentials, presign->time,
                     presign->expires, presign->options->post ? "form" : "URL");
    return presign->options->post ? lst_presign_form(presign) : lst_presign_urls(presign);
}

int lst_command_presign(int argument_count, char **arguments)
{
    struct lst_presign_options given = {0};
    const struct lst_option options[] = {
        {.help = "What is allowed, and for how long"},
        {"method", "METHOD", "GET (the default), PUT, HEAD, DELETE, ...", .text = &given.method},
        {"expires-in", "DURATION",
         "how long the URL is valid, such as 3600 or 2d (default: 3600; AWS: at most 604800)",
         .text = &given.expires_in},
        {"header", "'NAME: VALUE'",
         "header to sign; the client must send it with this value; may be repeated",
         .list = &given.headers},
        {"content-type", "TYPE",
         "short for --header 'Content-Type: TYPE'; for a form, the field Content-Type",
         .text = &given.content_type},
        {"query", "NAME=VALUE",
         "query parameter, such as response-content-type=image/png; may be repeated",
         .list = &given.query},
        {.help = "Endpoint and credentials"},
        {"endpoint-url", "URL", "a store other than AWS, such as http://127.0.0.1:9000",
         .text = &given.endpoint_url},
        {"region", "REGION", "region to sign for (default: the profile's, or us-east-1)",
         .text = &given.region},
        {"profile", "NAME", "profile in ~/.aws to sign with; overrides keys in the environment",
         .text = &given.profile},
        {"path-style", NULL, "https://HOST/BUCKET/KEY (the default with --endpoint-url)",
         .flag = &given.path_style},
        {"virtual-host", NULL, "https://BUCKET.HOST/KEY (the default for AWS)",
         .flag = &given.virtual_host},
        {.help = "Input and output"},
        {"batch", NULL,
         "read keys from standard input, one per line, and print a URL for each; KEY is put in "
         "front of each of them",
         .flag = &given.batch},
        {"json", NULL, "print JSON; with --batch, one line for each key", .flag = &given.json},
        {"date", "TIME", "sign for this time, such as 20130524T000000Z (default: now)",
         .text = &given.date},
        {.help = "An upload form instead of a URL"},
        {"post", NULL, "print a POST form: its fields as JSON, and a curl command that sends it",
         .flag = &given.post},
        {"max-size", "SIZE", "the largest file that may be uploaded", .text = &given.max_size},
        {"min-size", "SIZE", "the smallest file that may be uploaded", .text = &given.min_size},
        {"key-prefix", "PREFIX", "allow every key with this prefix, instead of one KEY",
         .text = &given.key_prefix},
        {"field", "NAME=VALUE", "a field that must have this value; may be repeated",
         .list = &given.fields},
        {"starts-with", "NAME=PREFIX",
         "a field whose value must begin with PREFIX, such as Content-Type=image/; may be repeated",
         .list = &given.starts_with},
    };
    const struct lst_usage usage = {
        .command = "presign",
        .synopsis = "[OPTION]... s3://BUCKET/KEY",
        .summary = "Make a presigned URL. Anyone who has it may do one thing with one object, for "
                   "a limited time. Nothing is sent to any server. Credentials come from where AWS "
                   "tools look: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, "
                   "then ~/.aws/credentials, then ~/.aws/config.",
        .examples =
            "  latchstring presign s3://photos/cat.jpg --expires-in 600\n"
            "  latchstring presign s3://photos/cat.jpg --method PUT --content-type image/jpeg\n"
            "  latchstring presign s3://photos/cat.jpg --endpoint-url http://127.0.0.1:9000\n"
            "  latchstring presign s3://photos/2026/ --batch < names > urls\n"
            "  latchstring presign s3://photos --post --key-prefix new/ --max-size 5000000\n",
        LST_OPTIONS(options),
    };
    struct lst_presign presign = {.usage = &usage, .options = &given};
    struct lst_operands operands;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 1) {
        return lst_usage_error(&usage, operands.count == 0
                                           ? "which object? Give s3://BUCKET/KEY"
                                           : "give one s3://BUCKET/KEY; for many keys of a bucket "
                                             "use --batch");
    }
    status = presign_to(&presign, operands.values[0]);
    lst_wipe(&presign, sizeof(presign));
    return status;
}
