/* tls.c - certificate and key: read once, at start. */
#include "server/listen.h"

#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>

#define PEM_MAX (1024 * 1024) /* bytes */

/* NULL, reported, if it can't be read. */
static char *read_pem(const char *setting, const char *path)
{
    struct lst_buffer content;
    char *text = NULL;
    int status;

    lst_buffer_init(&content, PEM_MAX);
    status = lst_file_read(path, &content);
    if (status == LST_OK) {
        text = lst_slice_to_string(lst_buffer_slice(&content));
        status = text == NULL ? LST_ERR_NO_MEMORY : LST_OK;
    }
    if (content.bytes != NULL) {
        explicit_bzero(content.bytes, content.length);
    }
    lst_buffer_release(&content);
    if (status == LST_ERR_PERMISSION) {
        lst_server_complain(
            "--%s %s: not allowed to read it; let the user who runs the server read "
            "it (chgrp and chmod 640), nobody else",
            setting, path);
    } else if (status != LST_OK) {
        lst_server_complain("--%s %s: %s", setting, path, lst_error_text(status));
    } else if (strstr(text, "-----BEGIN ") == NULL) {
        lst_server_complain("--%s %s: not a PEM file (it has no line -----BEGIN ...-----)", setting,
                            path);
        free(text);
        text = NULL;
    }
    return text;
}

bool lst_listen_read_tls(struct lst_server *server)
{
    const struct lst_config *config = server->config;
    struct stat information;

    if (config->tls_certificate[0] == '\0') {
        return true;
    }
    server->tls_certificate = read_pem("tls-cert", config->tls_certificate);
    if (server->tls_certificate == NULL) {
        return false;
    }
    server->tls_key = read_pem("tls-key", config->tls_key);
    if (server->tls_key != NULL && stat(config->tls_key, &information) == 0 &&
        (information.st_mode & 07) != 0) {
        lst_server_complain("warning: every user of this machine may read or change the key %s: "
                            "chmod 600 it",
                            config->tls_key);
    }
    return server->tls_key != NULL;
}
