/* list_parts.h - what the listings of parts and of uploads share. */
#ifndef LST_S3_LIST_PARTS_H
#define LST_S3_LIST_PARTS_H

#include "s3/list.h"
#include "s3/upload_checksum.h"

/* Read how many entries a page shall have: a parameter, or an x-amz- header's text; at most
 * LST_LIST_KEYS_MAX, which it also is without one. False, having answered, if it is no number. */
bool lst_page_count_read(struct lst_s3_exchange *exchange, const char *name, struct lst_slice text,
                         uint64_t *ret_count);

/* Read the number of the part after which a page begins; 0 without one. The same. */
bool lst_part_marker_read(struct lst_s3_exchange *exchange, const char *name, struct lst_slice text,
                          uint32_t *ret_marker);

/* <Initiator> and <Owner> of an upload, and the storage class that it will have. */
void lst_upload_write_owner(struct lst_buffer *body, struct lst_s3_exchange *exchange,
                            const struct lst_bucket_sight *sight);

/* <ChecksumAlgorithm> and <ChecksumType>, if they were agreed. */
void lst_upload_write_checksum(struct lst_buffer *body, const struct lst_upload_checksum *agreed);

#endif
