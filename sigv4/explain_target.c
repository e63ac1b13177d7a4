/* explain_target.c - near misses of the method and of how the path and the query are written. */
#include "explain.h"

bool lst_internal_explain_method(struct lst_internal_search *search)
{
    static const char *const methods[] = {"GET", "PUT", "HEAD", "POST", "DELETE"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const struct lst_internal_variation variation = {.method = lst_slice_of(methods[i])};

        if (!lst_internal_equal(variation.method, search->request->method) &&
            lst_internal_search_fits(search, &variation)) {
            return lst_internal_search_found(
                search, LST_MISS_METHOD,
                "The @ was signed for the method # but was used with #: sign one for # too.",
                (const struct lst_slice[]){variation.method, search->request->method,
                                           search->request->method});
        }
    }
    return false;
}

#define PLUS_ADVICE                                                                                \
    "it was signed with # where # arrived: write a space as %20 and a plus sign as %2B, both "     \
    "when "                                                                                        \
    "signing and when sending."

static const char plus_in_path[] =
    "A plus sign and a space were exchanged in the @'s path, " PLUS_ADVICE;
static const char plus_in_query[] =
    "A plus sign and a space were exchanged in the @'s query, " PLUS_ADVICE;

/* The text with every `from` as `to`; empty if there is none, or no room. */
static struct lst_slice rewrite(struct lst_slice text, struct lst_slice from, struct lst_slice to,
                                char *out, size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    bool changed = false;

    while (text.length > 0) {
        if (lst_internal_starts_with(text, from)) {
            lst_internal_put(&writer, to);
            text = lst_internal_skip(text, from.length);
            changed = true;
        } else {
            lst_internal_put_char(&writer, text.bytes[0]);
            text = lst_internal_skip(text, 1);
        }
    }
    return (struct lst_slice){out, changed && !writer.overflow ? writer.length : 0};
}

static bool found_plus(struct lst_internal_search *search, const char *pattern,
                       struct lst_slice was_signed, struct lst_slice arrived)
{
    return lst_internal_search_found(search, LST_MISS_PLUS_FOR_SPACE, pattern,
                                     (const struct lst_slice[]){was_signed, arrived});
}

/* The query with the exchange, after the path as it is. */
static bool query_fits(struct lst_internal_search *search, struct lst_slice from,
                       struct lst_slice to)
{
    size_t start = search->path.length + 1;
    struct lst_slice query;

    if (lst_internal_is_empty(search->query)) {
        return false;
    }
    memcpy(search->scratch, search->request->target.bytes, start);
    query =
        rewrite(search->query, from, to, search->scratch + start, sizeof(search->scratch) - start);
    return query.length > 0 &&
           lst_internal_search_fits_target(
               search, (struct lst_slice){search->scratch, start + query.length}, NULL);
}

bool lst_internal_explain_plus(struct lst_internal_search *search)
{
    static const char *const exchanges[][2] = {{"+", "%20"}, {"%20", "%2B"}, {"%2B", "%20"}};
    const struct lst_internal_variation plus_is_plus = {.plus_is_plus = true};

    if (lst_internal_find(search->query, '+') < search->query.length &&
        lst_internal_search_fits(search, &plus_is_plus)) {
        return found_plus(search, plus_in_query, LST_SLICE("%2B"), LST_SLICE("+"));
    }
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
        struct lst_slice from = lst_slice_of(exchanges[i][0]);
        struct lst_slice to = lst_slice_of(exchanges[i][1]);
        const struct lst_internal_variation variation = {
            .path = rewrite(search->path, from, to, search->scratch, sizeof(search->scratch))};

        if (!lst_internal_is_empty(variation.path) &&
            lst_internal_search_fits(search, &variation)) {
            return found_plus(search, plus_in_path, to, from);
        }
        if (from.length > 1 && query_fits(search, from, to)) {
            return found_plus(search, plus_in_query, to, from);
        }
    }
    return false;
}

/* What a signer may remove from a path. */
struct normalisation {
    bool merges_slashes;
    bool removes_dots;
    enum lst_internal_path_form form;
};

/* The path as such a signer has it; the encoded forms of '.' and '/' are left alone. */
static struct lst_slice normalise(struct lst_slice path, struct normalisation how, char *out,
                                  size_t capacity)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    while (path.length > 0 && !writer.overflow) {
        struct lst_slice after = lst_internal_skip(path, 1);
        struct lst_slice segment = lst_internal_first(after, lst_internal_find(after, '/'));
        bool last = segment.length == after.length;
        bool here = how.removes_dots && lst_internal_equal(segment, LST_SLICE("."));
        bool up = how.removes_dots && lst_internal_equal(segment, LST_SLICE(".."));

        if (up) {
            while (writer.length > 0 && writer.out[--writer.length] != '/') {
            }
        }
        if (here || up || (how.merges_slashes && segment.length == 0)) {
            if (last) {
                lst_internal_put_char(&writer, '/');
            }
        } else {
            lst_internal_put_char(&writer, '/');
            lst_internal_put(&writer, segment);
        }
        path = lst_internal_skip(after, segment.length);
    }
    return (struct lst_slice){out, writer.overflow ? 0 : writer.length};
}

static bool explain_normalised(struct lst_internal_search *search)
{
    static const struct normalisation ways[] = {
        {true, true, LST_INTERNAL_PATH_ENCODED},
        {false, true, LST_INTERNAL_PATH_ENCODED},
        {true, false, LST_INTERNAL_PATH_ENCODED},
        {true, true, LST_INTERNAL_PATH_ENCODED_TWICE},
    };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const struct lst_internal_variation variation = {
            .path = normalise(search->path, ways[i], search->scratch, sizeof(search->scratch)),
            .path_form = ways[i].form};

        if (!lst_internal_is_empty(variation.path) &&
            !lst_internal_equal(variation.path, search->path) &&
            lst_internal_search_fits(search, &variation)) {
            return lst_internal_search_found(
                search, LST_MISS_PATH_NORMALISED,
                lst_internal_starts_with(search->path, LST_SLICE("//"))
                    ? "The @ was signed for the path # but # arrived, with one slash too many in "
                      "front: join the host and the path with a single one."
                    : "The signer normalised the path to # but # arrived: slashes and dots are "
                      "part of "
                      "an S3 key, so turn path normalisation off in the signer.",
                (const struct lst_slice[]){variation.path, search->path});
        }
    }
    return false;
}

/* A last slash that came or went, as web servers redirect. */
static bool explain_last_slash(struct lst_internal_search *search)
{
    struct lst_slice path = search->path;
    struct lst_internal_variation variation = {.path = path};

    if (path.length > 1 && path.bytes[path.length - 1] == '/') {
        variation.path.length--;
    } else if (path.length > 1 && path.length < sizeof(search->scratch)) {
        memcpy(search->scratch, path.bytes, path.length);
        search->scratch[path.length] = '/';
        variation.path = (struct lst_slice){search->scratch, path.length + 1};
    } else {
        return false;
    }
    return lst_internal_search_fits(search, &variation) &&
           lst_internal_search_found(
               search, LST_MISS_PATH_NORMALISED,
               "The @ was signed for the path # but # arrived: the last slash is part of an S3 "
               "key, so send the path as it was signed.",
               (const struct lst_slice[]){variation.path, path});
}

bool lst_internal_explain_path(struct lst_internal_search *search)
{
    const struct lst_internal_variation twice = {.path_form = LST_INTERNAL_PATH_ENCODED_TWICE};
    const struct lst_internal_variation decoded = {.path_form = LST_INTERNAL_PATH_DECODED};
    const struct lst_internal_variation as_sent = {.path_form = LST_INTERNAL_PATH_AS_SENT};

    if (lst_internal_search_fits(search, &twice)) {
        return lst_internal_search_found(
            search, LST_MISS_PATH_ENCODED_TWICE,
            "The signer percent-encoded the path # a second time, or it was decoded on its way: "
            "for "
            "S3 it is encoded once, as it is sent, unlike for other AWS services.",
            &search->path);
    }
    if (lst_internal_search_fits(search, &decoded) || lst_internal_search_fits(search, &as_sent)) {
        return lst_internal_search_found(
            search, LST_MISS_PATH_NOT_ENCODED,
            "The signer did not percent-encode the path #: encode every byte but A-Z a-z 0-9 - . "
            "_ ~ and the slashes before signing.",
            &search->path);
    }
    return explain_normalised(search) || explain_last_slash(search);
}
