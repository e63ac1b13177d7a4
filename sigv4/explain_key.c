/* explain_key.c - near misses of the signing key: its secret, day, region and service. */
#include "explain.h"
#include "hash.h"

static bool fits_secret(struct lst_internal_search *search, struct lst_slice secret)
{
    return lst_internal_search_fits_key(search, secret, lst_slice_of(search->auth->day),
                                        lst_slice_of(search->auth->region),
                                        lst_slice_of(search->auth->service));
}

/* The secret of this server between two texts. */
static bool fits_between(struct lst_internal_search *search, const char *const around[2])
{
    char secret[LST_SECRET_MAX];
    struct lst_internal_writer writer = lst_internal_writer_to(secret, sizeof(secret));
    bool fits;

    lst_internal_put(&writer, lst_slice_of(around[0]));
    lst_internal_put(&writer, search->secret);
    lst_internal_put(&writer, lst_slice_of(around[1]));
    fits = !writer.overflow && fits_secret(search, (struct lst_slice){secret, writer.length});
    lst_wipe(secret, sizeof(secret));
    return fits;
}

static bool fits_encoded(struct lst_internal_search *search)
{
    char secret[LST_SECRET_MAX];
    size_t length;
    bool fits =
        lst_percent_encode(search->secret, false, secret, sizeof(secret), &length) == LST_OK &&
        length > search->secret.length && fits_secret(search, (struct lst_slice){secret, length});

    lst_wipe(secret, sizeof(secret));
    return fits;
}

/* The secret as files and commands spoil it, and what that of this server becomes without its own
 * white space. */
bool lst_internal_explain_secret(struct lst_internal_search *search)
{
    static const char *const spaces[][2] = {{"", "\n"}, {"", "\r\n"}, {"", "\r"},
                                            {"", " "},  {" ", ""},    {"", "\t"}};
    static const char *const quotes[][2] = {{"\"", "\""}, {"'", "'"}, {"", ";"}};
    struct lst_slice trimmed = lst_internal_trim(search->secret);

    if (trimmed.length < search->secret.length && fits_secret(search, trimmed)) {
        return lst_internal_search_found(
            search, LST_MISS_SECRET_WHITESPACE,
            "The signer's secret access key is right, but the one that this server holds has "
            "white space around it: store it again without.",
            NULL);
    }
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        if (fits_between(search, spaces[i])) {
            return lst_internal_search_found(
                search, LST_MISS_SECRET_WHITESPACE,
                "The signer's secret access key has white space or a line end around it: "
                "remove it where the signer reads its credentials.",
                NULL);
        }
    }
    for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
        if (fits_between(search, quotes[i])) {
            return lst_internal_search_found(
                search, LST_MISS_SECRET_FORM,
                "The signer's secret access key has quotes or a semicolon around it, which some "
                "readers of environment files keep: remove them where the signer reads its "
                "credentials.",
                NULL);
        }
    }
    return fits_encoded(search) &&
           lst_internal_search_found(
               search, LST_MISS_SECRET_FORM,
               "The signer's secret access key is percent-encoded, as in a URL: decode it where "
               "the signer reads its credentials.",
               NULL);
}

static bool explain_one_region(struct lst_internal_search *search, struct lst_slice region)
{
    struct lst_slice claimed = lst_slice_of(search->auth->region);

    return !lst_internal_equal(region, claimed) &&
           lst_internal_search_fits_key(search, search->secret, lst_slice_of(search->auth->day),
                                        region, lst_slice_of(search->auth->service)) &&
           lst_internal_search_found(
               search, LST_MISS_REGION,
               "The signing key was derived for the region # but the credential says #: use the "
               "same region for both.",
               (const struct lst_slice[]){region, claimed});
}

static bool explain_region(struct lst_internal_search *search)
{
    static const char *const regions[] = {"us-east-1",  "us-west-2", "eu-west-1", "eu-central-1",
                                          "ap-south-1", "us-east-2", "auto",      "default"};
    const struct lst_hints *hints = search->hints;

    for (size_t i = 0; i < hints->region_count && i < LST_INTERNAL_HINTS_MAX; i++) {
        if (explain_one_region(search, hints->regions[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        if (explain_one_region(search, lst_slice_of(regions[i]))) {
            return true;
        }
    }
    return false;
}

static bool explain_service(struct lst_internal_search *search)
{
    static const char *const services[] = {"s3", "S3", "s3express", "execute-api", "iam"};
    struct lst_slice claimed = lst_slice_of(search->auth->service);

    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        struct lst_slice service = lst_slice_of(services[i]);

        if (!lst_internal_equal(service, claimed) &&
            lst_internal_search_fits_key(search, search->secret, lst_slice_of(search->auth->day),
                                         lst_slice_of(search->auth->region), service)) {
            return lst_internal_search_found(
                search, LST_MISS_SERVICE,
                "The signing key was derived for the service # but the credential says #: use the "
                "same service for both.",
                (const struct lst_slice[]){service, claimed});
        }
    }
    return false;
}

/* A signer that takes the day from its local clock is one day off for some hours. */
static bool explain_day(struct lst_internal_search *search)
{
    static const int64_t day_seconds = 86400;
    struct lst_slice claimed = lst_slice_of(search->auth->day);

    for (int64_t days = -1; days <= 1; days += 2) {
        char time[16];
        struct lst_slice day = {time, 8};

        if (lst_format_time(search->auth->time + days * day_seconds, time) == LST_OK &&
            lst_internal_search_fits_key(search, search->secret, day,
                                         lst_slice_of(search->auth->region),
                                         lst_slice_of(search->auth->service))) {
            return lst_internal_search_found(
                search, LST_MISS_DAY,
                "The signing key was derived for the day # but the credential says #: use the "
                "day of X-Amz-Date, in UTC, for both.",
                (const struct lst_slice[]){day, claimed});
        }
    }
    return false;
}

bool lst_internal_explain_scope(struct lst_internal_search *search)
{
    return explain_day(search) || explain_region(search) || explain_service(search);
}
