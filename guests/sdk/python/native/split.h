/* Taking a batch apart by a key for each of its items. */
#ifndef OTELWASM_SPLIT_H
#define OTELWASM_SPLIT_H

#include "walk.h"

/* A dict: for each of the keys a payload with the messages of the level that have it, in order,
 * below what they are in. *keys*: a list of one for each. The batch stays as it is. */
PyObject *split_by(Place *root, const Level *level, PyObject *keys);

#endif
