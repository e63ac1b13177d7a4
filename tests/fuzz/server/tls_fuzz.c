/*
 * tls_fuzz.c - any bytes on a connection to a whole server that speaks TLS, and runs in this
 * process: the connection must end, and each answer must be whole.
 *
 * Input: a byte, and the bytes. The byte says in how many pieces they go (its lowest three bits),
 * whether the client speaks TLS 1.2 (bit 5), whether it leaves without saying so (bit 6), and what
 * the bytes are (bits 3 and 4):
 * - requests, as whole_server.h has them; each piece is a record;
 * - what the client sends instead of a handshake;
 * - what it sends behind its handshake, where records should be;
 * - changes of its first message, three bytes for each: where (two), and what is flipped there.
 */
#include "whole_server.h"

#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum { REQUESTS, INSTEAD, BEHIND, CHANGES };

static SSL_CTX *context;

/* ---- A certificate */

static void write_pem(const char *path, EVP_PKEY *key, X509 *certificate)
{
    BIO *file = BIO_new_file(path, "w");

    require(file != NULL && PEM_write_bio_X509(file, certificate) == 1 &&
                PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1,
            "a certificate can be written");
    BIO_free(file);
    require(chmod(path, 0600) == 0, "it is for its owner");
}

static void make_certificate(const char *path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                       -1, -1, 0) == 1 &&
                X509_set_issuer_name(certificate, name) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL &&
                X509_set_pubkey(certificate, key) == 1 &&
                X509_sign(certificate, key, EVP_sha256()) > 0,
            "a certificate can be made");
    write_pem(path, key, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void free_context(void)
{
    SSL_CTX_free(context);
}

static void start_with_tls(void)
{
    char path[64];
    const char *const settings[] = {"tls-cert", path, "tls-key", path, NULL};

    require(lst_tls_load(), "OpenSSL can be loaded"); /* its functions here are the server's */
    make_folder();
    (void)snprintf(path, sizeof(path), "%s/tls.pem", folder);
    make_certificate(path);
    start(settings);
    context = SSL_CTX_new(TLS_client_method());
    require(context != NULL, "a client can be made");
    (void)SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)atexit(free_context);
}

/* ---- A client */

/* False if the server has closed the connection. */
static bool send_raw(int client, const char *bytes, size_t length, unsigned pieces)
{
    size_t piece = length / (pieces + 1) + 1;

    while (length > 0) {
        ssize_t done = send(client, bytes, piece < length ? piece : length, MSG_NOSIGNAL);

        if (done <= 0) {
            require(errno == EPIPE || errno == ECONNRESET, "it reads, or closes");
            return false;
        }
        bytes += done;
        length -= (size_t)done;
    }
    return true;
}

/* Until the connection ends: what comes is alerts, or no TLS at all. */
static void receive_raw(int client)
{
    ssize_t got;

    (void)shutdown(client, SHUT_WR);
    do {
        got = recv(client, received, sizeof(received) - 1, 0);
    } while (got > 0);
    require(got == 0 || errno == ECONNRESET, "it closes the connection");
}

static void send_records(SSL *session, const char *bytes, size_t length, unsigned pieces)
{
    size_t piece = length / (pieces + 1) + 1;
    size_t done = 0;

    while (length > 0 &&
           SSL_write_ex(session, bytes, piece < length ? piece : length, &done) == 1) {
        bytes += done;
        length -= done;
    }
}

/* All that comes, as text; SIZE_MAX if the connection was reset. */
static size_t receive_records(SSL *session)
{
    size_t length = 0;
    size_t got = 0;

    ERR_clear_error(); /* what could not be sent to a server that has closed is no fault of it */
    while (SSL_read_ex(session, received + length, sizeof(received) - 1 - length, &got) == 1) {
        length += got;
        received[length] = '\0';
        require(length < sizeof(received) - 1, "so much was not asked for");
    }
    switch (SSL_get_error(session, 0)) {
    case SSL_ERROR_ZERO_RETURN:
        return length;
    case SSL_ERROR_SYSCALL:
        require(errno == ECONNRESET || errno == EPIPE, "it closes the connection");
        return SIZE_MAX;
    default:
        ERR_print_errors_fp(stderr);
        require(false, "what it sends is TLS");
        return SIZE_MAX;
    }
}

/* ---- What is sent */

static void ask(SSL *session, int client, const uint8_t *bytes, size_t size, uint8_t how)
{
    size_t length = expand(bytes, size);

    send_records(session, sent, length, how % 8);
    if ((how & 0x40) == 0) {
        (void)SSL_shutdown(session);
    }
    (void)shutdown(client, SHUT_WR);
    length = receive_records(session);
    if (length != SIZE_MAX) {
        check_answers(length);
    }
}

/* The first message of a client, changed. */
static void greet(SSL *session, int client, const uint8_t *changes, size_t size, unsigned pieces)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *message;
    size_t length;

    SSL_set_bio(session, BIO_new(BIO_s_mem()), out);
    (void)SSL_do_handshake(session);
    length = (size_t)BIO_get_mem_data(out, &message);
    require(length > 0, "the client says something");
    for (size_t i = 0; i + 2 < size; i += 3) {
        message[(size_t)(changes[i] << 8 | changes[i + 1]) % length] ^= (char)changes[i + 2];
    }
    (void)send_raw(client, message, length, pieces);
    receive_raw(client);
}

static void run(SSL *session, int client, const uint8_t *bytes, size_t size, uint8_t how)
{
    unsigned kind = how >> 3 & 3;

    if (kind == CHANGES) {
        greet(session, client, bytes, size, how % 8);
        return;
    }
    if (kind != INSTEAD) {
        require(SSL_set_fd(session, client) == 1 && SSL_connect(session) == 1,
                "it takes part in a handshake");
    }
    if (kind == REQUESTS) {
        ask(session, client, bytes, size, how);
        return;
    }
    (void)send_raw(client, (const char *)bytes, size, how % 8);
    receive_raw(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    SSL *session;
    int client;

    if (server.engine == NULL) {
        start_with_tls();
    }
    if (size == 0) {
        return 0;
    }
    received[0] = '\0';
    client = connect_to_server();
    session = SSL_new(context);
    require(session != NULL, "there is memory for a session");
    SSL_set_connect_state(session);
    if ((bytes[0] & 0x20) != 0) {
        (void)SSL_set_max_proto_version(session, TLS1_2_VERSION);
    }
    run(session, client, bytes + 1, size - 1, bytes[0]);
    SSL_free(session);
    (void)close(client);
    return 0;
}
