/* key.h - the parts of a credential: "AKIDEXAMPLE/20130524/us-east-1/s3/aws4_request". */
#ifndef LST_SIGV4_KEY_H
#define LST_SIGV4_KEY_H

#include "latchstring.h"

/* An access key id, a region or a service: 1 to length_max printable bytes, no '/' and no ','. */
bool lst_internal_scope_part_is_valid(struct lst_slice part, size_t length_max);

/* Eight digits. */
bool lst_internal_day_is_valid(struct lst_slice day);

/* "20130524/us-east-1/s3/aws4_request"; valid as long as the key is. */
struct lst_slice lst_internal_key_scope(const struct lst_key *key);

#endif
