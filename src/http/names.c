/* names.c - the numbers of names. */
#include "http/names.h"

#define NAME(number, text) {(text), sizeof(text) - 1},

static const struct lst_slice header_names[LST_HEADERS_KNOWN] = {{"", 0}, LST_HEADER_LIST(NAME)};
static const struct lst_slice parameter_names[LST_PARAMETERS_KNOWN] = {{"", 0},
                                                                       LST_PARAMETER_LIST(NAME)};

/* The last name of each length; those before it have the same, or are shorter. */
enum { HEADER_LENGTH_MAX = 37, PARAMETER_LENGTH_MAX = 28 };

static const uint8_t last_headers[HEADER_LENGTH_MAX + 1] = {
    [3] = LST_HEADER_VIA,
    [4] = LST_HEADER_HOST,
    [5] = LST_HEADER_RANGE,
    [6] = LST_HEADER_ORIGIN,
    [7] = LST_HEADER_TAGGING,
    [8] = LST_HEADER_IF_RANGE,
    [9] = LST_HEADER_X_REAL_IP,
    [10] = LST_HEADER_AMZ_DATE,
    [11] = LST_HEADER_CONTENT_MD5,
    [12] = LST_HEADER_CONTENT_TYPE,
    [13] = LST_HEADER_AMZ_TRAILER,
    [14] = LST_HEADER_CONTENT_LENGTH,
    [15] = LST_HEADER_X_ORIGINAL_HOST,
    [16] = LST_HEADER_X_FORWARDED_HOST,
    [17] = LST_HEADER_X_FORWARDED_PROTO,
    [19] = LST_HEADER_AMZ_STORAGE_CLASS,
    [20] = LST_HEADER_AMZ_SECURITY_TOKEN,
    [21] = LST_HEADER_AMZ_CHECKSUM_SHA256,
    [23] = LST_HEADER_AMZ_TAGGING_DIRECTIVE,
    [24] = LST_HEADER_AMZ_PART_NUMBER_MARKER,
    [26] = LST_HEADER_AMZ_COPY_SOURCE_IF_MATCH,
    [28] = LST_HEADER_AMZ_SDK_CHECKSUM_ALGORITHM,
    [29] = LST_HEADER_ACCESS_CONTROL_REQUEST_METHOD,
    [30] = LST_HEADER_ACCESS_CONTROL_REQUEST_HEADERS,
    [31] = LST_HEADER_AMZ_COPY_SOURCE_IF_NONE_MATCH,
    [33] = LST_HEADER_AMZ_BYPASS_GOVERNANCE_RETENTION,
    [35] = LST_HEADER_AMZ_COPY_SOURCE_IF_MODIFIED_SINCE,
    [37] = LST_HEADER_AMZ_COPY_SOURCE_IF_UNMODIFIED_SINCE,
};

static const uint8_t last_parameters[PARAMETER_LENGTH_MAX + 1] = {
    [2] = LST_PARAMETER_ID,
    [3] = LST_PARAMETER_ZIP,
    [4] = LST_PARAMETER_PASS,
    [5] = LST_PARAMETER_STATE,
    [6] = LST_PARAMETER_SELECT,
    [7] = LST_PARAMETER_WEBSITE,
    [8] = LST_PARAMETER_VERSIONS,
    [9] = LST_PARAMETER_VERSION_ID,
    [10] = LST_PARAMETER_AMZ_DATE,
    [11] = LST_PARAMETER_START_AFTER,
    [12] = LST_PARAMETER_LATCH_HEAD,
    [13] = LST_PARAMETER_AMZ_EXPIRES,
    [14] = LST_PARAMETER_REQUEST_PAYMENT,
    [15] = LST_PARAMETER_AMZ_SIGNATURE,
    [16] = LST_PARAMETER_AMZ_CREDENTIAL,
    [17] = LST_PARAMETER_VERSION_ID_MARKER,
    [18] = LST_PARAMETER_PART_NUMBER_MARKER,
    [19] = LST_PARAMETER_AMZ_SIGNED_HEADERS,
    [20] = LST_PARAMETER_METADATA_JOURNAL_TABLE,
    [21] = LST_PARAMETER_RESPONSE_CONTENT_TYPE,
    [22] = LST_PARAMETER_RESPONSE_CACHE_CONTROL,
    [25] = LST_PARAMETER_RESPONSE_CONTENT_LANGUAGE,
    [28] = LST_PARAMETER_RESPONSE_CONTENT_DISPOSITION,
};

static const struct lst_slice families[LST_FAMILIES] = {
    [LST_FAMILY_NONE] = {"", 0},          [LST_FAMILY_X] = {"x-", 2},
    [LST_FAMILY_AMZ] = {"x-amz-", 6},     [LST_FAMILY_META] = {"x-amz-meta-", 11},
    [LST_FAMILY_LATCH] = {"x-latch-", 8}, [LST_FAMILY_RESPONSE] = {"response-", 9},
};

static inline char lower(char letter)
{
    return (char)(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
}

enum lst_header lst_header_number(struct lst_slice name)
{
    unsigned number = name.length > HEADER_LENGTH_MAX ? 0 : last_headers[name.length];

    /* Names of one length differ in their last letter, most of them. */
    while (number > 0 && header_names[number].length == name.length) {
        if (lower(header_names[number].bytes[name.length - 1]) ==
                lower(name.bytes[name.length - 1]) &&
            lst_slice_equal_ignoring_case(header_names[number], name)) {
            return (enum lst_header)number;
        }
        number--;
    }
    return LST_HEADER_OTHER;
}

enum lst_parameter lst_parameter_number(struct lst_slice name)
{
    unsigned number = name.length > PARAMETER_LENGTH_MAX ? 0 : last_parameters[name.length];

    while (number > 0 && parameter_names[number].length == name.length) {
        if (parameter_names[number].bytes[0] == name.bytes[0] &&
            memcmp(parameter_names[number].bytes, name.bytes, name.length) == 0) {
            return (enum lst_parameter)number;
        }
        number--;
    }
    return LST_PARAMETER_OTHER;
}

static bool begins(struct lst_slice name, enum lst_name_family family)
{
    return lst_slice_starts_with_ignoring_case(name, families[family]);
}

enum lst_name_family lst_name_family(struct lst_slice name)
{
    if (name.length < 2) {
        return LST_FAMILY_NONE;
    }
    if (lower(name.bytes[0]) != 'x' || name.bytes[1] != '-') {
        return lower(name.bytes[0]) == 'r' && begins(name, LST_FAMILY_RESPONSE)
                   ? LST_FAMILY_RESPONSE
                   : LST_FAMILY_NONE;
    }
    if (begins(name, LST_FAMILY_AMZ)) {
        bool may_be_meta = name.length > 6 && lower(name.bytes[6]) == 'm';

        return may_be_meta && begins(name, LST_FAMILY_META) ? LST_FAMILY_META : LST_FAMILY_AMZ;
    }
    return begins(name, LST_FAMILY_LATCH) ? LST_FAMILY_LATCH : LST_FAMILY_X;
}

struct lst_slice lst_name_after_family(struct lst_slice name, enum lst_name_family family)
{
    return lst_slice_after(name, families[family].length);
}

struct lst_slice lst_header_name(enum lst_header number)
{
    return header_names[number];
}

struct lst_slice lst_parameter_name(enum lst_parameter number)
{
    return parameter_names[number];
}
