/* The guest's side of the integers-only form, as Python functions. */
#ifndef OTELWASM_DIRECT_H
#define OTELWASM_DIRECT_H

#include <Python.h>

extern PyMethodDef DIRECT_METHODS[];

#endif
