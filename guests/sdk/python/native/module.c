/* The module otelwasm_native: what the Python SDK does in C, inside a guest.
 *
 *     check.c   refuses a payload that protobuf's decoder would trap on
 *     direct.c  hands payloads to and from the host without copies
 *     batch.c   goes through a payload and changes it without decoding it: on top of
 *               wire.c (fields), tree.c (changes; its header has the picture), walk.c (levels),
 *               operations.c, condition.c and split.c (whole batches), view.c and attributes.c (one
 *               by one), message.c (new ones), inline.c (what profiles have in tables)
 *     text.c    keeps the texts that come again
 *     schema.c  what OTLP's messages look like; all of the above are driven by it
 */
#include <Python.h>

#include "bound.h"
#include "check.h"
#include "condition.h"
#include "direct.h"
#include "message.h"
#include "view.h"

static PyObject *native_check(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *payload;
  int signal;
  if (!PyArg_ParseTuple(arguments, "Si:check", &payload, &signal)) return NULL;
  if (signal < 0 || signal >= SIGNAL_COUNT) {
    return PyErr_Format(PyExc_ValueError, "a signal is 0 to %d, not %d", SIGNAL_COUNT - 1, signal);
  }
  const uint8_t *start = (const uint8_t *)PyBytes_AsString(payload);
  const uint8_t *end = start + PyBytes_Size(payload);
  Refusal refusal;
  Tally items = {.targets = LEVELS[ITEMS[signal]].targets};
  if (!check_message(start, end, &MESSAGES[ROOTS[signal]], MAX_DEPTH, &refusal, &items)) {
    refusal_raise(&refusal, start, ROOTS[signal]);
    return NULL;
  }
  return PyLong_FromSize_t(items.count);
}

static PyObject *native_encode(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *dict;
  int signal;
  if (!PyArg_ParseTuple(arguments, "Oi:encode", &dict, &signal)) return NULL;
  if (signal < 0 || signal >= SIGNAL_COUNT) {
    return PyErr_Format(PyExc_ValueError, "a signal is 0 to %d, not %d", SIGNAL_COUNT - 1, signal);
  }
  Buffer buffer = {0};
  PyObject *payload = NULL;
  if (!encode_message(&buffer, &MESSAGES[ROOTS[signal]], dict)) {
    payload = PyBytes_FromStringAndSize((const char *)buffer.bytes, (Py_ssize_t)buffer.size);
  }
  buffer_free(&buffer);
  return payload;
}

static PyObject *native_meets(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *value, *wanted;
  if (!PyArg_ParseTuple(arguments, "OO:meets", &value, &wanted)) return NULL;
  int result = meets(value, wanted);
  return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *use_malformed(PyObject *module, PyObject *type) {
  (void)module;
  malformed_error = Py_NewRef(type);
  return Py_NewRef(type);
}

static PyObject *use_text_of(PyObject *module, PyObject *function) {
  (void)module;
  text_of = Py_NewRef(function);
  Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"check", native_check, METH_VARARGS,
     "check(payload, signal, /)\n--\n\nRaise ValueError, with the place, for a payload that\n"
     "protobuf would not decode; give the number of its items."},
    {"encode", native_encode, METH_VARARGS,
     "encode(fields, signal, /)\n--\n\nThe payload of a request that is made of a dict."},
    {"meets", native_meets, METH_VARARGS,
     "meets(value, wanted, /)\n--\n\nWhether a value is what a condition asks for."},
    {"use_malformed", use_malformed, METH_O,
     "use_malformed(type, /)\n--\n\nRaise this exception for malformed payloads, not\n"
     "ValueError; a decorator."},
    {"use_text_of", use_text_of, METH_O,
     "use_text_of(function, /)\n--\n\nWrite values by this function where patterns are matched."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef DEFINITION = {
    PyModuleDef_HEAD_INIT, "otelwasm_native", "What the otelwasm SDK does in C.", -1, METHODS,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_otelwasm_native(void);

PyMODINIT_FUNC PyInit_otelwasm_native(void) {
  PyObject *module = PyModule_Create(&DEFINITION);
  if (module && (PyModule_AddFunctions(module, DIRECT_METHODS) || batch_type_add(module) ||
                 view_types_add(module) || views_types_add(module) ||
                 attributes_type_add(module) || bound_type_add(module))) {
    Py_DECREF(module);
    return NULL;
  }
  return module;
}
