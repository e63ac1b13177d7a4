/* file.h - small whole files: configuration, certificates, the root user's keys. */
#ifndef LST_BASE_FILE_H
#define LST_BASE_FILE_H

#include "base/buffer.h"

/* Read all of it. LST_ERR_TOO_LARGE: more than the buffer's limit. LST_ERR_NOT_FOUND, _PERMISSION,
 * _IO. */
LST_MUST_CHECK int lst_file_read(const char *path, struct lst_buffer *ret_content);

/*
 * Write a file so that a crash leaves the old one or the new one, never a part: temporary name,
 * sync, rename, sync of the folder. mode: 0600 for secrets. LST_ERR_UNKNOWN: the new one is there,
 * but after a power cut it may be the old one again. After every other failure it is the old one.
 */
LST_MUST_CHECK int lst_file_write(const char *path, struct lst_slice content, unsigned mode);

/* Make a folder, readable by its owner alone, unless it is there already. Its parent must exist.
 * The name survives a crash, whoever made the folder. */
LST_MUST_CHECK int lst_folder_make(const char *path);

/* Sync a folder, so that the names in it survive a crash. */
LST_MUST_CHECK int lst_folder_sync(const char *path);

/* Sync the folder that a file or folder is in, so that its name survives a crash. */
LST_MUST_CHECK int lst_file_sync_name(const char *path);

#endif
