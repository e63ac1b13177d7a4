/*
 * cors_cache.h - the rules of buckets that were parsed lately.
 *
 * Anybody may send preflights, and each asks the rules of a bucket. They are found by the text that
 * the bucket has now, so a change is seen at once.
 */
#ifndef LST_S3_CORS_CACHE_H
#define LST_S3_CORS_CACHE_H

#include "s3/cors.h"

struct lst_cors_cache;

LST_MUST_CHECK int lst_cors_cache_open(struct lst_cors_cache **ret_cache);
void lst_cors_cache_close(struct lst_cors_cache *cache);

/* lst_cors_rules_match() for a document. Any thread. Codes of that and of lst_cors_rules_parse();
 * ret_rule is to be released either way. */
LST_MUST_CHECK int lst_cors_cache_match(struct lst_cors_cache *cache, struct lst_slice document,
                                        const struct lst_cors_question *question,
                                        struct lst_cors_rule *ret_rule);

#endif
