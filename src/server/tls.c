/* tls.c - certificates and keys, and what all sessions share. */
#include "server/tls.h"

#include "base/clock.h"
#include "base/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define PEM_MAX (1024 * 1024) /* bytes */

struct lst_tls {
    const struct lst_config *config;
    pthread_mutex_t mutex; /* of the contexts */
    SSL_CTX *contexts[LST_CONFIG_LIST_MAX];
    size_t count;    /* 0 before the first time that they were read */
    int64_t expires; /* the first of them, in seconds */
};

/* ---- Files */

/* False, reported, if it can't be read. */
static bool read_pem(const char *setting, const char *path, struct lst_buffer *ret_text)
{
    int status = lst_file_read(path, ret_text);

    if (status == LST_ERR_PERMISSION) {
        lst_server_complain(
            "--%s %s: not allowed to read it; let the user who runs the server read "
            "it (chgrp and chmod 640), nobody else",
            setting, path);
    } else if (status != LST_OK) {
        lst_server_complain("--%s %s: %s", setting, path, lst_error_text(status));
    } else if (lst_slice_find_slice(lst_buffer_slice(ret_text), LST_SLICE("-----BEGIN ")) ==
               ret_text->length) {
        lst_server_complain("--%s %s: not a PEM file (it has no line -----BEGIN ...-----)", setting,
                            path);
        status = LST_ERR_MALFORMED;
    }
    return status == LST_OK;
}

static void warn_of_readers(const char *path)
{
    struct stat information;

    if (stat(path, &information) == 0 && (information.st_mode & 07) != 0) {
        lst_server_complain("warning: every user of this machine may read or change the key %s: "
                            "chmod 600 it",
                            path);
    }
}

/* Nobody is there to type a passphrase. */
// NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type has it so
static int refuse_passphrase(char *out, int size, int is_writing, void *context)
{
    (void)out;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

/* The last read found nothing more in the file, rather than something that it can't take. */
static bool is_at_end(void)
{
    unsigned long error = ERR_peek_last_error();

    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* The certificate, and behind it those of its issuers. Gives the number of the first that can't be
 * used, 1 being the certificate itself; 0: all can. */
static int use_chain(SSL_CTX *context, struct lst_slice text)
{
    BIO *source = BIO_new_mem_buf(text.bytes, (int)text.length);
    X509 *certificate = PEM_read_bio_X509_AUX(source, NULL, refuse_passphrase, NULL);
    bool is_good = certificate != NULL && SSL_CTX_use_certificate(context, certificate) == 1;
    int number = 1;
    X509 *issuer;

    X509_free(certificate);
    while (is_good && (issuer = PEM_read_bio_X509(source, NULL, refuse_passphrase, NULL)) != NULL) {
        number++;
        is_good = SSL_CTX_add0_chain_cert(context, issuer) == 1;
        if (!is_good) {
            X509_free(issuer);
        }
    }
    if (is_good) {
        number = is_at_end() ? 0 : number + 1;
    }
    BIO_free(source);
    return number;
}

static bool use_key(SSL_CTX *context, struct lst_slice text)
{
    BIO *source = BIO_new_mem_buf(text.bytes, (int)text.length);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(source, NULL, refuse_passphrase, NULL);
    bool is_good = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;

    EVP_PKEY_free(key);
    BIO_free(source);
    return is_good;
}

static bool use_texts(SSL_CTX *context, const char *certificate_path, struct lst_slice certificate,
                      const char *key_path, struct lst_slice key)
{
    int unusable = use_chain(context, certificate);
    bool is_good = false;

    if (unusable == 1) {
        lst_server_complain("--tls-cert %s: there is no certificate in it that can be used",
                            certificate_path);
    } else if (unusable > 1) {
        lst_server_complain("--tls-cert %s: certificate %d of it can't be read, so clients would "
                            "not trust the first: is the file cut short?",
                            certificate_path, unusable);
    } else if (!use_key(context, key)) {
        lst_server_complain(
            "--tls-key %s: there is no private key in it that belongs to the certificate %s and "
            "can be used: it must be PEM, without a passphrase",
            key_path, certificate_path);
    } else {
        is_good = SSL_CTX_check_private_key(context) == 1;
        if (!is_good) {
            lst_server_complain("the key --tls-key %s does not belong to the certificate "
                                "--tls-cert %s",
                                key_path, certificate_path);
        }
    }
    ERR_clear_error();
    return is_good;
}

/* ---- Dates */

/* Since 1970; 0 if it was before, or can't be read. */
static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts = {0};
    int64_t seconds = ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;

    return seconds > 0 ? seconds : 0;
}

/* Clients refuse one that is out of date; nobody may notice before they do. Gives when it expires.
 */
static int64_t say_validity(const X509 *certificate, const char *path)
{
    int64_t now = lst_clock_now_ms() / 1000;
    int64_t from = seconds_of(X509_get0_notBefore(certificate));
    int64_t until = seconds_of(X509_get0_notAfter(certificate));
    char from_text[LST_ISO8601_LENGTH];
    char until_text[LST_ISO8601_LENGTH];

    lst_clock_format_iso8601(from * 1000, from_text);
    lst_clock_format_iso8601(until * 1000, until_text);
    if (now >= until) {
        lst_server_complain("warning: the certificate --tls-cert %s has expired on %.10s, and "
                            "clients will refuse it: renew it, then send SIGHUP",
                            path, until_text);
    } else if (now < from) {
        lst_server_complain("warning: the certificate --tls-cert %s is not valid before %.10s, and "
                            "clients will refuse it: is the clock of this machine right?",
                            path, from_text);
    } else {
        lst_server_complain("certificate %s: valid until %.10s", path, until_text);
    }
    return until;
}

/* ---- Contexts */

/* Of the protocols that a client offers, HTTP/1.1 (RFC 7301); without it, go on as if it had
 * offered none. */
static int choose_protocol(SSL *session, const unsigned char **ret_name, unsigned char *ret_length,
                           const unsigned char *offered, unsigned length, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *found;

    (void)session;
    (void)context;
    if (SSL_select_next_proto(&found, ret_length, ours, sizeof(ours) - 1, offered, length) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *ret_name = found;
    return SSL_TLSEXT_ERR_OK;
}

/* Of the certificates, the one that is for this name. */
// NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type has it so
static int choose_certificate(SSL *session, int *alert, void *context)
{
    struct lst_tls *tls = context;
    const char *name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (name == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    pthread_mutex_lock(&tls->mutex);
    for (size_t i = 0; i < tls->count; i++) {
        if (X509_check_host(SSL_CTX_get0_certificate(tls->contexts[i]), name, 0, 0, NULL) == 1) {
            (void)SSL_set_SSL_CTX(session, tls->contexts[i]);
            break;
        }
    }
    pthread_mutex_unlock(&tls->mutex);
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(struct lst_tls *tls)
{
    static const unsigned char name[] = "latchstring";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL) {
        return NULL;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets need none */
    (void)SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1);
    (void)SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    (void)SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
    (void)SSL_CTX_set_tlsext_servername_arg(context, tls);
    return context;
}

/* NULL, reported. */
static SSL_CTX *load_context(struct lst_tls *tls, const char *certificate_path,
                             const char *key_path)
{
    struct lst_buffer certificate;
    struct lst_buffer key;
    SSL_CTX *context = make_context(tls);
    bool is_good;

    lst_buffer_init(&certificate, PEM_MAX);
    lst_buffer_init(&key, PEM_MAX);
    is_good = context != NULL && read_pem("tls-cert", certificate_path, &certificate) &&
              read_pem("tls-key", key_path, &key) &&
              use_texts(context, certificate_path, lst_buffer_slice(&certificate), key_path,
                        lst_buffer_slice(&key));
    if (is_good) {
        warn_of_readers(key_path);
    }
    if (key.bytes != NULL) {
        explicit_bzero(key.bytes, key.length);
    }
    lst_buffer_release(&key);
    lst_buffer_release(&certificate);
    if (!is_good) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

static void free_contexts(SSL_CTX **contexts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SSL_CTX_free(contexts[i]);
    }
}

bool lst_tls_reload(struct lst_tls *tls)
{
    const struct lst_config_list *certificates = &tls->config->tls_certificates;
    const struct lst_config_list *keys = &tls->config->tls_keys;
    SSL_CTX *loaded[LST_CONFIG_LIST_MAX];
    SSL_CTX *before[LST_CONFIG_LIST_MAX];
    size_t before_count;
    size_t count;
    int64_t expires;

    for (count = 0; count < certificates->count; count++) {
        loaded[count] =
            load_context(tls, certificates->values[count].bytes, keys->values[count].bytes);
        if (loaded[count] == NULL) {
            free_contexts(loaded, count);
            return false;
        }
    }
    expires = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        int64_t until =
            say_validity(SSL_CTX_get0_certificate(loaded[i]), certificates->values[i].bytes);

        expires = until < expires ? until : expires;
    }
    pthread_mutex_lock(&tls->mutex);
    tls->expires = expires;
    before_count = tls->count;
    for (size_t i = 0; i < before_count; i++) {
        before[i] = tls->contexts[i];
    }
    for (size_t i = 0; i < count; i++) {
        tls->contexts[i] = loaded[i];
    }
    tls->count = count;
    pthread_mutex_unlock(&tls->mutex);
    free_contexts(before, before_count);
    return true;
}

int64_t lst_tls_expires(struct lst_tls *tls)
{
    int64_t expires;

    pthread_mutex_lock(&tls->mutex);
    expires = tls->expires;
    pthread_mutex_unlock(&tls->mutex);
    return expires;
}

struct lst_tls *lst_tls_open(const struct lst_config *config)
{
    struct lst_tls *tls;

    if (!lst_tls_load()) {
        return NULL;
    }
    tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        lst_server_complain("out of memory");
        return NULL;
    }
    tls->config = config;
    pthread_mutex_init(&tls->mutex, NULL);
    if (!lst_tls_reload(tls)) {
        lst_tls_free(tls);
        return NULL;
    }
    return tls;
}

void lst_tls_free(struct lst_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    free_contexts(tls->contexts, tls->count);
    pthread_mutex_destroy(&tls->mutex);
    free(tls);
}

struct ssl_st *lst_tls_begin(struct lst_tls *tls)
{
    SSL *session;

    pthread_mutex_lock(&tls->mutex);
    session = SSL_new(tls->contexts[0]);
    pthread_mutex_unlock(&tls->mutex);
    return session;
}
