/* curl_load.h - libcurl, which is loaded when it is first used: base/library.h. */
#ifndef LST_API_CURL_LOAD_H
#define LST_API_CURL_LOAD_H

#include "base/error.h"

/*
 * To be called before any function of libcurl, curl_easy_strerror() excepted; it sees to
 * curl_global_init() too. Any thread may, and as often as it likes. LST_ERR_NO_LIBRARY: libcurl is
 * not there, and *ret_reason (NULL: not wanted) says why, as in base/library.h.
 */
LST_MUST_CHECK int lst_curl_load(const char **ret_reason);

#endif
