/* Bounds for numbers, to be met in a condition. */
#ifndef OTELWASM_BOUND_H
#define OTELWASM_BOUND_H

#include <Python.h>

int bound_check(PyObject *object);
/* 1 where the value is a number within the bound; -1 with an exception. */
int bound_holds(PyObject *bound, PyObject *value);
int bound_type_add(PyObject *module);

#endif
