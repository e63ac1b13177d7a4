/*
 * config_names.h - the names of settings, and which of them somebody may have meant.
 */
#ifndef LST_SERVER_CONFIG_NAMES_H
#define LST_SERVER_CONFIG_NAMES_H

#include "server/config.h"

#define LST_CONFIG_PREFIX   "LATCHSTRING_"
#define LST_CONFIG_NAME_MAX 32 /* bytes of a setting's name, and of what is compared with it */

/* "trusted-proxy" as "TRUSTED_PROXY": its first LST_CONFIG_NAME_MAX bytes, in ret_text. */
struct lst_slice lst_config_variable(struct lst_slice name, char ret_text[LST_CONFIG_NAME_MAX]);

/* Append "; is it trusted-proxy or public-url?" with the settings whose names are similar to the
 * given one, as variables (with the prefix) or as they stand in the file; "." if there is none. */
void lst_config_append_similar(struct lst_slice given, bool is_variable,
                               struct lst_buffer *message);

#endif
