/* host.h - the bucket that a host name names: "Virtual hosting of buckets", Amazon S3 User Guide.
 */
#ifndef LST_HTTP_HOST_H
#define LST_HTTP_HOST_H

#include "base/slice.h"

/*
 * What stands before one of the domains in a host name, which may have a port. Empty if there is
 * nothing: the host is no domain's, or a domain itself. The longest domain that fits counts.
 */
struct lst_slice lst_host_bucket(struct lst_slice host, const struct lst_slice *domains,
                                 size_t domain_count);

#endif
