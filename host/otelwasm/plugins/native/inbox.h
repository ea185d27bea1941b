/* What waits for one worker. */
#ifndef OTELWASM_INBOX_H
#define OTELWASM_INBOX_H

#include <Python.h>

int inbox_add_type(PyObject *module);

#endif
