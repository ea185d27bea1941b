/* Dropping what meets conditions, and reading one value of each message. */
#ifndef OTELWASM_CONDITION_H
#define OTELWASM_CONDITION_H

#include "walk.h"

/* The SDK's function that writes values as texts, where it has said so. */
extern PyObject *text_of;

/* Takes the messages of a level out that meet all conditions, or with *drops* 0 those that do not;
 * how many, or -1 with an exception. */
Py_ssize_t drop_where(Place *root, const Level *level, PyObject *conditions, int drops);

/* Whether a value is what a condition asks for; -1 with an exception. */
int meets(PyObject *value, PyObject *wanted);

/* A list of the values that each message of a level has for a path; None where it has none. */
PyObject *values_of(Place *root, const Level *level, PyObject *name);

#endif
