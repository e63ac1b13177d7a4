/* form.h - the limits of POST forms. */
#ifndef LST_SIGV4_FORM_H
#define LST_SIGV4_FORM_H

#include "text.h"

/* Fields of one form but the file. */
#define LST_INTERNAL_FORM_FIELDS_MAX LST_PARAMETERS_MAX

/* Bytes of a policy in base64: S3 limits the whole form but the file to 20,000. */
#define LST_INTERNAL_POLICY_MAX 20000

#endif
