/* constraints.c - x-latch- parameters, read and held against facts. */
#include "access/constraints.h"

#include "base/clock.h"
#include "http/media_type.h"

/* Each reads its value; NULL, or what the value should look like. */
typedef const char *reader(struct lst_constraints *constraints, struct lst_slice value);

static const char *read_length(struct lst_constraints *constraints, struct lst_slice value)
{
    static const char problem[] =
        "must be a range of bytes, MIN-MAX, such as 1-5000000, and MIN not above MAX";
    size_t dash = lst_slice_find(value, '-');
    uint64_t min;
    uint64_t max;

    if (!lst_slice_to_number(lst_slice_first(value, dash), INT64_MAX, &min) ||
        !lst_slice_to_number(lst_slice_after(value, dash + 1), INT64_MAX, &max) || min > max) {
        return problem;
    }
    constraints->has_length = true;
    constraints->length_min = min;
    constraints->length_max = max;
    return NULL;
}

static const char *read_type(struct lst_constraints *constraints, struct lst_slice value)
{
    static const char problem[] =
        "must be media types with commas between them, such as image/png,image/jpeg or image/*";
    struct lst_slice rest = value;
    struct lst_slice part;

    if (value.length == 0) {
        return problem;
    }
    while (lst_slice_split(&rest, ',', &part)) {
        if (!lst_media_range_is_valid(lst_slice_trim(part))) {
            return problem;
        }
    }
    constraints->types = value;
    return NULL;
}

/* "1" is the only word for yes: "0" or "false" would be read as a limit by whoever forgot it. */
static const char *read_switch(struct lst_slice value, bool *ret_switch)
{
    if (!lst_slice_equal(value, LST_SLICE("1"))) {
        return "must be 1, or be left out";
    }
    *ret_switch = true;
    return NULL;
}

static const char *read_sniff(struct lst_constraints *constraints, struct lst_slice value)
{
    return read_switch(value, &constraints->sniff);
}

static const char *read_new(struct lst_constraints *constraints, struct lst_slice value)
{
    return read_switch(value, &constraints->is_new);
}

static const char *read_head(struct lst_constraints *constraints, struct lst_slice value)
{
    return read_switch(value, &constraints->head);
}

static const char *read_not_before(struct lst_constraints *constraints, struct lst_slice value)
{
    int64_t time_ms;

    if (!lst_clock_parse_iso8601(value, &time_ms)) {
        return "must be a time in UTC, such as 2026-11-24T08:00:00Z";
    }
    constraints->has_not_before = true;
    constraints->not_before = time_ms / 1000;
    return NULL;
}

static const char *read_ip(struct lst_constraints *constraints, struct lst_slice value)
{
    static const char problem[] =
        "must be at most 16 addresses or networks with commas between them, such as "
        "203.0.113.0/24,2001:db8::7";
    struct lst_slice rest = value;
    struct lst_slice part;
    size_t count = 0;

    if (value.length == 0) {
        return problem;
    }
    while (lst_slice_split(&rest, ',', &part)) {
        if (count == LST_CONSTRAINT_NETWORKS_MAX ||
            !lst_network_parse(lst_slice_trim(part), &constraints->networks[count])) {
            return problem;
        }
        count++;
    }
    constraints->network_count = count;
    return NULL;
}

/* What needs no encoding in a URL, nor in a header: the unreserved characters of RFC 3986. */
static const char *read_id(struct lst_constraints *constraints, struct lst_slice value)
{
    static const struct lst_slice marks = {"-._~", 4};
    bool is_id = value.length > 0 && value.length <= LST_CONSTRAINT_ID_MAX;

    for (size_t i = 0; i < value.length && is_id; i++) {
        char byte = value.bytes[i];
        is_id = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                (byte >= '0' && byte <= '9') || lst_slice_find(marks, byte) < marks.length;
    }
    if (!is_id) {
        return "must be 1 to 512 letters, digits, '-', '.', '_' and '~'";
    }
    constraints->id = value;
    return NULL;
}

static const char *read_etag(struct lst_constraints *constraints, struct lst_slice value)
{
    if (value.length == 0 || value.length > LST_CONSTRAINT_ETAG_MAX ||
        lst_slice_find(value, '"') < value.length) {
        return "must be the ETag of the object, without quotes";
    }
    constraints->etag = value;
    return NULL;
}

static const char *read_uses(struct lst_constraints *constraints, struct lst_slice value)
{
    if (!lst_slice_to_number(value, LST_CONSTRAINT_USES_MAX, &constraints->uses) ||
        constraints->uses == 0) {
        return "must be a number from 1 to 1000000";
    }
    return NULL;
}

static const char *read_total(struct lst_constraints *constraints, struct lst_slice value)
{
    if (!lst_slice_to_number(value, LST_CONSTRAINT_TOTAL_MAX, &constraints->total) ||
        constraints->total == 0) {
        return "must be a number of bytes, from 1 to 53687091200000";
    }
    return NULL;
}

int lst_constraints_read(struct lst_constraints *constraints, struct lst_slice name,
                         struct lst_slice value, const char **ret_problem)
{
    static const struct {
        struct lst_slice name;
        reader *read;
    } readers[] = {
        {{"length", 6}, read_length}, {{"type", 4}, read_type},
        {{"sniff", 5}, read_sniff},   {{"ip", 2}, read_ip},
        {{"head", 4}, read_head},     {{"not-before", 10}, read_not_before},
        {{"id", 2}, read_id},         {{"uses", 4}, read_uses},
        {{"new", 3}, read_new},       {{"etag", 4}, read_etag},
        {{"total", 5}, read_total},
    };

    for (unsigned i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        const char *problem;

        if (!lst_slice_equal_ignoring_case(name, readers[i].name)) {
            continue;
        }
        if ((constraints->given & (1U << i)) != 0) {
            return LST_ERR_EXISTS;
        }
        constraints->given |= 1U << i;
        problem = readers[i].read(constraints, value);
        if (problem != NULL) {
            *ret_problem = problem;
            return LST_ERR_MALFORMED;
        }
        return LST_OK;
    }
    return LST_ERR_NOT_FOUND;
}

bool lst_constraints_take(struct lst_constraints *constraints, struct lst_slice name,
                          struct lst_slice value, struct lst_constraint_fault *ret_fault)
{
    const char *problem = "";

    switch (lst_constraints_read(constraints, name, value, &problem)) {
    case LST_OK:
        return true;
    case LST_ERR_EXISTS:
        problem = "is given more than once";
        break;
    case LST_ERR_NOT_FOUND:
        problem = "is not a constraint that this server knows; an unknown one is refused, not "
                  "ignored";
        break;
    default:
        break;
    }
    *ret_fault = (struct lst_constraint_fault){name, value, problem};
    return false;
}

/* The name of one that says nothing of this operation; empty if there is none. */
static struct lst_slice misplaced(const struct lst_constraints *constraints,
                                  enum lst_constraint_use use)
{
    bool is_object = use == LST_CONSTRAINT_USE_OBJECT;
    bool is_part = use == LST_CONSTRAINT_USE_PART;

    if (constraints->etag.length > 0 && use != LST_CONSTRAINT_USE_READ) {
        return LST_SLICE("etag");
    }
    if (constraints->head && use != LST_CONSTRAINT_USE_READ) {
        return LST_SLICE("head");
    }
    if (constraints->is_new && !is_object && use != LST_CONSTRAINT_USE_COMPLETION) {
        return LST_SLICE("new");
    }
    if (constraints->has_length && !is_object && !is_part) {
        return LST_SLICE("length");
    }
    if (constraints->total > 0 && use != LST_CONSTRAINT_USE_UPLOAD) {
        return LST_SLICE("total");
    }
    if (constraints->sniff && !is_object && !is_part && use != LST_CONSTRAINT_USE_UPLOAD) {
        return LST_SLICE("sniff");
    }
    if (constraints->types.length > 0 && !is_object && use != LST_CONSTRAINT_USE_UPLOAD &&
        !(is_part && constraints->sniff)) {
        return LST_SLICE("type");
    }
    return LST_SLICE("");
}

bool lst_constraints_fit(const struct lst_constraints *constraints, enum lst_constraint_use use,
                         struct lst_constraint_fault *ret_fault)
{
    struct lst_slice name =
        use == LST_CONSTRAINT_USE_ANY ? LST_SLICE("") : misplaced(constraints, use);

    if (name.length > 0) {
        *ret_fault = (struct lst_constraint_fault){.name = name};
        return false;
    }
    if (constraints->sniff && use == LST_CONSTRAINT_USE_PART && constraints->types.length == 0) {
        *ret_fault = (struct lst_constraint_fault){
            LST_SLICE("sniff"), LST_SLICE("1"),
            "needs x-latch-type here: a part does not say what it is"};
        return false;
    }
    if (constraints->uses > 0 && constraints->id.length == 0) {
        *ret_fault = (struct lst_constraint_fault){LST_SLICE("uses"), LST_SLICE(""),
                                                   "needs x-latch-id, under which it is counted"};
        return false;
    }
    return true;
}

bool lst_constraints_allow_address(const struct lst_constraints *constraints,
                                   struct lst_slice address)
{
    struct lst_address parsed;

    if (constraints->network_count == 0) {
        return true;
    }
    if (!lst_address_parse(address, &parsed)) {
        return false;
    }
    for (size_t i = 0; i < constraints->network_count; i++) {
        if (lst_network_contains(&constraints->networks[i], &parsed)) {
            return true;
        }
    }
    return false;
}

bool lst_constraints_allow_type(const struct lst_constraints *constraints, struct lst_slice type)
{
    struct lst_slice rest = constraints->types;
    struct lst_slice essence;
    struct lst_slice part;

    if (rest.length == 0) {
        return true;
    }
    if (!lst_media_type_parse(type, &essence)) {
        return false;
    }
    while (lst_slice_split(&rest, ',', &part)) {
        if (lst_media_range_has(lst_slice_trim(part), essence)) {
            return true;
        }
    }
    return false;
}
