/* openapi.h - the description of the API (OpenAPI 3.1), made from openapi.json when building. */
#ifndef LST_API_OPENAPI_H
#define LST_API_OPENAPI_H

extern const char lst_openapi_text[]; /* no NUL at its end */
extern const unsigned long lst_openapi_length;

#endif
