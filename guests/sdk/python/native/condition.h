/* Dropping what meets conditions. */
#ifndef OTELWASM_CONDITION_H
#define OTELWASM_CONDITION_H

#include "walk.h"

/* Drops the messages of a level that meet all conditions (or, with drops == 0, all others):
 * how many, or -1 with an exception. */
Py_ssize_t drop_where(Place *root, const Level *level, PyObject *conditions, int drops);

#endif
