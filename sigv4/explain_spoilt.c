/*
 * explain_spoilt.c - what a URL goes through between its signer and the server: encoded again,
 * copied out of HTML or JSON, a full stop glued to it, its case changed, cut short.
 *
 * Each way is undone in turn. Where the secret is at hand, what is undone must verify; where the
 * request does not even parse, it must parse.
 */
#include "claims.h"
#include "explain.h"
#include "query.h"
#include "signed_headers.h"

/* Undo one way in a target. Empty: it shows no sign of it, or there is no room. */
typedef struct lst_slice undoing(struct lst_slice target, char *out, size_t capacity);

struct way {
    enum lst_near_miss miss;
    undoing *undo;
    const char *pattern; /* as lst_internal_search_found() has it; its value: what arrived */
};

/* The text with every `from` as `to`; empty if there is none, or no room. */
static struct lst_slice rewrite(struct lst_slice text, struct lst_slice from, struct lst_slice to,
                                struct lst_internal_writer *writer)
{
    bool changed = false;

    while (text.length > 0) {
        if (lst_internal_starts_with(text, from)) {
            lst_internal_put(writer, to);
            text = lst_internal_skip(text, from.length);
            changed = true;
        } else {
            lst_internal_put_char(writer, text.bytes[0]);
            text = lst_internal_skip(text, 1);
        }
    }
    return (struct lst_slice){writer->out, changed && !writer->overflow ? writer->length : 0};
}

/* How much of a target is its path. */
static size_t path_length(struct lst_slice target)
{
    return lst_internal_find(target, '?');
}

/* The length of an escape at the front that stands for white space, or of such a byte; 0: none. */
static size_t blank_length(struct lst_slice text, bool also_spaces)
{
    struct lst_slice rest = text;
    size_t size = text.length >= 3 && text.bytes[0] == '%' ? 3 : 1;
    unsigned char byte = text.bytes[0] == '+'
                             ? ' '
                             : (unsigned char)lst_internal_next_byte(&rest, LST_INTERNAL_WIRE);

    return byte == '\r' || byte == '\n' || byte == '\t' || (also_spaces && byte == ' ') ? size : 0;
}

/*
 * Line ends anywhere, and spaces in the parameters of the signature, which never have any. Mail
 * writes a line end as "=" and the line end; the first "=" of a parameter is its own.
 */
static struct lst_slice undo_wrapped(struct lst_slice target, char *out, size_t capacity)
{
    static const struct lst_slice claim = {"X-Amz-", 6};
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    size_t path = path_length(target);
    bool in_claim = false;
    bool in_value = true;

    for (size_t i = 0; i < target.length;) {
        struct lst_slice rest = lst_internal_skip(target, i);
        size_t blank = blank_length(rest, in_claim);

        if (rest.bytes[0] == '=' && in_value && rest.length > 1 &&
            blank_length(lst_internal_skip(rest, 1), false) > 0) {
            blank = 1;
        }
        if (blank == 0) {
            lst_internal_put_char(&writer, rest.bytes[0]);
            in_value = in_value || rest.bytes[0] == '=';
        }
        if (i >= path && (rest.bytes[0] == '?' || rest.bytes[0] == '&')) {
            in_claim = lst_internal_starts_with(lst_internal_skip(rest, 1), claim);
            in_value = false;
        }
        i += blank > 0 ? blank : 1;
    }
    return (struct lst_slice){out, writer.length < target.length && !writer.overflow ? writer.length
                                                                                     : 0};
}

/* The source of a mail (RFC 2045, section 6.7). */
static struct lst_slice undo_quoted_printable(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    return rewrite(target, LST_SLICE("=3D"), LST_SLICE("="), &writer);
}

static struct lst_slice undo_html(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    return rewrite(target, LST_SLICE("&amp;"), LST_SLICE("&"), &writer);
}

static struct lst_slice undo_json(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_slice undone = rewrite(target, LST_SLICE("\\u0026"), LST_SLICE("&"), &writer);

    if (undone.length > 0) {
        return undone;
    }
    writer = lst_internal_writer_to(out, capacity);
    return rewrite(target, LST_SLICE("%5Cu0026"), LST_SLICE("&"), &writer);
}

static struct lst_slice undo_encoded_path(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_slice undone = rewrite(lst_internal_first(target, path_length(target)),
                                      LST_SLICE("%25"), LST_SLICE("%"), &writer);

    lst_internal_put(&writer, lst_internal_skip(target, path_length(target)));
    undone.length = undone.length > 0 && !writer.overflow ? writer.length : 0;
    return undone;
}

static struct lst_slice undo_encoded_query(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    lst_internal_put(&writer, lst_internal_first(target, path_length(target)));
    return rewrite(lst_internal_skip(target, path_length(target)), LST_SLICE("%25"), LST_SLICE("%"),
                   &writer);
}

/* Both of them show it. */
static struct lst_slice undo_encoded_all(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_slice path = lst_internal_first(target, path_length(target));
    struct lst_slice undone = rewrite(path, LST_SLICE("%25"), LST_SLICE("%"), &writer);

    if (undone.length == 0) {
        return undone;
    }
    return rewrite(lst_internal_skip(target, path.length), LST_SLICE("%25"), LST_SLICE("%"),
                   &writer);
}

/* The whole query was encoded, '&' and '=' too: it has none of them left. */
static struct lst_slice undo_encoded_signs(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_slice query = lst_internal_skip(target, path_length(target));

    if (lst_internal_find(query, '=') < query.length) {
        return (struct lst_slice){NULL, 0};
    }
    lst_internal_put(&writer, lst_internal_first(target, path_length(target)));
    lst_internal_put_decoded(&writer, query, LST_INTERNAL_WIRE);
    return (struct lst_slice){out, writer.overflow ? 0 : writer.length};
}

/* So was the '?' before it, so that all of it is the path. */
static struct lst_slice undo_encoded_mark(struct lst_slice target, char *out, size_t capacity)
{
    static const struct lst_slice mark = {"%3FX-Amz-", 9};
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    for (size_t i = 0; i + mark.length < target.length; i++) {
        struct lst_slice rest = lst_internal_skip(target, i);

        if (lst_internal_equal_ignoring_case(lst_internal_first(rest, mark.length), mark)) {
            lst_internal_put(&writer, lst_internal_first(target, i));
            lst_internal_put_decoded(&writer, rest, LST_INTERNAL_WIRE);
            return (struct lst_slice){out, writer.overflow ? 0 : writer.length};
        }
    }
    return (struct lst_slice){NULL, 0};
}

/* The parameter X-Amz-Signature of a target, as it stands there; bytes is NULL if it has none. */
static struct lst_slice signature_in(struct lst_slice target)
{
    static const struct lst_slice name = {"X-Amz-Signature=", 16};

    for (size_t i = path_length(target) + 1; i < target.length; i++) {
        struct lst_slice rest = lst_internal_skip(target, i);

        if (lst_internal_starts_with(rest, name) &&
            (target.bytes[i - 1] == '&' || target.bytes[i - 1] == '?')) {
            rest = lst_internal_skip(rest, name.length);
            return lst_internal_first(rest, lst_internal_find(rest, '&'));
        }
    }
    return (struct lst_slice){NULL, 0};
}

static size_t hex_run(struct lst_slice text)
{
    size_t length = 0;

    while (length < text.length && lst_internal_hex_digit(text.bytes[length]) >= 0) {
        length++;
    }
    return length;
}

/* Punctuation that a sentence puts after a URL, white space, quotes and brackets. */
static bool is_glue(unsigned char byte)
{
    return byte <= ' ' || byte >= 0x7f || strchr(".,;:!?'\"`)]}>*_\\|", byte) != NULL;
}

/* Where the glue at the end of a target begins. */
static size_t glue_at(struct lst_slice target)
{
    size_t end = target.length;
    bool more = true;

    while (more && end > 0) {
        size_t size = end >= 3 && target.bytes[end - 3] == '%' ? 3 : 1;
        struct lst_slice last = {target.bytes + end - size, size};

        more = is_glue(lst_internal_next_byte(&last, LST_INTERNAL_WIRE));
        end -= more ? size : 0;
    }
    return end;
}

/* After a signature of full length; else at the end of the target. */
static struct lst_slice undo_glued(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_slice signature = signature_in(target);
    size_t end = glue_at(target);

    if (signature.bytes != NULL && signature.length > LST_SIGNATURE_LENGTH &&
        signature.bytes + signature.length == target.bytes + target.length &&
        hex_run(signature) == LST_SIGNATURE_LENGTH) {
        end = target.length - signature.length + LST_SIGNATURE_LENGTH;
    }
    if (end == target.length || end > capacity) {
        return (struct lst_slice){NULL, 0};
    }
    memcpy(out, target.bytes, end);
    return (struct lst_slice){out, end};
}

/* The signature in capitals. */
static struct lst_slice undo_upper_case(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    struct lst_slice signature = signature_in(target);

    if (signature.length != LST_SIGNATURE_LENGTH || hex_run(signature) != signature.length ||
        lst_internal_is_signature(signature)) {
        return (struct lst_slice){NULL, 0};
    }
    lst_internal_put(&writer, lst_internal_first(target, (size_t)(signature.bytes - target.bytes)));
    lst_internal_put_lower(&writer, signature);
    lst_internal_put(&writer, lst_internal_skip(target, writer.length));
    return (struct lst_slice){out, writer.overflow ? 0 : writer.length};
}

static void put_upper(struct lst_internal_writer *writer, struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];

        lst_internal_put_char(writer, (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte));
    }
}

/* A parameter of the signature as it was before its capitals were lost; the access key id stays. */
static void put_restored(struct lst_internal_writer *writer,
                         const struct lst_internal_parameter *parameter)
{
    for (unsigned i = 0; i <= LST_INTERNAL_CLAIM_CONTENT_SHA256; i++) {
        struct lst_slice name = lst_internal_parameter_name(i);

        if (lst_internal_equal_ignoring_case(parameter->name, name)) {
            lst_internal_put(writer, name);
            lst_internal_put_char(writer, '=');
            if (i == LST_INTERNAL_CLAIM_ALGORITHM || i == LST_INTERNAL_CLAIM_DATE) {
                put_upper(writer, parameter->value);
            } else {
                lst_internal_put(writer, parameter->value);
            }
            return;
        }
    }
    lst_internal_put(writer, parameter->text);
}

/* All of it in lower case. */
static struct lst_slice undo_lower_case(struct lst_slice target, char *out, size_t capacity)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    size_t path = path_length(target);
    size_t count = 0;

    for (size_t i = 0; i < target.length; i++) {
        if (target.bytes[i] >= 'A' && target.bytes[i] <= 'Z') {
            return (struct lst_slice){NULL, 0};
        }
    }
    if (path == target.length || lst_internal_split_query(lst_internal_skip(target, path + 1),
                                                          parameters, &count) != LST_OK) {
        return (struct lst_slice){NULL, 0};
    }
    lst_internal_put(&writer, lst_internal_first(target, path + 1));
    for (size_t i = 0; i < count; i++) {
        put_restored(&writer, &parameters[i]);
        lst_internal_put_char(&writer, '&');
    }
    return (struct lst_slice){out, writer.overflow ? 0 : writer.length};
}

#define ENCODED_AGAIN                                                                              \
    "percent-encoded once more after it was signed, as # shows: pass it on as it is, and keep "    \
    "clients and proxies from encoding it again."

static const struct way ways[] = {
    {LST_MISS_COPIED, undo_html,
     "The @ has '&amp;' for '&', as HTML writes it: replace each '&amp;' by '&', or copy the link "
     "itself instead of the page's source."},
    {LST_MISS_COPIED, undo_json,
     "The @ has '\\u0026' for '&', as JSON may write it: replace each by '&', or read the JSON "
     "with a parser."},
    {LST_MISS_COPIED, undo_quoted_printable,
     "The @ has '=3D' for '=', as the source of a mail writes it: replace each '=3D' by '=', or "
     "copy the link from the mail as it is shown."},
    {LST_MISS_ENCODED_AGAIN, undo_encoded_path, "The @'s path was " ENCODED_AGAIN},
    {LST_MISS_ENCODED_AGAIN, undo_encoded_all, "The whole @ was " ENCODED_AGAIN},
    {LST_MISS_ENCODED_AGAIN, undo_encoded_query, "The @'s query was " ENCODED_AGAIN},
    {LST_MISS_ENCODED_AGAIN, undo_encoded_signs,
     "The @'s query was percent-encoded as a whole after it was signed, '&' and '=' too: pass it "
     "on as it is."},
    {LST_MISS_ENCODED_AGAIN, undo_encoded_mark,
     "The @ was percent-encoded as a whole after it was signed, so that its '?' arrived as '%3F': "
     "pass it on as it is."},
    {LST_MISS_GLUED, undo_glued,
     "# was glued to the end of the @ after it was signed, as chat and mail programs do with a "
     "full stop or a bracket: take it away."},
    {LST_MISS_WRAPPED, undo_wrapped,
     "White space stands in the middle of the @, where a line was wrapped: join the lines again "
     "without it, or copy the link itself."},
    {LST_MISS_CASE, undo_upper_case,
     "The @'s signature arrived in capitals: upper and lower case count, so pass the @ on as it "
     "was made."},
    {LST_MISS_CASE, undo_lower_case,
     "The @ was put into lower case after it was signed: upper and lower case count, so pass it "
     "on as it was made."},
};
enum { WAY_COUNT = sizeof(ways) / sizeof(ways[0]) };

/* The first escape of an escape in what was undone, with a little of what follows. */
static struct lst_slice first_escaped(struct lst_slice text)
{
    static const struct lst_slice percent = {"%25", 3};
    size_t i = 0;

    while (i < text.length && !lst_internal_starts_with(lst_internal_skip(text, i), percent)) {
        i++;
    }
    text = lst_internal_skip(text, i);
    return lst_internal_first(text, text.length < 5 ? text.length : 5);
}

/* What a way's sentence shows of a target that arrived. */
static struct lst_slice evidence(const struct way *way, struct lst_slice arrived,
                                 struct lst_slice undone)
{
    if (way->undo == undo_glued) {
        return lst_internal_skip(arrived, undone.length);
    }
    return first_escaped(way->undo == undo_encoded_query
                             ? lst_internal_skip(arrived, path_length(arrived))
                             : arrived);
}

static bool found_way(struct lst_internal_search *search, const struct way *way,
                      struct lst_slice undone)
{
    struct lst_slice shown = evidence(way, search->request->target, undone);

    return lst_internal_search_found(search, way->miss, way->pattern, &shown);
}

/* With the signature as it was, too: a way may have changed that alone. */
static bool fits_undone(struct lst_internal_search *search, struct lst_slice undone)
{
    const struct lst_auth *arrived = search->auth;
    struct lst_auth claims = *arrived;
    struct lst_slice signature = signature_in(undone);
    bool fits;

    if (claims.kind == LST_AUTH_QUERY && signature.bytes != NULL) {
        claims.signature = signature;
    }
    search->auth = &claims;
    fits = lst_internal_search_fits_target(search, undone, NULL);
    search->auth = arrived;
    return fits;
}

/*
 * Some of its digits are there. Whether they are the first of the right ones is not said: who may
 * ask that could find the signature out digit by digit.
 */
static bool explain_short_signature(struct lst_internal_search *search)
{
    struct lst_slice signature = signature_in(search->request->target);

    return search->auth->kind == LST_AUTH_QUERY && signature.bytes != NULL &&
           signature.length < LST_SIGNATURE_LENGTH && hex_run(signature) == signature.length &&
           lst_internal_search_found(
               search, LST_MISS_CUT_SHORT,
               "The @ was cut short: its signature has fewer than 64 hexadecimal digits. Copy the "
               "whole @ again; a line end or a limit of length may have cut it.",
               NULL);
}

bool lst_internal_explain_spoilt(struct lst_internal_search *search)
{
    struct lst_slice target = search->request->target;

    for (size_t i = 0; i < WAY_COUNT; i++) {
        struct lst_slice undone = ways[i].undo(target, search->scratch, sizeof(search->scratch));

        if (undone.length > 0 && fits_undone(search, undone)) {
            return found_way(search, &ways[i], undone);
        }
    }
    return explain_short_signature(search);
}

/* Does the request parse with that target, but for its time and what a server may decide? */
static bool parses(const struct lst_request *request, const struct lst_rules *rules, int64_t now,
                   struct lst_slice target)
{
    struct lst_request other = *request;
    struct lst_auth auth;
    int code;

    if (target.length > LST_TARGET_MAX) {
        return false;
    }
    other.target = target;
    code = lst_parse(&other, rules, now, &auth);
    return auth.kind == LST_AUTH_QUERY && lst_internal_is_signature(auth.signature) &&
           (code == LST_OK || code == LST_REFUSED_EXPIRED || code == LST_REFUSED_NOT_YET_VALID ||
            code == LST_REFUSED_EXPIRES_TOO_LARGE || code == LST_REFUSED_SCOPE_REGION);
}

static bool mentions_signature(struct lst_slice text)
{
    static const struct lst_slice name = {"X-Amz-Signature", 15};

    for (; text.length >= name.length; text = lst_internal_skip(text, 1)) {
        if (lst_internal_equal_ignoring_case(lst_internal_first(text, name.length), name)) {
            return true;
        }
    }
    return false;
}

/* The signature is there in part, or parameters of it are there and others are not. */
static bool explain_cut(struct lst_internal_search *search, int code)
{
    struct lst_slice culprit = search->auth->culprit;

    if (code == LST_REFUSED_SIGNATURE_FORMAT) {
        return explain_short_signature(search);
    }
    return code == LST_REFUSED_PARAMETER_MISSING && culprit.length > 0 &&
           !mentions_signature(search->request->target) &&
           lst_internal_search_found(
               search, LST_MISS_CUT_SHORT,
               "The @ has some parameters of a signature, but not #: if it was whole when it was "
               "made it was cut short, by a shell at an '&' without quotes, by a line end or by a "
               "limit of length.",
               &culprit);
}

static bool is_of_form(int code)
{
    return code == LST_REFUSED_NOT_SIGNED || code == LST_REFUSED_PARAMETER_MISSING ||
           code == LST_REFUSED_CREDENTIAL || code == LST_REFUSED_DATE ||
           code == LST_REFUSED_ALGORITHM || code == LST_REFUSED_SIGNATURE_FORMAT ||
           code == LST_REFUSED_SIGNED_HEADERS || code == LST_REFUSED_HOST_NOT_SIGNED ||
           code == LST_REFUSED_EXPIRES_FORMAT;
}

LST_PUBLIC int lst_explain_refusal(const struct lst_request *request, const struct lst_rules *rules,
                                   int64_t now, int code, const struct lst_auth *auth,
                                   struct lst_explanation *ret_explanation)
{
    struct lst_internal_search search;
    struct lst_auth query = *auth;
    bool found = false;

    if (!is_of_form(code) || auth->kind == LST_AUTH_HEADER ||
        request->target.length > LST_TARGET_MAX) {
        return LST_ERR_NO_NEAR_MISS;
    }
    memset(&search, 0, offsetof(struct lst_internal_search, scratch));
    query.kind = LST_AUTH_QUERY; /* what was meant, even if it is not seen */
    search.request = request;
    search.auth = &query;
    for (size_t i = 0; i < WAY_COUNT && !found; i++) {
        struct lst_slice undone =
            ways[i].undo(request->target, search.scratch, sizeof(search.scratch));

        found = undone.length > 0 && parses(request, rules, now, undone) &&
                found_way(&search, &ways[i], undone);
    }
    if (!found && !explain_cut(&search, code)) {
        return LST_ERR_NO_NEAR_MISS;
    }
    *ret_explanation = search.explanation;
    return LST_OK;
}
