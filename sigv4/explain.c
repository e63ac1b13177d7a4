/* explain.c - find the single change that would have made a signature right, and say it. */
#include "explain.h"
#include "hash.h"
#include "query.h"
#include "signed_headers.h"

/* Bytes of a value that a sentence shows: enough to recognise it. */
#define SHOWN_MAX 72

bool lst_internal_search_fits_target(struct lst_internal_search *search, struct lst_slice target,
                                     const struct lst_internal_variation *variation)
{
    struct lst_request request = *search->request;
    char expected[LST_SIGNATURE_LENGTH];
    bool fits;

    if (search->candidates == LST_INTERNAL_CANDIDATES_MAX) {
        return false;
    }
    search->candidates++;
    request.target = target;
    if (lst_internal_signature(&request, search->auth, variation, &search->key, expected) !=
        LST_OK) {
        return false;
    }
    fits =
        lst_equal_secret((struct lst_slice){expected, sizeof(expected)}, search->auth->signature);
    lst_wipe(expected, sizeof(expected));
    return fits;
}

bool lst_internal_search_fits(struct lst_internal_search *search,
                              const struct lst_internal_variation *variation)
{
    return lst_internal_search_fits_target(search, search->request->target, variation);
}

bool lst_internal_search_fits_key(struct lst_internal_search *search, struct lst_slice secret,
                                  struct lst_slice day, struct lst_slice region,
                                  struct lst_slice service)
{
    struct lst_key right = search->key;
    bool fits;

    if (lst_internal_key_derive(&search->key, secret, day, region, service) != LST_OK) {
        search->key = right;
        return false;
    }
    fits = lst_internal_search_fits(search, NULL);
    search->key = right;
    lst_wipe(&right, sizeof(right));
    return fits;
}

struct lst_slice lst_internal_search_header(const struct lst_internal_search *search,
                                            struct lst_slice name)
{
    for (size_t i = 0; i < search->request->header_count; i++) {
        if (lst_internal_equal_ignoring_case(search->request->headers[i].name, name)) {
            return search->request->headers[i].value;
        }
    }
    return (struct lst_slice){NULL, 0};
}

/* In quotes, shortened, and with nothing that a log or a terminal could take for its own. */
static void put_shown(struct lst_internal_writer *writer, struct lst_slice value)
{
    bool shortened = value.length > SHOWN_MAX;
    size_t length = shortened ? SHOWN_MAX - 3 : value.length;

    lst_internal_put_char(writer, '\'');
    for (size_t i = 0; i < length; i++) {
        bool plain = value.bytes[i] >= ' ' && value.bytes[i] <= '~';

        lst_internal_put_char(writer, plain ? value.bytes[i] : '?');
    }
    lst_internal_put(writer, shortened ? LST_SLICE("...'") : LST_SLICE("'"));
}

static void put_sentence(struct lst_internal_search *search, const char *pattern,
                         const struct lst_slice *values)
{
    struct lst_explanation *explanation = &search->explanation;
    struct lst_internal_writer writer =
        lst_internal_writer_to(explanation->text, sizeof(explanation->text));

    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '#') {
            put_shown(&writer, *values++);
        } else if (*pattern == '@') {
            lst_internal_put(&writer, search->auth->kind == LST_AUTH_QUERY ? LST_SLICE("URL")
                                                                           : LST_SLICE("request"));
        } else {
            lst_internal_put_char(&writer, *pattern);
        }
    }
    explanation->length = writer.length;
}

bool lst_internal_search_found(struct lst_internal_search *search, enum lst_near_miss miss,
                               const char *pattern, const struct lst_slice *values)
{
    search->explanation.miss = miss;
    put_sentence(search, pattern, values);
    return true;
}

#define SECRET                                                                                     \
    "Most likely the secret is wrong: check the secret access key of # where the signer reads "    \
    "its credentials. "
#define COMPARE "check the secret access key of # and compare the canonical requests, line by line."

/* Nothing fits. If a signed header did not arrive, its value can't be guessed, but its name helps.
 */
static void say_what_to_compare(struct lst_internal_search *search)
{
    bool is_inner = lst_internal_is_inner_host(search->host);
    struct lst_slice id = lst_slice_of(search->auth->access_key_id);
    struct lst_internal_name_walk walk = lst_internal_walk_signed(search->auth);
    struct lst_slice name;

    if (!lst_internal_is_signature(search->auth->signature)) {
        put_sentence(search,
                     "The signature that arrived is not 64 lower-case hexadecimal digits, as every "
                     "signature is: pass the @ on as it was made.",
                     NULL);
        return;
    }
    while (lst_internal_next_signed(&walk, &name)) {
        bool is_host = lst_internal_equal(name, LST_SLICE("host"));
        bool arrived = false;

        for (size_t i = 0; i < search->request->header_count; i++) {
            arrived =
                arrived || lst_internal_equal_ignoring_case(search->request->headers[i].name, name);
        }
        if (!is_host && !arrived) {
            put_sentence(search,
                         "The header # is signed but did not arrive, and no common value of it "
                         "makes the signature right: send it exactly as it was given when the @ "
                         "was signed, or sign without it.",
                         &name);
            return;
        }
    }
    if (search->hints->host_is_right) {
        put_sentence(search,
                     SECRET "If it is right, the path, a parameter or a signed header was changed "
                            "after signing: compare the canonical requests, line by line.",
                     &id);
        return;
    }
    /* A Host that was lost on the way can't be guessed either. Inside, it is lost more often than a
     * secret is wrong. */
    put_sentence(search,
                 is_inner
                     ? "No known change makes the signature right. The Host that arrived, #, is an "
                       "inner name: if the @ was signed for another, a proxy replaced it; let the "
                       "proxy pass it on (nginx: proxy_set_header Host $http_host), or set the "
                       "server's public URL (--public-url). Else " COMPARE
                     : SECRET
                     "If the @ was signed for another host than #, which arrived, let the proxy "
                     "pass that on (nginx: proxy_set_header Host $http_host), or set --public-url. "
                     "Else compare the canonical requests, line by line.",
                 is_inner ? (const struct lst_slice[]){search->host, id}
                          : (const struct lst_slice[]){id, search->host});
}

static bool find(struct lst_internal_search *search)
{
    /*
     * By how often it happens. The last groups are those that can use up what is left of the
     * candidates: when many headers are signed, and for two changes at once.
     */
    static bool (*const groups[])(struct lst_internal_search *) = {
        lst_internal_explain_method,
        lst_internal_explain_host,
        lst_internal_explain_style,
        lst_internal_explain_spoilt,
        lst_internal_explain_plus,
        lst_internal_explain_path,
        lst_internal_explain_header_encoding,
        lst_internal_explain_secret,
        lst_internal_explain_checksum,
        lst_internal_explain_payload,
        lst_internal_explain_guessed_headers,
        lst_internal_explain_expires,
        lst_internal_explain_parameters,
        lst_internal_explain_scope,
        lst_internal_explain_altered_headers,
        lst_internal_explain_method_and_headers,
    };

    if (!lst_internal_is_signature(search->auth->signature)) {
        return lst_internal_explain_spoilt(search); /* nothing else can fit */
    }
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (groups[i](search)) {
            return true;
        }
    }
    return false;
}

LST_PUBLIC int lst_explain(const struct lst_request *request, const struct lst_auth *auth,
                           struct lst_slice secret, const struct lst_hints *hints,
                           struct lst_explanation *ret_explanation)
{
    struct lst_internal_search search;
    struct lst_auth claims = *auth;
    int error;

    if (auth->kind != LST_AUTH_QUERY && auth->kind != LST_AUTH_HEADER) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (request->target.length > LST_TARGET_MAX) {
        return LST_REFUSED_TARGET_TOO_LONG;
    }
    memset(&search, 0, offsetof(struct lst_internal_search, scratch));
    search.request = request;
    /* The note is of the target that arrived; others are tried. */
    claims.canonical_query_length = 0;
    search.auth = &claims;
    search.secret = secret;
    search.hints = hints;
    lst_internal_split_target(request->target, &search.path, &search.query);
    search.host = request->host.length > 0
                      ? request->host
                      : lst_internal_trim(lst_internal_search_header(&search, LST_SLICE("host")));
    error = lst_internal_key_derive(&search.key, secret, lst_slice_of(auth->day),
                                    lst_slice_of(auth->region), lst_slice_of(auth->service));
    if (error != LST_OK) {
        return error;
    }
    if (!find(&search)) {
        say_what_to_compare(&search);
        error = LST_ERR_NO_NEAR_MISS;
    }
    *ret_explanation = search.explanation;
    lst_wipe(&search, sizeof(search));
    return error;
}
