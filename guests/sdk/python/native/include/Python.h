/* CPython's stable ABI, as far as protobuf's C core and our own extension use it.
 *
 * Why it is here: a plugin's author has no CPython headers (a fresh Debian ships none), and no
 * header of the machine's Python fits a 32-bit guest. The stable ABI is a fixed contract
 * (PEP 384, docs.python.org/3/c-api/stable.html), so it can be declared from its documentation.
 * Everything is sized by the compiler's own pointers: it serves wasm32 and native builds alike.
 * tests/native compares it with the headers of a real CPython where one is installed.
 *
 * Structs, numbers and macros are in this file, functions and data in pyfunctions.h.
 */
#ifndef OTELWASM_PYTHON_H
#define OTELWASM_PYTHON_H

/* What CPython's own Python.h brings along, and code therefore takes for granted. */
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What this header is good for: the guest's CPython, natively any from 3.11 up. */
#ifdef __wasm32__
#define PY_VERSION_HEX 0x030E0000
#else
#define PY_VERSION_HEX 0x030B0000
#endif

typedef intptr_t Py_ssize_t;
typedef Py_ssize_t Py_hash_t;

#define PY_SSIZE_T_MAX INTPTR_MAX
#define PY_SSIZE_T_MIN INTPTR_MIN

/* ---- objects ---------------------------------------------------------------------------- */

typedef struct _typeobject PyTypeObject;
typedef struct _longobject PyLongObject;

typedef struct _object {
  Py_ssize_t ob_refcnt;
  PyTypeObject *ob_type;
} PyObject;

typedef struct {
  PyObject ob_base;
  Py_ssize_t ob_size;
} PyVarObject;

#define PyObject_HEAD PyObject ob_base;
#define PyObject_HEAD_INIT(type) {1, (type)},

typedef void (*freefunc)(void *);
typedef void (*destructor)(PyObject *);
typedef int (*visitproc)(PyObject *, void *);
typedef int (*traverseproc)(PyObject *, visitproc, void *);
typedef int (*inquiry)(PyObject *);
typedef PyObject *(*newfunc)(PyTypeObject *, PyObject *, PyObject *);
typedef PyObject *(*allocfunc)(PyTypeObject *, Py_ssize_t);
typedef PyObject *(*getattrofunc)(PyObject *, PyObject *);
typedef int (*setattrofunc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*getter)(PyObject *, void *);
typedef int (*setter)(PyObject *, PyObject *, void *);
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*PyCFunctionFast)(PyObject *, PyObject *const *, Py_ssize_t);

/* ---- types, methods, modules ------------------------------------------------------------ */

typedef struct {
  const char *ml_name;
  PyCFunction ml_meth;
  int ml_flags;
  const char *ml_doc;
} PyMethodDef;

#define METH_VARARGS 0x0001
#define METH_KEYWORDS 0x0002
#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_CLASS 0x0010
#define METH_STATIC 0x0020
#define METH_FASTCALL 0x0080

typedef struct {
  const char *name;
  getter get;
  setter set;
  const char *doc;
  void *closure;
} PyGetSetDef;

typedef struct {
  int slot;
  void *pfunc;
} PyType_Slot;

typedef struct {
  const char *name;
  int basicsize;
  int itemsize;
  unsigned int flags;
  PyType_Slot *slots;
} PyType_Spec;

#define Py_mp_ass_subscript 3
#define Py_mp_length 4
#define Py_mp_subscript 5
#define Py_sq_ass_item 39
#define Py_sq_contains 41
#define Py_sq_item 44
#define Py_sq_length 45
#define Py_tp_clear 51
#define Py_tp_dealloc 52
#define Py_tp_doc 56
#define Py_tp_getattro 58
#define Py_tp_hash 59
#define Py_tp_init 60
#define Py_tp_iter 62
#define Py_tp_iternext 63
#define Py_tp_methods 64
#define Py_tp_new 65
#define Py_tp_repr 66
#define Py_tp_richcompare 67
#define Py_tp_setattro 69
#define Py_tp_str 70
#define Py_tp_traverse 71
#define Py_tp_getset 73
#define Py_tp_free 74

#define Py_TPFLAGS_MANAGED_WEAKREF (1 << 3) /* CPython 3.12 and later, as the guest has */
#define Py_TPFLAGS_DISALLOW_INSTANTIATION (1UL << 7)
#define Py_TPFLAGS_HEAPTYPE (1UL << 9)
#define Py_TPFLAGS_BASETYPE (1UL << 10)
#define Py_TPFLAGS_HAVE_GC (1UL << 14)
#define Py_TPFLAGS_LONG_SUBCLASS (1UL << 24)
#define Py_TPFLAGS_LIST_SUBCLASS (1UL << 25)
#define Py_TPFLAGS_TUPLE_SUBCLASS (1UL << 26)
#define Py_TPFLAGS_BYTES_SUBCLASS (1UL << 27)
#define Py_TPFLAGS_UNICODE_SUBCLASS (1UL << 28)
#define Py_TPFLAGS_DICT_SUBCLASS (1UL << 29)
#define Py_TPFLAGS_DEFAULT 0

typedef struct PyModuleDef_Slot PyModuleDef_Slot;

typedef struct {
  PyObject_HEAD
  PyObject *(*m_init)(void);
  Py_ssize_t m_index;
  PyObject *m_copy;
} PyModuleDef_Base;

typedef struct PyModuleDef {
  PyModuleDef_Base m_base;
  const char *m_name;
  const char *m_doc;
  Py_ssize_t m_size;
  PyMethodDef *m_methods;
  PyModuleDef_Slot *m_slots;
  traverseproc m_traverse;
  inquiry m_clear;
  freefunc m_free;
} PyModuleDef;

#define PyModuleDef_HEAD_INIT {PyObject_HEAD_INIT(NULL) NULL, 0, NULL}
#define PyMODINIT_FUNC __attribute__((visibility("default"))) PyObject *
#define PYTHON_API_VERSION 1013
#define PYTHON_ABI_VERSION 3

/* ---- buffers ---------------------------------------------------------------------------- */

typedef struct {
  void *buf;
  PyObject *obj;
  Py_ssize_t len;
  Py_ssize_t itemsize;
  int readonly;
  int ndim;
  char *format;
  Py_ssize_t *shape;
  Py_ssize_t *strides;
  Py_ssize_t *suboffsets;
  void *internal;
} Py_buffer;

#define PyBUF_SIMPLE 0
#define PyBUF_FORMAT 0x0004
#define PyBUF_ND 0x0008
#define PyBUF_STRIDES (0x0010 | PyBUF_ND)
#define PyBUF_RECORDS_RO (PyBUF_STRIDES | PyBUF_FORMAT)
#define PyBUF_READ 0x100

#include "pyfunctions.h"

/* ---- reference counts ------------------------------------------------------------------- */

static inline PyTypeObject *Py_TYPE(PyObject *object) {
  return object->ob_type;
}

/* Counting inline saves a call out of the module each time. The guest's CPython is fixed (3.14,
 * 32 bits), where a count from 2^30 up marks an immortal object; natively the functions do it,
 * whatever the version. */
#ifdef __wasm32__
#define OTELWASM_IMMORTAL ((Py_ssize_t)1 << 30)
static inline void otelwasm_incref(PyObject *object) {
  if (object->ob_refcnt < OTELWASM_IMMORTAL) object->ob_refcnt++;
}
static inline void otelwasm_decref(PyObject *object) {
  if (object->ob_refcnt < OTELWASM_IMMORTAL && --object->ob_refcnt == 0) _Py_Dealloc(object);
}
#define Py_INCREF(object) otelwasm_incref((PyObject *)(object))
#define Py_DECREF(object) otelwasm_decref((PyObject *)(object))
#else
#define Py_INCREF(object) Py_IncRef((PyObject *)(object))
#define Py_DECREF(object) Py_DecRef((PyObject *)(object))
#endif

static inline PyObject *otelwasm_newref(PyObject *object) {
  Py_INCREF(object);
  return object;
}
static inline void otelwasm_xdecref(PyObject *object) {
  if (object) Py_DECREF(object);
}
static inline void otelwasm_xincref(PyObject *object) {
  if (object) Py_INCREF(object);
}

#define Py_TYPE(object) Py_TYPE((PyObject *)(object))
#define Py_NewRef(object) otelwasm_newref((PyObject *)(object))
#define Py_XINCREF(object) otelwasm_xincref((PyObject *)(object))
#define Py_XDECREF(object) otelwasm_xdecref((PyObject *)(object))
#define Py_CLEAR(variable)                      \
  do {                                          \
    PyObject *old_ = (PyObject *)(variable);    \
    (variable) = NULL;                          \
    Py_XDECREF(old_);                           \
  } while (0)
#define Py_VISIT(member)                                                     \
  do {                                                                       \
    if (member) {                                                            \
      int stop_ = visit((PyObject *)(member), arg);                          \
      if (stop_) return stop_;                                               \
    }                                                                        \
  } while (0)

/* protobuf looks its module up for every message that it wraps. A guest has one interpreter, which
 * never ends. */
#ifdef __wasm__
static inline PyObject *otelwasm_find_module(PyModuleDef *definition) {
  static PyModuleDef *last;
  static PyObject *module;
  if (last != definition || !module) {
    module = PyState_FindModule(definition);
    last = definition;
  }
  return module;
}
#define PyState_FindModule otelwasm_find_module
#define Py_IsFinalizing() 0
#endif

/* ---- constants and checks --------------------------------------------------------------- */

#define Py_LT 0
#define Py_LE 1
#define Py_EQ 2
#define Py_NE 3
#define Py_GT 4
#define Py_GE 5

#define Py_None (&_Py_NoneStruct)
#define Py_Ellipsis (&_Py_EllipsisObject)
#define Py_True ((PyObject *)&_Py_TrueStruct)
#define Py_False ((PyObject *)&_Py_FalseStruct)
#define Py_NotImplemented (&_Py_NotImplementedStruct)
#define Py_RETURN_NONE return Py_NewRef(Py_None)
#define Py_RETURN_TRUE return Py_NewRef(Py_True)
#define Py_RETURN_FALSE return Py_NewRef(Py_False)
#define Py_RETURN_NOTIMPLEMENTED return Py_NewRef(Py_NotImplemented)

static inline int PyType_HasFeature(PyTypeObject *type, unsigned long feature) {
  return (PyType_GetFlags(type) & feature) != 0;
}
static inline int otelwasm_typecheck(PyObject *object, PyTypeObject *type) {
  return object->ob_type == type || PyType_IsSubtype(object->ob_type, type);
}
#define PyObject_TypeCheck(object, type) otelwasm_typecheck((PyObject *)(object), (type))
#define OTELWASM_IS(object, flag) PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_##flag##_SUBCLASS)
#define PyLong_Check(object) OTELWASM_IS(object, LONG)
#define PyList_Check(object) OTELWASM_IS(object, LIST)
#define PyTuple_Check(object) OTELWASM_IS(object, TUPLE)
#define PyBytes_Check(object) OTELWASM_IS(object, BYTES)
#define PyUnicode_Check(object) (Py_TYPE(object) == &PyUnicode_Type || OTELWASM_IS(object, UNICODE))
#define PyDict_Check(object) OTELWASM_IS(object, DICT)
#define PyBool_Check(object) (Py_TYPE(object) == &PyBool_Type)
#define PySlice_Check(object) (Py_TYPE(object) == &PySlice_Type)
#define PyMemoryView_Check(object) (Py_TYPE(object) == &PyMemoryView_Type)
#define PyFloat_Check(object) PyObject_TypeCheck(object, &PyFloat_Type)
#define PyByteArray_Check(object) PyObject_TypeCheck(object, &PyByteArray_Type)

#define PyObject_Length PyObject_Size
#define PyObject_New(type, typeobj) ((type *)_PyObject_New(typeobj))
#define PyModule_Create(definition) PyModule_Create2(definition, PYTHON_ABI_VERSION)

#endif
