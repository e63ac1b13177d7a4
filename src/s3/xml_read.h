/*
 * xml_read.h - reading the small XML documents that clients send.
 *
 * Expat, with everything that a document of S3's has no use for refused: document types and
 * entities of its own, more than a few levels, names of elements in other than S3's name space are
 * taken by their local part.
 */
#ifndef LST_S3_XML_READ_H
#define LST_S3_XML_READ_H

#include "base/buffer.h"
#include "base/error.h"

#define LST_XML_DEPTH_MAX 8

/*
 * Read a document. visit() is called at the end of each element, with the path of local names from
 * the root ("Delete/Object/Key") and the element's own text, both valid during the call; a code
 * other than 0 ends the reading and is given back. text_max: bytes; longer text is malformed.
 * LST_ERR_MALFORMED, LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_xml_read(struct lst_slice document, size_t text_max,
                                int (*visit)(void *context, const char *path,
                                             struct lst_slice text),
                                void *context);

#endif
