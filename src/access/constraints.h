/*
 * constraints.h - what a signed URL or form may be used for, beyond what S3 knows: its x-latch-
 * parameters, read and held against facts that are handed in.
 *
 * docs/constraints.md is the specification. Whoever signs adds the parameters; since the signature
 * covers them, whoever holds the URL can't change them. A parameter that is not known is refused:
 * what is meant as a limit must never be passed over.
 */
#ifndef LST_ACCESS_CONSTRAINTS_H
#define LST_ACCESS_CONSTRAINTS_H

#include "access/network.h"
#include "base/error.h"

#define LST_CONSTRAINT_PREFIX       "x-latch-"
#define LST_CONSTRAINT_NETWORKS_MAX 16
#define LST_CONSTRAINT_ID_MAX       512 /* bytes */
#define LST_CONSTRAINT_ETAG_MAX     128 /* bytes */
#define LST_CONSTRAINT_USES_MAX     1000000
#define LST_CONSTRAINT_TOTAL_MAX    53687091200000 /* bytes: what S3's largest parts have */

struct lst_constraints {
    unsigned given; /* a bit for each parameter that was read: repeating one is refused */
    bool has_length;
    uint64_t length_min; /* bytes */
    uint64_t length_max;
    struct lst_slice types; /* "image/png,text/" followed by a '*'; empty: any. Into the value */
    bool sniff;             /* the content must be what its type says */
    bool is_new;            /* there must be no object of this key yet */
    struct lst_slice etag;  /* of the object that may be read; empty: any. Into the value */
    bool head;              /* HEAD may be sent to a URL that was signed for GET */
    bool has_not_before;
    int64_t not_before; /* seconds */
    struct lst_network networks[LST_CONSTRAINT_NETWORKS_MAX];
    size_t network_count; /* 0: from anywhere */
    struct lst_slice id;  /* of the link, for its record; empty: none. Into the value */
    uint64_t total;       /* bytes of all parts of an upload together, at most; 0: any */
    uint64_t uses;        /* most successful requests, which the id counts; 0: any number */
};

/*
 * Read one parameter. name: what follows the prefix, in any case; value: decoded, and valid as long
 * as the constraints. First zero the struct. LST_ERR_NOT_FOUND: there is no such constraint;
 * LST_ERR_EXISTS: it was given before; LST_ERR_MALFORMED: *ret_problem (a constant) says what the
 * value should look like.
 */
LST_MUST_CHECK int lst_constraints_read(struct lst_constraints *constraints, struct lst_slice name,
                                        struct lst_slice value, const char **ret_problem);

/* What an operation does with the bytes of an object: not every constraint fits every one. */
enum lst_constraint_use {
    LST_CONSTRAINT_USE_OTHER = 0,
    LST_CONSTRAINT_USE_ANY, /* not known: whatever fits some operation fits */
    LST_CONSTRAINT_USE_READ,
    LST_CONSTRAINT_USE_OBJECT, /* an object in one request */
    LST_CONSTRAINT_USE_UPLOAD, /* the beginning of an upload in parts */
    LST_CONSTRAINT_USE_PART,
    LST_CONSTRAINT_USE_COMPLETION,
};

/* Why one can't be held. */
struct lst_constraint_fault {
    struct lst_slice name; /* after the prefix */
    struct lst_slice value;
    const char *problem; /* to be said after the name; NULL: it does not apply to the operation */
};

/* lst_constraints_read(), with the answer to each of its refusals. False: *ret_fault says why. */
LST_MUST_CHECK bool lst_constraints_take(struct lst_constraints *constraints, struct lst_slice name,
                                         struct lst_slice value,
                                         struct lst_constraint_fault *ret_fault);

/* Do they fit the operation, and each other? False: *ret_fault says which does not. */
LST_MUST_CHECK bool lst_constraints_fit(const struct lst_constraints *constraints,
                                        enum lst_constraint_use use,
                                        struct lst_constraint_fault *ret_fault);

/* May it be used from this address? Text that is no address is outside every network. */
bool lst_constraints_allow_address(const struct lst_constraints *constraints,
                                   struct lst_slice address);

/* Does a media type (with or without parameters) fit? */
bool lst_constraints_allow_type(const struct lst_constraints *constraints, struct lst_slice type);

#endif
