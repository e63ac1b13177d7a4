/*
 * json_size.h - how much a JSON text would become, before anything is built from it.
 *
 * A parser that builds a tree makes some hundred bytes of two ("{}"), and calls itself for each
 * level. So a stranger's text is measured first, in one pass that keeps nothing.
 */
#ifndef LST_BASE_JSON_SIZE_H
#define LST_BASE_JSON_SIZE_H

#include "base/slice.h"

struct lst_json_size {
    size_t depth;      /* of objects and arrays; 0: none */
    size_t containers; /* objects and arrays */
    size_t separators; /* commas and colons: with the containers, no fewer than there are values */
};

/* The text may be malformed: up to its first error the numbers are right, and a parser builds
 * nothing of what follows. */
struct lst_json_size lst_json_measure(struct lst_slice text);

/* Bytes of memory that the tree takes, no fewer than libjansson's. */
size_t lst_json_memory(const struct lst_json_size *size, struct lst_slice text);

#endif
