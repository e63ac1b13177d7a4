/* links_terms.c - how long, how often and from where a link works. */
#include "cli/links_terms.h"

#include "access/constraints.h"
#include "cli/json.h"
#include "http/disposition.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MIN = 4 };

#define EXPIRES_MAX (100ULL * 366 * 86400) /* seconds; the server has a limit of its own */

/* A limit that travels in the URL, read as the server will read it. */
static bool check_limit(const struct lst_usage *usage, const char *option, const char *constraint,
                        const char *value)
{
    struct lst_constraints constraints = {0};
    const char *problem = "";

    if (lst_constraints_read(&constraints, lst_slice_of(constraint), lst_slice_of(value),
                             &problem) == LST_OK) {
        return true;
    }
    (void)lst_usage_error(usage, "--%s '%s': %s", option, value, problem);
    return false;
}

static bool join_addresses(const struct lst_usage *usage, struct lst_links_terms *terms)
{
    size_t length = 0;

    for (size_t i = 0; i < terms->ip.count; i++) {
        int written = snprintf(terms->ip_text + length, sizeof(terms->ip_text) - length, "%s%s",
                               i == 0 ? "" : ",", terms->ip.values[i]);

        if (written < 0 || (size_t)written >= sizeof(terms->ip_text) - length) {
            (void)lst_usage_error(usage, "--ip: give %d addresses or networks at most",
                                  LST_CONSTRAINT_NETWORKS_MAX);
            return false;
        }
        length += (size_t)written;
    }
    return terms->ip.count == 0 || check_limit(usage, "ip", "ip", terms->ip_text);
}

/* ---- The password */

/* Standard input's echo is turned off while the password is typed. */
static bool type_line(char *text, size_t capacity)
{
    struct termios before;
    struct termios silent;
    bool is_terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before) == 0;
    bool is_read;

    if (is_terminal) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)fprintf(stderr, "Password for the link: ");
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    is_read = fgets(text, (int)capacity, stdin) != NULL;
    if (is_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fprintf(stderr, "\n");
    }
    return is_read;
}

static bool read_password(const struct lst_usage *usage, struct lst_links_terms *terms)
{
    size_t length;

    if (!type_line(terms->password, sizeof(terms->password))) {
        terms->password[0] = '\0';
    }
    length = strcspn(terms->password, "\r\n");
    terms->password[length] = '\0';
    if (length < PASSWORD_MIN || length > LST_LINKS_PASSWORD_MAX ||
        !lst_slice_is_utf8(lst_slice_of(terms->password))) {
        (void)lst_usage_error(usage,
                              "--password-stdin: standard input gives no password of %d to %d "
                              "bytes",
                              PASSWORD_MIN, LST_LINKS_PASSWORD_MAX);
        return false;
    }
    return true;
}

void lst_links_terms_release(struct lst_links_terms *terms)
{
    lst_wipe(terms->password, sizeof(terms->password));
}

bool lst_links_terms_check(const struct lst_usage *usage, struct lst_links_terms *terms)
{
    if (terms->expires != NULL && !lst_option_duration(usage, "expires", terms->expires, 1,
                                                       EXPIRES_MAX, &terms->expires_seconds)) {
        return false;
    }
    if (terms->max_uses != NULL && !lst_option_number(usage, "max-uses", terms->max_uses, 1,
                                                      LST_CONSTRAINT_USES_MAX, &terms->uses)) {
        return false;
    }
    if (!join_addresses(usage, terms) ||
        (terms->not_before != NULL &&
         !check_limit(usage, "not-before", "not-before", terms->not_before))) {
        return false;
    }
    if (terms->filename != NULL && !lst_filename_is_valid(lst_slice_of(terms->filename))) {
        (void)lst_usage_error(usage,
                              "--filename must be a file's name of at most %d bytes, without "
                              "slashes and control characters",
                              LST_FILENAME_MAX);
        return false;
    }
    return !terms->password_stdin || read_password(usage, terms);
}

static void add(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

json_t *lst_links_terms_request(const struct lst_links_terms *terms, const char *method,
                                struct lst_slice bucket, struct lst_slice key)
{
    json_t *request = json_pack("{s:o, s:o, s:s}", "bucket", lst_json_text(bucket), "key",
                                lst_json_text(key), "method", method);

    if (terms->expires_seconds > 0) {
        add(request, "expires", json_integer((json_int_t)terms->expires_seconds));
    }
    if (terms->uses > 0) {
        add(request, "max_uses", json_integer((json_int_t)terms->uses));
    }
    if (terms->ip_text[0] != '\0') {
        add(request, "ip", json_string(terms->ip_text));
    }
    if (terms->not_before != NULL) {
        add(request, "not_before", json_string(terms->not_before));
    }
    if (terms->filename != NULL) {
        add(request, "filename", json_string(terms->filename));
    }
    if (terms->password[0] != '\0') {
        add(request, "password", json_string(terms->password));
    }
    if (terms->is_inline) {
        add(request, "disposition", json_string("inline"));
    }
    if (terms->head) {
        add(request, "head", json_true());
    }
    return request;
}

void lst_links_terms_enforced(const struct lst_links_terms *terms,
                              char ret_names[LST_LINKS_TERMS_NAMES_MAX])
{
    const char *names[5];
    size_t count = 0;
    size_t length = 0;

    if (terms->uses > 0) {
        names[count++] = "--max-uses";
    }
    if (terms->ip.count > 0) {
        names[count++] = "--ip";
    }
    if (terms->not_before != NULL) {
        names[count++] = "--not-before";
    }
    if (terms->head) {
        names[count++] = "--head";
    }
    if (terms->password_stdin) {
        names[count++] = "--password-stdin";
    }
    ret_names[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *before = i == 0 ? "" : i + 1 == count ? " and " : ", ";

        length += (size_t)snprintf(ret_names + length, LST_LINKS_TERMS_NAMES_MAX - length, "%s%s",
                                   before, names[i]);
    }
}
