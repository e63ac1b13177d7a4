/*
 * pin.h - which uploads' parts are in use, so that the housekeeper leaves them alone.
 *
 * Who reads an object that was uploaded in parts may do so for hours, while the object is deleted.
 * It pins the upload under whose id the parts are. A pin counts for what is read after it: whoever
 * read the object's row before the pin must look again whether it is still there.
 */
#ifndef LST_STORE_PIN_H
#define LST_STORE_PIN_H

#include "base/error.h"
#include "base/slice.h"

#include <pthread.h>

enum { LST_PIN_SLOTS = 256 };

struct lst_pin;

struct lst_pins {
    pthread_mutex_t lock;
    struct lst_pin *slots[LST_PIN_SLOTS];
};

void lst_pins_init(struct lst_pins *pins);
/* There must be no pin. */
void lst_pins_release(struct lst_pins *pins);

/* Pin an upload, by its id of LST_ROW_UPLOAD_ID_SIZE bytes; as often as one likes.
 * LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_pins_add(struct lst_pins *pins, struct lst_slice upload_id);

/* Whether an upload is pinned. If so the last of its pins will say that it was asked for. */
bool lst_pins_ask(struct lst_pins *pins, struct lst_slice upload_id);

/* Remove a pin. True: it was the last one, and meanwhile the upload was asked for. */
bool lst_pins_remove(struct lst_pins *pins, struct lst_slice upload_id);

#endif
