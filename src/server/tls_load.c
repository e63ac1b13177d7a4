/* tls_load.c - OpenSSL, loaded when TLS is asked for: base/library.h. */
#include "server/tls.h"

#include "base/library.h"

/* Callers in other files mean these functions; nobody else does. */
#pragma GCC visibility push(hidden)
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#pragma GCC visibility pop

// clang-format off
#define CONTEXTS(FUNCTION) \
    FUNCTION(const SSL_METHOD *, TLS_server_method, (void), ()) \
    FUNCTION(SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *method), (method)) \
    FUNCTION(void, SSL_CTX_free, (SSL_CTX *context), (context)) \
    FUNCTION(long, SSL_CTX_ctrl, (SSL_CTX *context, int command, long number, void *about), \
             (context, command, number, about)) \
    FUNCTION(long, SSL_CTX_callback_ctrl, (SSL_CTX *context, int command, void (*callback)(void)), \
             (context, command, callback)) \
    FUNCTION(uint64_t, SSL_CTX_set_options, (SSL_CTX *context, uint64_t options), (context, options)) \
    FUNCTION(int, SSL_CTX_set_num_tickets, (SSL_CTX *context, size_t count), (context, count)) \
    FUNCTION(int, SSL_CTX_set_session_id_context, \
             (SSL_CTX *context, const unsigned char *name, unsigned length), (context, name, length)) \
    FUNCTION(void, SSL_CTX_set_alpn_select_cb, \
             (SSL_CTX *context, SSL_CTX_alpn_select_cb_func callback, void *argument), \
             (context, callback, argument)) \
    FUNCTION(int, SSL_CTX_use_certificate, (SSL_CTX *context, X509 *certificate), \
             (context, certificate)) \
    FUNCTION(int, SSL_CTX_use_PrivateKey, (SSL_CTX *context, EVP_PKEY *key), (context, key)) \
    FUNCTION(int, SSL_CTX_check_private_key, (const SSL_CTX *context), (context)) \
    FUNCTION(X509 *, SSL_CTX_get0_certificate, (const SSL_CTX *context), (context))

#define SESSIONS(FUNCTION) \
    FUNCTION(SSL *, SSL_new, (SSL_CTX *context), (context)) \
    FUNCTION(void, SSL_free, (SSL *session), (session)) \
    FUNCTION(SSL_CTX *, SSL_set_SSL_CTX, (SSL *session, SSL_CTX *context), (session, context)) \
    FUNCTION(void, SSL_set_accept_state, (SSL *session), (session)) \
    FUNCTION(void, SSL_set_bio, (SSL *session, BIO *in, BIO *out), (session, in, out)) \
    FUNCTION(BIO *, SSL_get_wbio, (const SSL *session), (session)) \
    FUNCTION(int, SSL_do_handshake, (SSL *session), (session)) \
    FUNCTION(int, SSL_is_init_finished, (const SSL *session), (session)) \
    FUNCTION(int, SSL_read_ex, (SSL *session, void *out, size_t size, size_t *ret_length), \
             (session, out, size, ret_length)) \
    FUNCTION(int, SSL_write_ex, \
             (SSL *session, const void *bytes, size_t length, size_t *ret_length), \
             (session, bytes, length, ret_length)) \
    FUNCTION(int, SSL_has_pending, (const SSL *session), (session)) \
    FUNCTION(int, SSL_get_error, (const SSL *session, int result), (session, result)) \
    FUNCTION(int, SSL_shutdown, (SSL *session), (session)) \
    FUNCTION(const char *, SSL_get_servername, (const SSL *session, const int type), \
             (session, type)) \
    FUNCTION(int, SSL_select_next_proto, \
             (unsigned char **ret_name, unsigned char *ret_length, const unsigned char *ours, \
              unsigned our_length, const unsigned char *offered, unsigned offered_length), \
             (ret_name, ret_length, ours, our_length, offered, offered_length))

#define STREAMS(FUNCTION) \
    FUNCTION(BIO *, BIO_new, (const BIO_METHOD *method), (method)) \
    FUNCTION(BIO *, BIO_new_mem_buf, (const void *bytes, int length), (bytes, length)) \
    FUNCTION(int, BIO_free, (BIO *stream), (stream)) \
    FUNCTION(void *, BIO_get_data, (BIO *stream), (stream)) \
    FUNCTION(void, BIO_set_data, (BIO *stream, void *data), (stream, data)) \
    FUNCTION(void, BIO_set_init, (BIO *stream, int is_ready), (stream, is_ready)) \
    FUNCTION(void, BIO_set_flags, (BIO *stream, int flags), (stream, flags)) \
    FUNCTION(void, BIO_clear_flags, (BIO *stream, int flags), (stream, flags)) \
    FUNCTION(int, BIO_test_flags, (const BIO *stream, int flags), (stream, flags)) \
    FUNCTION(int, BIO_get_new_index, (void), ()) \
    FUNCTION(BIO_METHOD *, BIO_meth_new, (int type, const char *name), (type, name)) \
    FUNCTION(int, BIO_meth_set_create, (BIO_METHOD *method, int (*create)(BIO *)), (method, create)) \
    FUNCTION(int, BIO_meth_set_read, (BIO_METHOD *method, int (*read)(BIO *, char *, int)), \
             (method, read)) \
    FUNCTION(int, BIO_meth_set_write, (BIO_METHOD *method, int (*write)(BIO *, const char *, int)), \
             (method, write)) \
    FUNCTION(int, BIO_meth_set_ctrl, (BIO_METHOD *method, long (*ctrl)(BIO *, int, long, void *)), \
             (method, ctrl))

#define CERTIFICATES(FUNCTION) \
    FUNCTION(X509 *, PEM_read_bio_X509, \
             (BIO *source, X509 **into, pem_password_cb *ask, void *argument), \
             (source, into, ask, argument)) \
    FUNCTION(X509 *, PEM_read_bio_X509_AUX, \
             (BIO *source, X509 **into, pem_password_cb *ask, void *argument), \
             (source, into, ask, argument)) \
    FUNCTION(EVP_PKEY *, PEM_read_bio_PrivateKey, \
             (BIO *source, EVP_PKEY **into, pem_password_cb *ask, void *argument), \
             (source, into, ask, argument)) \
    FUNCTION(void, X509_free, (X509 *certificate), (certificate)) \
    FUNCTION(const ASN1_TIME *, X509_get0_notBefore, (const X509 *certificate), (certificate)) \
    FUNCTION(const ASN1_TIME *, X509_get0_notAfter, (const X509 *certificate), (certificate)) \
    FUNCTION(int, ASN1_TIME_to_tm, (const ASN1_TIME *time, struct tm *ret_time), (time, ret_time)) \
    FUNCTION(int, X509_check_host, \
             (X509 *certificate, const char *name, size_t length, unsigned flags, char **ret_name), \
             (certificate, name, length, flags, ret_name)) \
    FUNCTION(void, EVP_PKEY_free, (EVP_PKEY *key), (key)) \
    FUNCTION(unsigned long, ERR_peek_last_error, (void), ()) \
    FUNCTION(void, ERR_clear_error, (void), ())
// clang-format on

CONTEXTS(LST_LIBRARY_DEFINE)
SESSIONS(LST_LIBRARY_DEFINE)
STREAMS(LST_LIBRARY_DEFINE)
CERTIFICATES(LST_LIBRARY_DEFINE)

static const struct lst_library_function functions[] = {CONTEXTS(LST_LIBRARY_ENTRY) SESSIONS(
    LST_LIBRARY_ENTRY) STREAMS(LST_LIBRARY_ENTRY) CERTIFICATES(LST_LIBRARY_ENTRY)};

/* It brings libcrypto, whose functions are found with its own. */
static struct lst_library library = {
    .file = "libssl.so.3",
    .functions = functions,
    .count = sizeof(functions) / sizeof(functions[0]),
    .mutex = PTHREAD_MUTEX_INITIALIZER,
};

bool lst_tls_load(void)
{
    const char *reason;

    if (lst_library_load(&library, &reason) != LST_OK) {
        lst_server_complain("--tls-cert: cannot load OpenSSL (%s): install it (in Debian: libssl3)",
                            reason);
        return false;
    }
    return true;
}
