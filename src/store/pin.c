/* pin.c - which uploads' parts are in use. */
#include "store/pin.h"

#include "store/row.h"

#include <stdlib.h>

struct lst_pin {
    struct lst_pin *next;
    char upload_id[LST_ROW_UPLOAD_ID_SIZE];
    size_t count;
    bool is_asked_for;
};

void lst_pins_init(struct lst_pins *pins)
{
    *pins = (struct lst_pins){0};
    pthread_mutex_init(&pins->lock, NULL);
}

void lst_pins_release(struct lst_pins *pins)
{
    pthread_mutex_destroy(&pins->lock);
}

/* Where the pin of the upload is linked, or would be. The last byte of an id is random. */
static struct lst_pin **find(struct lst_pins *pins, struct lst_slice upload_id)
{
    uint8_t last = (uint8_t)upload_id.bytes[LST_ROW_UPLOAD_ID_SIZE - 1];
    struct lst_pin **link = &pins->slots[last % LST_PIN_SLOTS];

    while (*link != NULL &&
           memcmp((*link)->upload_id, upload_id.bytes, LST_ROW_UPLOAD_ID_SIZE) != 0) {
        link = &(*link)->next;
    }
    return link;
}

int lst_pins_add(struct lst_pins *pins, struct lst_slice upload_id)
{
    struct lst_pin **link;
    int status = LST_OK;

    pthread_mutex_lock(&pins->lock);
    link = find(pins, upload_id);
    if (*link == NULL) {
        struct lst_pin *pin = calloc(1, sizeof(*pin));
        if (pin == NULL) {
            status = LST_ERR_NO_MEMORY;
        } else {
            memcpy(pin->upload_id, upload_id.bytes, LST_ROW_UPLOAD_ID_SIZE);
            *link = pin;
        }
    }
    if (status == LST_OK) {
        (*link)->count++;
    }
    pthread_mutex_unlock(&pins->lock);
    return status;
}

bool lst_pins_ask(struct lst_pins *pins, struct lst_slice upload_id)
{
    struct lst_pin *pin;

    pthread_mutex_lock(&pins->lock);
    pin = *find(pins, upload_id);
    if (pin != NULL) {
        pin->is_asked_for = true;
    }
    pthread_mutex_unlock(&pins->lock);
    return pin != NULL;
}

bool lst_pins_remove(struct lst_pins *pins, struct lst_slice upload_id)
{
    struct lst_pin **link;
    bool is_asked_for = false;

    pthread_mutex_lock(&pins->lock);
    link = find(pins, upload_id);
    if (*link != NULL && --(*link)->count == 0) {
        struct lst_pin *pin = *link;
        is_asked_for = pin->is_asked_for;
        *link = pin->next;
        free(pin);
    }
    pthread_mutex_unlock(&pins->lock);
    return is_asked_for;
}
