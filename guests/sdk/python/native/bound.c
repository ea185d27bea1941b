/* Bounds for numbers, to be met in a condition: at_least(500), below(0.5). */
#include "bound.h"

typedef struct {
  PyObject_HEAD
  PyObject *limit;
  int is_least; /* else what is within is below */
} Bound;

static PyTypeObject *bound_type;

static int is_number(PyObject *value) {
  return !PyBool_Check(value) && (PyLong_Check(value) || PyFloat_Check(value));
}

int bound_check(PyObject *object) {
  return Py_TYPE(object) == bound_type;
}

int bound_holds(PyObject *object, PyObject *value) {
  const Bound *bound = (Bound *)object;
  if (!is_number(value)) return 0;
  return PyObject_RichCompareBool(value, bound->limit, bound->is_least ? Py_GE : Py_LT);
}

static PyObject *bound_new(PyObject *limit, int is_least) {
  if (!is_number(limit)) return PyErr_Format(PyExc_TypeError, "a bound is a number, not %R", limit);
  Bound *bound = (Bound *)PyType_GenericAlloc(bound_type, 0);
  if (!bound) return NULL;
  bound->limit = Py_NewRef(limit);
  bound->is_least = is_least;
  return (PyObject *)bound;
}

static PyObject *at_least(PyObject *module, PyObject *limit) {
  (void)module;
  return bound_new(limit, 1);
}

static PyObject *below(PyObject *module, PyObject *limit) {
  (void)module;
  return bound_new(limit, 0);
}

static void bound_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  Py_CLEAR(((Bound *)self)->limit);
  PyObject_Free(self);
  Py_DECREF(type);
}

static PyObject *bound_repr(PyObject *self) {
  const Bound *bound = (Bound *)self;
  return PyUnicode_FromFormat("%s(%R)", bound->is_least ? "at_least" : "below", bound->limit);
}

static PyMethodDef FUNCTIONS[] = {
    {"at_least", at_least, METH_O, "at_least(limit, /)\n--\n\nA number that is the limit or more."},
    {"below", below, METH_O, "below(limit, /)\n--\n\nA number that is less than the limit."},
    {NULL, NULL, 0, NULL},
};

int bound_type_add(PyObject *module) {
  PyType_Slot slots[] = {
      {Py_tp_dealloc, (void *)bound_dealloc},
      {Py_tp_repr, (void *)bound_repr},
      {Py_tp_doc, "A bound for numbers, to be met in a condition."},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "otelwasm_native.Bound",
      .basicsize = sizeof(Bound),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  bound_type = (PyTypeObject *)PyType_FromSpec(&spec);
  return bound_type ? PyModule_AddFunctions(module, FUNCTIONS) : -1;
}
