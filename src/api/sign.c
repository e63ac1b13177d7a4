/* sign.c - presigned URLs, with the key of whoever asks or with that of a remote. */
#include "api/sign.h"

/* Split "https://host/" into scheme and host. */
static void set_place(struct lst_signing *signing, struct lst_slice base)
{
    size_t colon = lst_slice_find_slice(base, LST_SLICE("://"));
    struct lst_slice host = lst_slice_after(base, colon + 3);

    signing->scheme = lst_slice_first(base, colon);
    signing->host = lst_slice_first(host, lst_slice_find(host, '/'));
}

static int append_url(const struct lst_signing *signing, const struct lst_key *key,
                      struct lst_buffer *out)
{
    size_t bound = lst_presign_bound(signing, key);
    char *room = lst_buffer_reserve(out, bound);
    size_t length;
    int status;

    if (room == NULL) {
        return lst_buffer_status(out);
    }
    status = lst_presign(signing, key, room, bound, &length);
    if (status == LST_OK) {
        out->length += length;
    }
    return status;
}

int lst_api_sign(const struct lst_api_exchange *exchange, const struct lst_bearer *bearer,
                 struct lst_signing signing, struct lst_buffer *out)
{
    const struct lst_api_options *options = &exchange->api->options;
    struct lst_buffer base;
    struct lst_key key;
    int status;

    lst_buffer_init(&base, LST_API_URL_MAX);
    lst_api_base_url(exchange, &base);
    status = lst_buffer_status(&base);
    if (status == LST_OK) {
        set_place(&signing, lst_buffer_slice(&base));
        signing.style = LST_PATH_STYLE;
        status = lst_gate_bearer_key(options->gate, bearer, options->region, signing.time, &key,
                                     &signing.access_key_id);
    }
    if (status == LST_OK) {
        status = append_url(&signing, &key, out);
        lst_wipe(&key, sizeof(key));
    }
    lst_buffer_release(&base);
    return status;
}

static int remote_key(const struct lst_remote *remote, int64_t now, struct lst_key *ret_key)
{
    return lst_key_init(ret_key, lst_slice_of(remote->secret), now, lst_slice_of(remote->region),
                        LST_SLICE("s3"));
}

int lst_remote_sign(const struct lst_remote *remote, struct lst_signing signing,
                    struct lst_buffer *out)
{
    struct lst_key key;
    int status = remote_key(remote, signing.time, &key);

    if (status == LST_OK) {
        set_place(&signing, lst_slice_of(remote->endpoint));
        signing.style = remote->is_virtual ? LST_VIRTUAL_HOST : LST_PATH_STYLE;
        signing.access_key_id = lst_slice_of(remote->access_key_id);
        signing.session_token = lst_slice_of(remote->session_token);
        status = append_url(&signing, &key, out);
        lst_wipe(&key, sizeof(key));
    }
    return status;
}

int lst_api_sign_for(const struct lst_api_exchange *exchange, const struct lst_bearer *bearer,
                     const struct lst_remote *remote, struct lst_signing signing,
                     struct lst_buffer *out)
{
    return remote == NULL ? lst_api_sign(exchange, bearer, signing, out)
                          : lst_remote_sign(remote, signing, out);
}

int lst_api_signing_key(const struct lst_api_exchange *exchange, const struct lst_remote *remote,
                        int64_t now, struct lst_key *ret_key, struct lst_slice *ret_access_key_id)
{
    const struct lst_api_options *options = &exchange->api->options;

    if (remote == NULL) {
        return lst_gate_bearer_key(options->gate, &exchange->bearer, options->region, now, ret_key,
                                   ret_access_key_id);
    }
    *ret_access_key_id = lst_slice_of(remote->access_key_id);
    return remote_key(remote, now, ret_key);
}

void lst_api_bucket_url(const struct lst_api_exchange *exchange, const struct lst_remote *remote,
                        struct lst_slice bucket, struct lst_buffer *out)
{
    struct lst_signing place = {0};

    if (remote != NULL && remote->is_virtual) {
        set_place(&place, lst_slice_of(remote->endpoint));
        lst_buffer_append_format(out, "%.*s://%.*s.%.*s/", (int)place.scheme.length,
                                 place.scheme.bytes, (int)bucket.length, bucket.bytes,
                                 (int)place.host.length, place.host.bytes);
        return;
    }
    if (remote == NULL) {
        lst_api_base_url(exchange, out);
    } else {
        lst_buffer_append_string(out, remote->endpoint);
    }
    if (out->length > 0 && out->bytes[out->length - 1] != '/') {
        lst_buffer_append_byte(out, '/');
    }
    lst_buffer_append(out, bucket);
    lst_buffer_append_byte(out, '/');
}
