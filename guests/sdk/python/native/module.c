/* The module otelwasm_native: what the Python SDK does in C, inside a guest.
 *
 *     check.c   refuses a payload that protobuf's decoder would trap on
 *     direct.c  hands payloads to and from the host without copies
 *     batch.c   goes through a payload and changes it without decoding it: on top of
 *               wire.c (fields), tree.c (changes; its header has the picture), walk.c (levels),
 *               operations.c and condition.c (whole batches), view.c and attributes.c (one by one)
 *     schema.c  what OTLP's messages look like; all of the above are driven by it
 */
#include <Python.h>

#include "check.h"
#include "direct.h"
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
  if (!check_message(start, end, &MESSAGES[ROOTS[signal]], MAX_DEPTH, &refusal)) {
    refusal_raise(&refusal, start);
    return NULL;
  }
  Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"check", native_check, METH_VARARGS,
     "check(payload, signal, /)\n--\n\nRaise ValueError, with the place, for a payload that\n"
     "protobuf would not decode."},
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
                 attributes_type_add(module))) {
    Py_DECREF(module);
    return NULL;
  }
  return module;
}
