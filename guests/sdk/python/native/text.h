/* Python's texts of those on the wire. */
#ifndef OTELWASM_TEXT_H
#define OTELWASM_TEXT_H

#include <Python.h>

/* A new reference to a str; NULL with an exception for what is not UTF-8. */
PyObject *text_decode(const uint8_t *data, const uint8_t *end);

/* A list of names with one more, for messages: "name, kind". Takes *names*, which is NULL before
 * the first; NULL with an exception. */
PyObject *text_listed(PyObject *names, const char *name);

#endif
