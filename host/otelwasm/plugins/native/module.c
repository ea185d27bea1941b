/* The module otelwasm_calls: the host's calls of plugins in the direct form, by the thousand.
 *
 *     guest.c   makes one call of a plugin
 *     inbox.c   queues calls for a worker, and makes them without Python
 *     port.c    brings their answers back to an event loop
 *
 * It knows nothing of wasmtime but the addresses of two functions, which _ffi.py hands in.
 */
#include <Python.h>

#include "guest.h"
#include "inbox.h"
#include "port.h"

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "otelwasm_calls",
    .m_doc = "Calls of plugins in the direct form.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit_otelwasm_calls(void) {
  PyObject *module = PyModule_Create(&MODULE);
  if (!module) return NULL;
  if (guest_add_type(module) || port_add_types(module) || inbox_add_type(module)) {
    Py_DECREF(module);
    return NULL;
  }
  return module;
}
