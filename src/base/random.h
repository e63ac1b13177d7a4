/* random.h - random bytes from the kernel. */
#ifndef LST_BASE_RANDOM_H
#define LST_BASE_RANDOM_H

#include "base/slice.h"

/* Fill with bytes fit for keys. Never fails on a running system; ends the process where the kernel
 * has none to give. */
void lst_random_bytes(void *ret_bytes, size_t length);

/* Characters drawn evenly from the alphabet (at most 64 characters of it are used). No NUL. */
void lst_random_text(struct lst_slice alphabet, char *ret_text, size_t length);

#endif
