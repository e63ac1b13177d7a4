/* sign.c - presigned URLs for objects of this server's own store. */
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
